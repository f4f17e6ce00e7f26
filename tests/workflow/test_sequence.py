"""Claims about the sequence check: real comparisons of synthetic fingers under right and wrong names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from fixtures.templates import person
from matcher.codes import FINGERS, FingerPosition
from workflow.sequence import ALIKE, SequenceCode, SessionPrint, check_sequence, other_hand

_SEED, _PERSON = 20261123, 5
_SWAPPED_TWO = {2: 3, 3: 2}
#: A right hand named left and a left one named right: the cutter names fingers by their place.
_SWAPPED_SLAPS = {2: 10, 3: 9, 4: 8, 5: 7, 7: 5, 8: 4, 9: 3, 10: 2}
#: The card of the other hand: thumb for thumb, index for index.
_SWAPPED_CARDS = {code: (code + 4) % 10 + 1 for code in range(1, 11)}


def _prints(
    capture: int,
    source: str,
    codes: Sequence[int] = tuple(FINGERS),
    shown: Mapping[int, int] | None = None,
    number: int = _PERSON,
) -> list[SessionPrint]:
    """One capture of a person. shown: which finger really lies under a name, where it is another."""
    really = {code: (shown or {}).get(code, code) for code in codes}
    taken = person(_SEED, number).tenprint(capture, tuple(FingerPosition(code) for code in really.values()))
    return [
        SessionPrint(FingerPosition(code), taken[FingerPosition(shows)], source)
        for code, shows in really.items()
    ]


def _told(prints: Sequence[SessionPrint]) -> list[tuple[SequenceCode, tuple[int, ...]]]:
    return [(flag.code, flag.fingers) for flag in check_sequence(prints)]


def test_a_session_without_mistakes_has_no_flags() -> None:
    """Ten rolled fingers and the same ten plain ones."""
    assert check_sequence([*_prints(0, "single"), *_prints(1, "slap")]) == ()


def test_one_capture_alone_has_nothing_to_say() -> None:
    """Ten different fingers; and nothing to compare at all."""
    assert check_sequence(_prints(0, "single")) == ()
    assert check_sequence([]) == ()


@pytest.mark.parametrize("shown", [_SWAPPED_SLAPS, _SWAPPED_CARDS], ids=["slaps", "cards"])
def test_swapped_hands_are_one_flag(shown: Mapping[int, int]) -> None:
    """Whichever way the names moved; all fingers concerned, and no flag beside it."""
    ((code, fingers),) = _told([*_prints(0, "single"), *_prints(1, "slap", shown=shown)])
    assert (code, fingers) == (SequenceCode.SWAPPED_HANDS, tuple(sorted(shown)))


def test_one_slap_under_the_other_hands_name_is_noticed() -> None:
    """The right hand came twice, the second time as left; the left hand never did."""
    slaps = _prints(1, "slap", (7, 8, 9, 10), shown=_SWAPPED_SLAPS)
    ((code, fingers),) = _told([*_prints(0, "single"), *slaps])
    assert (code, fingers) == (SequenceCode.SWAPPED_HANDS, (2, 3, 4, 5, 7, 8, 9, 10))


def test_two_swapped_fingers_are_named() -> None:
    """The two that are wrong, with the higher of their scores."""
    (flag,) = check_sequence([*_prints(0, "single"), *_prints(1, "slap", shown=_SWAPPED_TWO)])
    assert (flag.code, flag.fingers) == (SequenceCode.SWAPPED_FINGERS, (2, 3))
    assert flag.score is not None
    assert flag.score >= ALIKE
    assert "right_index and right_middle are swapped" in flag.advice


def test_a_finger_captured_twice_is_noticed_without_a_second_source() -> None:
    """Ten rolled prints, the ring finger's taken of the middle finger."""
    twice = [*_prints(0, "single", [c for c in FINGERS if c != 4]), *_prints(1, "single", [4], {4: 3})]
    assert _told(twice) == [(SequenceCode.SAME_FINGER_TWICE, (3, 4))]


def test_a_finger_captured_twice_is_not_called_swapped() -> None:
    """The plain prints confirm the middle finger, so it is the ring finger's that is wrong."""
    rolled = [*_prints(0, "single", [c for c in FINGERS if c != 4]), *_prints(2, "single", [4], {4: 3})]
    assert _told([*rolled, *_prints(1, "slap")]) == [(SequenceCode.SAME_FINGER_TWICE, (3, 4))]


def test_one_wrong_name_is_not_called_a_swap() -> None:
    """A single print that goes by another finger's name elsewhere."""
    assert _told([*_prints(0, "single", [2]), *_prints(1, "slap", [3], {3: 2})]) == [
        (SequenceCode.OTHER_FINGER, (2, 3))
    ]


def test_a_strangers_finger_is_not_confirmed() -> None:
    """It is like none of the session; the other nine pass."""
    plain = [*_prints(1, "slap", [c for c in FINGERS if c != 7]), *_prints(1, "slap", [7], number=6)]
    assert _told([*_prints(0, "single"), *plain]) == [(SequenceCode.NOT_CONFIRMED, (7,))]


def test_unknown_fingers_are_left_out() -> None:
    """Nobody said which finger they are: no name can be wrong."""
    unknown = SessionPrint(FingerPosition.UNKNOWN, _prints(1, "single", [2])[0].template, "single")
    assert check_sequence([*_prints(0, "single", [2, 3]), unknown]) == ()


def test_the_other_hand_is_told_of_the_slap() -> None:
    """The flag names the slap as it was labelled, and has no score."""
    flag = other_hand(FingerPosition.PLAIN_LEFT_FOUR)
    assert (flag.code, flag.fingers, flag.score) == (SequenceCode.OTHER_HAND, (14,), None)
    assert "plain_left_four" in flag.advice
