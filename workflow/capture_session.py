"""Whether a capture is good enough, to be taken again, or the best that can be had: rules of a session.

After the German asylum registration (BSI TR-03121-3, volume 4): least NFIQ 2 values by finger and kind of
capture, up to three attempts, then the best of them, compared finger by finger in a fixed order. An operator
may stop before, with a reason that is logged. Pure functions: attempts go in, the next step comes out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from enrollment.capture import FailureToAcquire, Finger, Quality
from matcher.codes import FINGERS, FingerPosition
from workflow.errors import InvalidSession

#: Attempts before the best one has to do.
MOST_ATTEMPTS: Final = 3
#: How the algorithm is called whose values the thresholds are made for (`enrollment.nfiq2.ALGORITHM`).
_NFIQ2: Final = "NFIQ2/"
#: Longest reason that is kept.
_MOST_REASON: Final = 500


class CaptureKind(StrEnum):
    """What a capture is for."""

    PLAIN_ENROL = "plain_enrol"
    PLAIN_CONTROL = "plain_control"
    ROLLED = "rolled"


#: Least values of thumb, index, middle, ring and little finger; BSI TR-03121-3, volume 4.
THRESHOLDS: Final[Mapping[CaptureKind, tuple[int, int, int, int, int]]] = {
    CaptureKind.PLAIN_ENROL: (30, 30, 20, 10, 10),
    CaptureKind.PLAIN_CONTROL: (20, 20, 20, 10, 10),
    CaptureKind.ROLLED: (20, 15, 15, 10, 5),
}
#: Attempts are compared by the first of these fingers, where that is equal by the next: the right hand's
#: index to little finger, the left hand's, right thumb, left thumb.
_ORDER: Final = tuple(FingerPosition(code) for code in (2, 3, 4, 5, 7, 8, 9, 10, 1, 6))


class Step(StrEnum):
    """What is to be done with a session: use an attempt for one of three reasons, or capture again."""

    ACCEPT = "accept"
    RETAKE = "retake"
    BEST_OF_ATTEMPTS = "best_of_attempts"
    OVERRIDE = "override"


#: An attempt: the quality of each finger, 0-100; None for a failure to acquire (255 in records).
Attempt = Mapping[FingerPosition, int | None]


@dataclass(frozen=True, slots=True)
class Below:
    """A finger that is not good enough: its value (None for a failure to acquire) and the least one."""

    position: int
    value: int | None
    least: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """step: what to do. attempt: number, from 1, of the one to use; for a retake, of the best so far.

    below: its fingers that are not good enough. attempts_left: how many may follow.
    """

    step: Step
    attempt: int
    below: tuple[Below, ...]
    attempts_left: int


def judge(kind: CaptureKind, attempts: Sequence[Attempt], *, reason: str = "") -> Verdict:
    """The next step after these attempts, in the order they were made.

    The first that passes is accepted. reason: of an operator who takes the best as it is (bandage, tremor…).
    Raises InvalidSession for no attempt or more than three, an attempt without fingers or of an unknown one.
    """
    _check(attempts, reason)
    passed = [number for number, attempt in enumerate(attempts, start=1) if not below(kind, attempt)]
    chosen = passed[0] if passed else best(attempts)
    left = 0 if passed or reason else MOST_ATTEMPTS - len(attempts)
    return Verdict(
        step=_step(bool(passed), reason, left),
        attempt=chosen,
        below=below(kind, attempts[chosen - 1]),
        attempts_left=left,
    )


def below(kind: CaptureKind, attempt: Attempt) -> tuple[Below, ...]:
    """The fingers of an attempt that are not good enough, by position."""
    found = (Below(int(finger), value, least(kind, finger)) for finger, value in sorted(attempt.items()))
    return tuple(each for each in found if each.value is None or each.value < each.least)


def least(kind: CaptureKind, finger: FingerPosition) -> int:
    """The least value of a finger (1-10) for a kind of capture."""
    return THRESHOLDS[kind][(finger - 1) % 5]


def best(attempts: Sequence[Attempt]) -> int:
    """The number, from 1, of the best attempt: finger by finger in the stated order; the first of equals."""
    keys = [tuple(_rank(attempt, finger) for finger in _ORDER) for attempt in attempts]
    return keys.index(max(keys)) + 1


def attempt_of(outcomes: Collection[Finger | FailureToAcquire]) -> Attempt:
    """What a capture's fingers say of it."""
    return {
        each.position: session_value(each.quality)[0] if isinstance(each, Finger) else None
        for each in outcomes
    }


def session_value(quality: Quality) -> tuple[int | None, str]:
    """The value a session goes by, and its algorithm: NFIQ 2 where it was asked, else our own.

    Our own value is on a scale from 0 to 100 as well, but is no NFIQ 2 value: the thresholds then are an
    approximation, and the answer names the algorithm. An NFIQ 2 that failed counts as a failure.
    """
    for measure in quality.measures:
        if measure.algorithm.startswith(_NFIQ2):
            return measure.value, measure.algorithm
    return quality.value, quality.algorithm


def _rank(attempt: Attempt, finger: FingerPosition) -> int:
    value = attempt.get(finger)
    return -1 if value is None else value


def _step(passed: bool, reason: str, left: int) -> Step:  # noqa: FBT001 - a fact, not a switch
    if passed:
        return Step.ACCEPT
    if reason:
        return Step.OVERRIDE
    return Step.RETAKE if left else Step.BEST_OF_ATTEMPTS


def _check(attempts: Sequence[Attempt], reason: str) -> None:
    if not 1 <= len(attempts) <= MOST_ATTEMPTS:
        raise InvalidSession(f"A session has 1 to {MOST_ATTEMPTS} attempts; {len(attempts)} came.")
    if len(reason) > _MOST_REASON:
        raise InvalidSession(f"A reason has at most {_MOST_REASON} characters.")
    for attempt in attempts:
        if not attempt:
            raise InvalidSession("An attempt has at least one finger.")
        if any(finger not in FINGERS for finger in attempt):
            raise InvalidSession("Name the finger of each image: there is a least quality for each finger.")
