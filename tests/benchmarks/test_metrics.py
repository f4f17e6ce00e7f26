"""Error rates against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.metrics import bootstrap_eer, equal_error_rate, error_curve, fnmr_at, pooled_fnmr_at

SCORES = arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 20).map(float))


def test_separated_scores_have_no_error() -> None:
    """Every mated score above every non-mated one: all rates are zero."""
    mated, nonmated = np.array([5.0, 6.0]), np.array([1.0, 2.0])
    assert equal_error_rate(mated, nonmated) == 0.0
    assert fnmr_at(mated, nonmated, 0.0) == 0.0


def test_one_swapped_pair_in_four() -> None:
    """One of four mated below one of four non-mated: both rates meet at one quarter."""
    mated = np.array([1.5, 5.0, 6.0, 7.0])
    nonmated = np.array([0.0, 0.5, 1.0, 2.0])
    assert equal_error_rate(mated, nonmated) == pytest.approx(0.25)
    assert fnmr_at(mated, nonmated, 0.0) == pytest.approx(0.25)
    assert fnmr_at(mated, nonmated, 0.25) == 0.0


def test_ties_count_as_matches() -> None:
    """A comparison matches when its score reaches the threshold."""
    curve = error_curve(np.array([1.0]), np.array([1.0]))
    assert curve.fmr[0] == 1.0
    assert curve.fnmr[0] == 0.0


def test_one_threshold_for_two_sets() -> None:
    """Sets weigh the same: one of ten in the small set counts as ten of a hundred in the large one."""
    small = np.array([5.0, 9.0]), np.r_[8.0, np.zeros(9)]
    large = np.array([9.0, 9.0, 9.0, 3.0]), np.zeros(100)
    at_ten = pooled_fnmr_at([small, large], 0.05)
    assert (at_ten.fmr, at_ten.fnmr, at_ten.above) == (pytest.approx(0.05), pytest.approx(0.0), 1)
    none = pooled_fnmr_at([small, large], 0.04)
    assert 8.0 < none.threshold <= 8.001
    assert (none.fmr, none.fnmr, none.above) == (0.0, pytest.approx((0.5 + 0.25) / 2), 0)


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=3), st.sampled_from([0.0, 0.01, 0.2, 1.0]))
def test_the_pooled_rates_are_what_counting_gives(
    sets: list[tuple[np.ndarray, np.ndarray]], rate: float
) -> None:
    """At the threshold the mean FMR is as said and allowed; no other threshold allowed rejects fewer."""
    found = pooled_fnmr_at(sets, rate)

    def rates(threshold: float) -> tuple[float, float]:
        fmr = np.mean([np.mean(nonmated >= threshold) for _, nonmated in sets])
        return float(fmr), float(np.mean([np.mean(mated < threshold) for mated, _ in sets]))

    assert rates(found.threshold) == (pytest.approx(found.fmr), pytest.approx(found.fnmr))
    assert found.fmr <= rate + 1e-12
    tried = [-np.inf, *np.unique(np.concatenate([np.concatenate(pair) for pair in sets])), np.inf]
    assert all(rates(t)[1] >= found.fnmr - 1e-12 for t in tried if rates(t)[0] <= rate + 1e-12)


@given(SCORES, SCORES)
def test_rates_lie_between_zero_and_one_and_curves_are_monotone(
    mated: np.ndarray, nonmated: np.ndarray
) -> None:
    """FMR falls and FNMR rises with the threshold, whatever the scores."""
    curve = error_curve(mated, nonmated)
    assert (np.diff(curve.fmr) <= 0).all()
    assert (np.diff(curve.fnmr) >= 0).all()
    assert 0.0 <= equal_error_rate(mated, nonmated) <= 1.0


@given(SCORES, SCORES)
def test_the_rate_at_a_looser_fmr_is_never_higher(mated: np.ndarray, nonmated: np.ndarray) -> None:
    """Allowing more false matches never costs mated pairs."""
    assert fnmr_at(mated, nonmated, 0.1) <= fnmr_at(mated, nonmated, 0.01)


def test_the_interval_holds_the_rate() -> None:
    """Resampling fingers spreads around the measured rate, and the same seed repeats it."""
    generator = np.random.default_rng(0)
    fingers = np.repeat(np.arange(10), 20)
    mated = generator.normal(3, 1, 200)
    pairs = np.array([(a, b) for a in range(10) for b in range(a)])
    nonmated = generator.normal(0, 1, len(pairs))
    low, high = bootstrap_eer(mated, fingers, nonmated, pairs)
    assert low <= equal_error_rate(mated, nonmated) <= high
    assert (low, high) == bootstrap_eer(mated, fingers, nonmated, pairs)
