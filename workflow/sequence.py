"""Whether every print of a capture is of the finger it is named for: the sequence check.

All prints of one session are compared with each other. Prints that are alike show one finger; where their
names disagree, something was swapped or captured twice. The check says so and renames nothing: machines
suggest. (BSI TR-03121 calls it the uniqueness check, and the control of rolled prints by plain ones.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from matcher.codes import FingerPosition
from matcher.comparison import prepare, score_many
from matcher.template import Template

#: From this score on two prints are one finger: ten rolled and ten plain prints are 180 comparisons of
#: different fingers, of which one in 5,500 such sessions would reach it.
ALIKE = 60.0
#: Below this score two prints that should be of one finger do not confirm each other.
CONFIRMED = 30.0


class SequenceCode(StrEnum):
    """What is wrong with the names of a session's prints, in a stable code."""

    SWAPPED_FINGERS = "swapped_fingers"
    SWAPPED_HANDS = "swapped_hands"
    SAME_FINGER_TWICE = "same_finger_twice"
    OTHER_FINGER = "other_finger"
    NOT_CONFIRMED = "not_confirmed"
    OTHER_HAND = "other_hand"


@dataclass(frozen=True, slots=True, eq=False)
class SessionPrint:
    """A print as it was named. source: prints of one source show each finger once ("single", "slap")."""

    position: FingerPosition
    template: Template
    source: str


@dataclass(frozen=True, slots=True)
class SequenceFlag:
    """One thing that is wrong. fingers: positions concerned. advice: one English sentence for the operator.

    score: of the comparison that shows it; None where it shows in one picture.
    """

    code: SequenceCode
    fingers: tuple[int, ...]
    score: float | None
    advice: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two prints of one session and their score."""

    one: SessionPrint
    other: SessionPrint
    score: float

    @property
    def fingers(self) -> tuple[int, int]:
        low, high = sorted((int(self.one.position), int(self.other.position)))
        return low, high

    @property
    def same_name(self) -> bool:
        return self.one.position == self.other.position

    @property
    def same_source(self) -> bool:
        return self.one.source == self.other.source


def check_sequence(prints: Sequence[SessionPrint]) -> tuple[SequenceFlag, ...]:
    """What is wrong, worst first; nothing where all is well. Prints of unknown fingers are left out."""
    known = [each for each in prints if each.position is not FingerPosition.UNKNOWN]
    pairs = list(_compared(known))
    crossed = [pair for pair in pairs if not pair.same_name and pair.score >= ALIKE]
    confirmed = {pair.one.position for pair in pairs if pair.same_name and pair.score >= CONFIRMED}
    flags = [*_twice(crossed, confirmed), *_moved(crossed, confirmed)]
    told = {finger for flag in flags for finger in flag.fingers}
    return (*flags, *_unconfirmed(pairs, told))


def check_session(
    prints: Sequence[SessionPrint], other_hands: Sequence[FingerPosition]
) -> tuple[SequenceFlag, ...]:
    """All flags of a session; other_hands: slaps whose fingers lie as the other hand's do."""
    return (*(other_hand(slap) for slap in other_hands), *check_sequence(prints))


def other_hand(slap: FingerPosition) -> SequenceFlag:
    """The flag for a slap whose fingers lie as those of the hand do that it is not named for."""
    name = slap.name.lower()
    advice = f"The image named {name} looks like the other hand: check the name, or capture again."
    return SequenceFlag(SequenceCode.OTHER_HAND, (int(slap),), None, advice)


def _compared(prints: Sequence[SessionPrint]) -> Iterator[_Pair]:
    prepared = [prepare(each.template) for each in prints]
    for number, probe in enumerate(prepared[:-1]):
        scores = score_many(probe, prepared[number + 1 :])
        for other, score in zip(prints[number + 1 :], scores, strict=True):
            yield _Pair(prints[number], other, round(float(score), 3))


def _twice(crossed: Sequence[_Pair], confirmed: set[FingerPosition]) -> Iterator[SequenceFlag]:
    """Two names in one source, one finger. Across sources: where one of the names was confirmed otherwise."""
    found: dict[tuple[int, int], _Pair] = {}
    for pair in crossed:
        if pair.same_source or confirmed & {pair.one.position, pair.other.position}:
            found.setdefault(pair.fingers, pair)
    for fingers, pair in sorted(found.items()):
        one, other = (_name(finger) for finger in fingers)
        advice = f"{one} and {other} are the same finger: capture again the one that is wrong."
        yield SequenceFlag(SequenceCode.SAME_FINGER_TWICE, fingers, pair.score, advice)


def _moved(crossed: Sequence[_Pair], confirmed: set[FingerPosition]) -> Iterator[SequenceFlag]:
    """Fingers that go by one name in one source and by another in the other."""
    moves: dict[tuple[int, int], list[_Pair]] = {}
    for pair in crossed:
        if not pair.same_source and not confirmed & {pair.one.position, pair.other.position}:
            moves.setdefault(pair.fingers, []).append(pair)
    # Several fingers that changed hands: index for index on cards, index for little finger on slaps.
    moved_over = [fingers for fingers in moves if fingers[0] <= FingerPosition.RIGHT_LITTLE < fingers[1]]
    if len(moved_over) > 1:
        concerned = tuple(sorted({finger for fingers in moved_over for finger in fingers}))
        score = max(pair.score for fingers in moved_over for pair in moves[fingers])
        advice = "Left and right hand are swapped in one of the captures: check which, and capture it again."
        yield SequenceFlag(SequenceCode.SWAPPED_HANDS, concerned, score, advice)
    for fingers, found in sorted(moves.items()):
        if len(moved_over) > 1 and fingers in moved_over:
            continue
        one, other = (_name(finger) for finger in fingers)
        # Alike in both directions: each goes by the other's name. One direction shows one wrong print.
        both = len(found) > 1
        advice = (
            f"{one} and {other} are swapped in one of the captures: check which, and capture both again."
            if both
            else f"A print named {one} and one named {other} are the same finger: check which is wrong."
        )
        code = SequenceCode.SWAPPED_FINGERS if both else SequenceCode.OTHER_FINGER
        yield SequenceFlag(code, fingers, max(pair.score for pair in found), advice)


def _unconfirmed(pairs: Sequence[_Pair], told: set[int]) -> Iterator[SequenceFlag]:
    """Fingers whose two prints are not alike, and nothing says why."""
    for pair in pairs:
        finger = int(pair.one.position)
        if pair.same_name and pair.score < CONFIRMED and finger not in told:
            name = _name(finger)
            advice = f"The two prints of {name} do not confirm each other: check the finger, capture again."
            yield SequenceFlag(SequenceCode.NOT_CONFIRMED, (finger,), pair.score, advice)


def _name(finger: int) -> str:
    return FingerPosition(finger).name.lower()
