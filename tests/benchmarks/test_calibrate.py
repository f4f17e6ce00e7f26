"""What fits the numbers that the calibration carries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import tail
from benchmarks.calibrate import Tail, calibrated, claims, fit, synthetic
from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.comparison import prepare, raw_many


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


def exponential_tail(comparisons: int) -> Tail:
    """What very many comparisons would leave whose raw scores are 0.8 times those of the real ones."""
    raws = np.linspace(0.01, 0.4 * np.log(comparisons), 400)
    return Tail(raws, np.exp(-raws / 0.4), comparisons)


def test_the_tail_carries_the_curve_on() -> None:
    """A tail of one shape and another scale reaches as far as its comparisons, and claims what is true."""
    rng = np.random.default_rng(5)
    table = fit([rng.exponential(0.5, 200_000)], exponential_tail(100_000_000))
    assert table["measured_to"] == pytest.approx(-10.0 * np.log10(3e-8), abs=0.1)
    assert table["real_to"] < 50.0
    assert table["stretch"] == pytest.approx(1.25, rel=0.05)
    for score in (50.0, 60.0, 70.0):
        truth = 0.5 * np.log(10.0) * score / 10.0
        assert np.interp(truth, table["raws"], table["scores"]) == pytest.approx(score, rel=0.06)
    assert np.all(np.diff(table["raws"]) > 0.0)
    assert np.all(np.diff(table["scores"]) > 0.0)


def test_claims_are_checked_on_sets_left_out() -> None:
    """A set that scores higher than all others exceeds what they claim; all of one kind meet it."""
    rng = np.random.default_rng(6)
    same = {f"set {k}": rng.exponential(0.5, 100_000) for k in range(4)}
    assert claims(same)["all sets"] == pytest.approx([1.0, 1.0, 1.0], abs=0.35)
    higher = claims({**same, "other": rng.exponential(0.8, 100_000)})
    assert higher["other"][0] > 3.0


def test_counting_a_tail_carries_on(tmp_path: Path) -> None:
    """Every pair of people is counted once; an interrupted run ends as if it had not been."""
    whole = tail.gather(tmp_path / "whole.json", 60, processes=1)
    assert whole["comparisons"] == 60 * 59 // 2
    begun = {**whole, "blocks": [1], "counts": tail.counts_of(1, 60).tolist()}
    (tmp_path / "begun.json").write_text(json.dumps(begun))
    again = tail.gather(tmp_path / "begun.json", 60, processes=1)
    assert again["counts"] == whole["counts"]
    (tmp_path / "begun.json").write_text(json.dumps({**begun, "made_by": "another matcher"}))
    assert tail.gather(tmp_path / "begun.json", 60, processes=1)["counts"] == whole["counts"]
    raws, reached = tail.survival(whole)
    assert np.all(np.diff(raws) > 0.0)
    assert np.all(np.diff(reached) <= 0.0)
    prints = [prepare(person(tail.SEED, n).capture(FINGERS[n % 10])) for n in range(60)]
    least = raws[len(raws) // 2]
    scores = np.concatenate([raw_many(prints[n], prints[n + 1 :]) for n in range(59)])
    assert reached[len(raws) // 2] == pytest.approx(np.mean(scores >= least))
