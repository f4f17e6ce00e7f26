"""What the desk is told after a registration: plain values, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enrollment.advice import advice
from enrollment.capture import FailureToAcquire, Finger, Measure
from matcher.codes import FingerPosition
from workflow.links import Standing
from workflow.sequence import SequenceFlag


@dataclass(frozen=True, slots=True)
class FingerOutcome:
    """What became of one capture: a template (quality 0-100, minutiae) or a failure with advice.

    defect_advice: a sentence for the operator for each code of `defects`. measures: what others make of the
    same picture, NFIQ 2 for one, where the office asks for it.
    """

    position: int
    quality: int | None
    quality_algorithm: str | None
    minutiae: int | None
    defects: tuple[str, ...]
    failure: str | None
    advice: str | None
    defect_advice: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class FingerScore:
    """One finger's share in a candidate's score, −10·log10 FMR."""

    position: int
    score: float


@dataclass(frozen=True, slots=True)
class CandidateEncounter:
    """One encounter of a candidate. `link_id` is None for one below the threshold: it was not suggested."""

    encounter_id: str
    score: float
    fingers: tuple[FingerScore, ...]
    link_id: str | None


@dataclass(frozen=True, slots=True)
class DeskCandidate:
    """A person file that may be this person: suggested by the machine, decided by an examiner.

    standing: what examiners have said so far of this file and the new encounter, or the file it was added to.
    claimed: the capture subject says to be this person. suggested: at or above the threshold.
    """

    person_id: str
    rank: int
    score: float
    suggested: bool
    claimed: bool
    standing: Standing
    encounters: tuple[CandidateEncounter, ...]


@dataclass(frozen=True, slots=True)
class ClaimOutcome:
    """The comparison with the person file the encounter was added to.

    threshold: of a 1:1 comparison. matches: None where nothing could be compared (no finger in common).
    Examiners find the claim as `link_id`.
    """

    person_id: str
    encounter_id: str
    score: float | None
    threshold: float
    matches: bool | None
    link_id: str


@dataclass(frozen=True, slots=True)
class DeskAnswer:
    """The desk's main job, done: stored, searched, suggested.

    threshold: −10·log10 FMR. gallery_size: references searched. as_of: newest change the search has seen.
    complete: False when a part of the gallery did not answer; search again. sequence: the encounter's place
    in the change log. reference_number: of the EURODAC-style queue, if its category is sent.
    flags: prints whose names do not fit each other, to be checked by the operator.
    """

    encounter_id: str
    person_id: str
    fingers: tuple[FingerOutcome, ...]
    candidates: tuple[DeskCandidate, ...]
    claim: ClaimOutcome | None
    threshold: float
    gallery_size: int
    as_of: int
    complete: bool
    sequence: int
    reference_number: str | None
    flags: tuple[SequenceFlag, ...] = ()


def finger_outcomes(fingers: Mapping[FingerPosition, Finger | FailureToAcquire]) -> tuple[FingerOutcome, ...]:
    """One row per captured finger, in order of position."""
    return tuple(_outcome(outcome) for _, outcome in sorted(fingers.items()))


def _outcome(outcome: Finger | FailureToAcquire) -> FingerOutcome:
    if isinstance(outcome, FailureToAcquire):
        return FingerOutcome(
            position=int(outcome.position),
            quality=None,
            quality_algorithm=None,
            minutiae=None,
            defects=(),
            failure=outcome.reason.value,
            advice=outcome.advice,
        )
    return FingerOutcome(
        position=int(outcome.position),
        quality=outcome.quality.value,
        quality_algorithm=outcome.quality.algorithm,
        minutiae=len(outcome.template),
        defects=tuple(defect.value for defect in outcome.quality.defects),
        failure=None,
        advice=None,
        defect_advice=tuple(advice(defect) for defect in outcome.quality.defects),
        measures=outcome.quality.measures,
    )
