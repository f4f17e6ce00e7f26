"""The desk's flags in its languages."""

from __future__ import annotations

from itertools import product

import pytest

from enrollment.advice import Language
from matcher.codes import FingerPosition
from workflow.sequence import SequenceCode, SequenceFlag
from workflow.sequence_advice import finger_name, flag_in

FLAG = SequenceFlag(
    SequenceCode.SAME_FINGER_TWICE, (2, 10), 88.0, "right_index and left_little are the same."
)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.ENGLISH, "right_index and left_little are the same."),
        (Language.FRENCH, "(index droit, auriculaire gauche)"),
        (Language.DUTCH, "(rechterwijsvinger, linkerpink)"),
        (Language.GERMAN, "(rechter Zeigefinger, linker kleiner Finger)"),
    ],
)
def test_sentence_names_the_fingers(language: Language, words: str) -> None:
    """As they are called in the language; code, fingers and score stay."""
    told = flag_in(FLAG, language)
    assert words in told.advice
    assert (told.code, told.fingers, told.score) == (FLAG.code, FLAG.fingers, FLAG.score)


def test_every_code_has_its_own_sentence_in_every_language() -> None:
    """No two alike, none left in English."""
    flags = [SequenceFlag(code, (13,), None, "english") for code in SequenceCode]
    told = [flag_in(flag, language).advice for flag, language in product(flags, Language)]
    others = [text for text in told if text != "english"]
    assert len(set(others)) == len(others) == len(SequenceCode) * 3
    assert all(len(text) < 160 and "(" in text for text in others)


def test_every_position_has_a_name_in_every_language() -> None:
    """Fingers and slaps, no two alike in one language."""
    for language in Language:
        names = {finger_name(position, language) for position in FingerPosition if position <= 15}
        assert len(names) == len([position for position in FingerPosition if position <= 15])
