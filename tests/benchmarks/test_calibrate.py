"""What fits the numbers the matcher carries: the calibration and the projection."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibrate import calibrated, fit, synthetic
from benchmarks.train_projection import train
from matcher import descriptors


def test_claimed_rates_hold_on_fresh_comparisons() -> None:
    """Where it was measured, the table claims what other comparisons of the same kind show."""
    rng = np.random.default_rng(1)
    table = fit([rng.exponential(0.5, 30_000), rng.exponential(0.5, 60_000)])
    fresh = np.interp(rng.exponential(0.5, 400_000), table["raws"], table["scores"])
    for score in (10.0, 20.0, 30.0):
        assert np.mean(fresh >= score) == pytest.approx(10.0 ** (-score / 10.0), rel=0.35)


def test_every_set_weighs_the_same() -> None:
    """A large easy set does not hide a small hard one, and the effective number says what that costs."""
    rng = np.random.default_rng(2)
    table = fit([rng.exponential(0.1, 200_000), rng.exponential(0.5, 3_000)])
    hard = np.interp(rng.exponential(0.5, 200_000), table["raws"], table["scores"])
    assert np.mean(hard >= 20.0) == pytest.approx(0.02, rel=0.3)
    assert table["effective_comparisons"] < 12_100
    assert table["measured_to"] == pytest.approx(-10.0 * np.log10(3.0 / 11_800), abs=0.2)


def test_beyond_what_was_measured_scores_rise_ever_slower() -> None:
    """The extrapolation is a power law, straight in the logarithm of the raw score."""
    table = fit([np.random.default_rng(3).exponential(0.5, 50_000)])
    raws, scores = np.array(table["raws"]), np.array(table["scores"])
    beyond = scores > table["measured_to"]
    slopes = np.diff(scores[beyond]) / np.diff(raws[beyond])
    assert beyond.sum() > 10
    assert np.all(slopes > 0.0)
    assert np.all(np.diff(slopes) < 1e-6)


def test_too_few_comparisons_are_refused() -> None:
    """A table needs at least two and a half measured decades."""
    with pytest.raises(ValueError, match="too few"):
        fit([np.random.default_rng(4).exponential(0.5, 500)])


def test_synthetic_people_calibrate() -> None:
    """Both tables come out of templates, with rising knots."""
    tables = calibrated([synthetic(people=50)])
    for table in tables.values():
        assert table["comparisons"] == 50 * 49 // 2
        assert np.all(np.diff(table["raws"]) > 0.0)
        assert np.all(np.diff(table["scores"]) > 0.0)


def test_training_finds_the_committed_directions() -> None:
    """A tenth of the people already gives nearly the committed mean and main directions."""
    mean, projection = train(people=20)
    committed_mean, committed = descriptors._projection()
    assert np.corrcoef(mean.ravel(), committed_mean.ravel())[0, 1] > 0.99
    directions = np.linalg.qr(projection[:, :10].astype(np.float64))[0]
    main = committed[:, :4] / np.linalg.norm(committed[:, :4], axis=0)
    assert np.all(np.linalg.norm(directions.T @ main, axis=0) > 0.95)
