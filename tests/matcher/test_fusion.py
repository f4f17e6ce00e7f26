"""Several fingers, one score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.codes import FINGERS
from matcher.fusion import best_of, fuse
from matcher.scoring import Score, fmr_of

SCORES = st.lists(st.floats(0.0, 120.0).map(Score), max_size=10)


def by_position(scores: list[Score]) -> dict:
    """Scores of the first fingers."""
    return dict(zip(FINGERS, scores, strict=False))


@given(SCORES)
def test_fused_score_stays_within_reason(scores: list[Score]) -> None:
    """Never negative, never more than the sum of all."""
    fused = fuse(by_position(scores))
    assert 0.0 <= fused <= sum(scores) + 1e-9


@given(st.floats(0.0, 200.0).map(Score))
def test_one_finger_keeps_its_score(score: Score) -> None:
    """A person with one comparing finger has that finger's score; no finger has none."""
    assert fuse(by_position([score])) == pytest.approx(score, abs=1e-9)
    assert fuse({}) == 0.0


@given(SCORES, st.floats(0.0, 50.0))
def test_a_better_finger_never_harms(scores: list[Score], more: float) -> None:
    """Fusion rises with each finger's score."""
    better = [Score(scores[0] + more), *scores[1:]] if scores else scores
    assert fuse(by_position(better)) >= fuse(by_position(scores)) - 1e-9


def test_fingers_without_support_cost() -> None:
    """Nine fingers that do not match weaken what one says."""
    assert fuse(by_position([Score(60.0)] + [Score(0.0)] * 9)) < 30.0


@pytest.mark.parametrize("fingers", [2, 4, 10])
def test_claimed_rate_holds_for_independent_fingers(fingers: int) -> None:
    """Of non-mated people with independent fingers, no more than claimed reach a fused threshold."""
    rng = np.random.default_rng(fingers)
    singles = -10.0 * np.log10(1.0 - rng.random((40_000, fingers)))
    fused = [fuse(by_position([Score(float(score)) for score in row])) for row in singles]
    for threshold in (Score(10.0), Score(20.0)):
        observed = np.mean(np.array(fused) >= threshold)
        assert observed == pytest.approx(fmr_of(threshold), rel=0.35)


def test_the_best_of_several_prints_pays_for_its_chances() -> None:
    """Two prints of one reference have two chances."""
    assert best_of([Score(40.0)]) == 40.0
    assert best_of([Score(40.0), Score(10.0)]) == pytest.approx(40.0 - 10.0 * math.log10(2.0))
    assert best_of([Score(0.0)] * 3) == 0.0
