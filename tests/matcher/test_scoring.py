"""The unit of scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.scoring import (
    Score,
    calibrate,
    calibrate_many,
    calibration,
    fmr_of,
    is_extrapolated,
    score_interval,
    score_of_fmr,
)

RAWS = st.floats(0.0, 500.0, allow_nan=False)


@pytest.mark.parametrize("fielded", [True, False])
def test_tables_rise_and_say_what_supports_them(*, fielded: bool) -> None:
    """Knots rise strictly; each range ends at three matches in the comparisons that support it."""
    table = calibration(with_field=fielded)
    assert np.all(np.diff(table.raws) > 0.0)
    assert np.all(np.diff(table.scores) > 0.0)
    assert (table.raws[0], table.scores[0]) == (0.0, 0.0)
    assert table.comparisons >= 100_000
    assert fmr_of(table.real_to) >= 3.0 / table.comparisons
    assert table.real_to <= table.measured_to


@given(RAWS, RAWS, st.booleans())
def test_a_higher_raw_score_never_scores_less(one: float, two: float, fielded: bool) -> None:  # noqa: FBT001
    """Calibration is monotone, finite, and never negative."""
    low, high = (calibrate(raw, with_field=fielded) for raw in sorted((one, two)))
    assert 0.0 <= low <= high < 1000.0


@given(st.lists(RAWS, max_size=20))
def test_many_equal_one_by_one(raws: list[float]) -> None:
    """The vectorised table is the same table."""
    fielded = np.arange(len(raws)) % 2 == 0
    expected = [calibrate(raw, with_field=bool(kind)) for raw, kind in zip(raws, fielded, strict=True)]
    found = calibrate_many(np.array(raws, np.float64), with_field=fielded)
    np.testing.assert_allclose(found, np.array(expected, np.float32), rtol=1e-5)


@given(st.floats(0.0, 200.0))
def test_scores_and_rates_are_one_thing(score: float) -> None:
    """40 is one false match in 10,000, and back."""
    assert score_of_fmr(fmr_of(Score(score))) == pytest.approx(score, abs=1e-6)
    assert fmr_of(Score(40.0)) == pytest.approx(1e-4)


def test_extrapolation_is_labelled() -> None:
    """A score beyond what was measured says so."""
    edge = calibration(with_field=True).measured_to
    assert not is_extrapolated(edge)
    assert is_extrapolated(Score(edge + 0.1))
    assert is_extrapolated(Score(calibration(with_field=False).measured_to + 0.1), with_field=False)


@pytest.mark.parametrize("fielded", [True, False])
def test_interval_holds_the_score_and_widens(*, fielded: bool) -> None:
    """The more seldom a score, the fewer comparisons speak for it; beyond them nothing bounds it above."""
    table = calibration(with_field=fielded)
    widths = []
    for score in np.arange(2.0, float(table.real_to), 4.0):
        low, high = score_interval(Score(score), with_field=fielded)
        assert high is not None
        assert low <= score <= high
        widths.append(high - low)
    assert np.all(np.diff(widths) > 0.0)
    assert widths[0] < 0.5
    assert score_interval(Score(table.measured_to + 1.0), with_field=fielded) == (table.measured_to, None)
