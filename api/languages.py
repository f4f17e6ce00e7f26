"""Which language an answer's sentences are in: the best of ours that the request accepts, else English."""

from __future__ import annotations

from dataclasses import replace

from enrollment.advice import CODES, Language, advice
from workflow.desk_answer import DeskAnswer, FingerOutcome
from workflow.sequence_advice import flag_in

_MOST_RANGES = 32


def accepted(header: str | None) -> Language:
    """The language of an `Accept-Language` header (RFC 9110, 12.5.4): the highest weight, then the first.

    Regions do not matter (`fr-BE` is French); what cannot be read is passed over.
    """
    best, weight = Language.ENGLISH, 0.0
    for part in (header or "").split(",")[:_MOST_RANGES]:
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        given = _weight(parameter)
        if given > weight and (language == "*" or language in set(Language)):
            best, weight = (Language.ENGLISH if language == "*" else Language(language)), given
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def in_language(answer: DeskAnswer, language: Language) -> DeskAnswer:
    """The same answer with its sentences for the operator in a language; codes stay as they are."""
    if language is Language.ENGLISH:
        return answer
    return replace(
        answer,
        fingers=tuple(told_in(finger, language) for finger in answer.fingers),
        flags=tuple(flag_in(flag, language) for flag in answer.flags),
    )


def told_in(finger: FingerOutcome, language: Language) -> FingerOutcome:
    """One finger's outcome with its sentences in a language."""
    told = finger.advice
    if finger.failure in CODES:
        told = advice(str(finger.failure), language)
    return replace(
        finger,
        advice=told,
        defect_advice=tuple(advice(defect, language) for defect in finger.defects),
    )
