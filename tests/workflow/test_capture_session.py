"""Claims about capture sessions: thresholds, three attempts, the best of them, the override with a reason."""

from __future__ import annotations

import pytest

from enrollment.capture import FailureToAcquire, Finger, Measure, Quality, Reason
from fixtures.templates import person
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from workflow.capture_session import (
    MOST_ATTEMPTS,
    Attempt,
    Below,
    CaptureKind,
    Step,
    Verdict,
    attempt_of,
    best,
    judge,
    least,
)
from workflow.errors import InvalidSession

_INDEX, _MIDDLE, _RING, _LITTLE = (FingerPosition(code) for code in (2, 3, 4, 5))
_GOOD: Attempt = {_INDEX: 60, _MIDDLE: 55, _RING: 40, _LITTLE: 30}
_POOR: Attempt = {**_GOOD, _INDEX: 20}
_POORER: Attempt = {**_GOOD, _INDEX: 12, _MIDDLE: 90}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (CaptureKind.PLAIN_ENROL, [30, 30, 20, 10, 10]),
        (CaptureKind.PLAIN_CONTROL, [20, 20, 20, 10, 10]),
        (CaptureKind.ROLLED, [20, 15, 15, 10, 5]),
    ],
)
def test_thresholds_are_those_of_the_profile(kind: CaptureKind, values: list[int]) -> None:
    """By finger from thumb to little finger, the same on both hands."""
    assert [least(kind, finger) for finger in FINGERS] == values * 2


@pytest.mark.parametrize("finger", FINGERS)
@pytest.mark.parametrize("kind", CaptureKind)
def test_a_threshold_itself_passes_and_one_less_does_not(kind: CaptureKind, finger: FingerPosition) -> None:
    """At every finger and kind of capture."""
    value = least(kind, finger)
    assert judge(kind, [{finger: value}]) == Verdict(Step.ACCEPT, 1, (), 0)
    assert judge(kind, [{finger: value - 1}]) == Verdict(
        Step.RETAKE, 1, (Below(int(finger), value - 1, value),), MOST_ATTEMPTS - 1
    )


def test_an_attempt_below_is_taken_again_until_one_passes() -> None:
    """The operator is told which finger, and the passing one is used, though another finger was better."""
    first = judge(CaptureKind.PLAIN_ENROL, [_POOR])
    assert (first.step, first.below, first.attempts_left) == (Step.RETAKE, (Below(2, 20, 30),), 2)
    assert judge(CaptureKind.PLAIN_ENROL, [_POORER, _GOOD]) == Verdict(Step.ACCEPT, 2, (), 0)


def test_after_three_attempts_the_best_has_to_do() -> None:
    """By the index finger first, whatever the others are; its weakness is still told."""
    verdict = judge(CaptureKind.PLAIN_ENROL, [_POORER, _POOR, _POORER])
    assert verdict == Verdict(Step.BEST_OF_ATTEMPTS, 2, (Below(2, 20, 30),), 0)


@pytest.mark.parametrize(
    ("attempts", "number"),
    [
        ([{_INDEX: 20, _MIDDLE: 30}, {_INDEX: 20, _MIDDLE: 31}], 2),
        ([{_INDEX: 21, _MIDDLE: 0}, {_INDEX: 20, _MIDDLE: 99}], 1),
        ([{_MIDDLE: 5, _RING: 1, _LITTLE: 9}, {_MIDDLE: 5, _RING: 2, _LITTLE: 0}], 2),
        ([{FingerPosition.LEFT_THUMB: 99, FingerPosition.RIGHT_THUMB: 1}] * 2, 1),
        ([{FingerPosition(6): 99, FingerPosition(1): 1}, {FingerPosition(6): 0, FingerPosition(1): 2}], 2),
        ([{_INDEX: None, _MIDDLE: 90}, {_INDEX: 0, _MIDDLE: None}], 2),
    ],
    ids=["middle decides", "index decides", "ring decides", "equal", "right thumb", "failure"],
)
def test_the_best_is_found_finger_by_finger(attempts: list[Attempt], number: int) -> None:
    """Index, middle, ring, little; right thumb before left; a failure is less than the lowest value."""
    assert best(attempts) == number


def test_a_failure_to_acquire_never_passes() -> None:
    """It has no value at all."""
    verdict = judge(CaptureKind.ROLLED, [{_INDEX: None}])
    assert verdict.below == (Below(2, None, 15),)


def test_a_missing_finger_is_not_asked_for() -> None:
    """What was declared missing is in no attempt, and stands in nobody's way."""
    three = {finger: value for finger, value in _GOOD.items() if finger is not _RING}
    assert judge(CaptureKind.PLAIN_ENROL, [three]).step is Step.ACCEPT


def test_an_operator_may_take_what_there_is_with_a_reason() -> None:
    """At once, without further attempts; where a capture passes there is nothing to override."""
    verdict = judge(CaptureKind.PLAIN_ENROL, [_POORER, _POOR], reason="bandaged index finger")
    assert verdict == Verdict(Step.OVERRIDE, 2, (Below(2, 20, 30),), 0)
    assert judge(CaptureKind.PLAIN_ENROL, [_GOOD], reason="in a hurry").step is Step.ACCEPT


@pytest.mark.parametrize(
    ("attempts", "reason"),
    [([], ""), ([_POOR] * 4, ""), ([{}], ""), ([{FingerPosition.UNKNOWN: 50}], ""), ([_POOR], "x" * 501)],
    ids=["none", "four", "no finger", "unknown finger", "long reason"],
)
def test_what_is_no_session_is_refused(attempts: list[Attempt], reason: str) -> None:
    """With a sentence."""
    with pytest.raises(InvalidSession, match=r"\."):
        judge(CaptureKind.ROLLED, attempts, reason=reason)


def test_nfiq_2_counts_where_it_was_asked() -> None:
    """Our own value where it was not; a failed NFIQ 2 and a failed capture have no value."""
    template = person(1, 0).tenprint(0, (_INDEX,))[_INDEX]
    nfiq2 = Measure("NFIQ2/2.3.0", 41)
    own, both, failed = (
        Finger(finger, ImpressionType.LIVE_PLAIN, template, Quality(70, "own/1", (), measures), "test/1")
        for finger, measures in (
            (_INDEX, ()),
            (_MIDDLE, (nfiq2,)),
            (_RING, (Measure("NFIQ2/2.3.0", None, "too_small"),)),
        )
    )
    lost = FailureToAcquire(_LITTLE, ImpressionType.LIVE_PLAIN, Reason.TOO_SMALL, "Press again.")
    assert attempt_of([own, both, failed, lost]) == {_INDEX: 70, _MIDDLE: 41, _RING: None, _LITTLE: None}
