"""The unit of every score: −10·log10 of the false match rate at which it would be the threshold.

A score of 40 is reached by one non-mated comparison in 10,000. The table behind it is fitted by
`benchmarks/calibrate.py` on non-mated comparisons and holds numbers only, `calibration.json`; see
`calibration.md`. Prints without a ridge field are judged on less, so they have a table of their own.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NewType

import numpy as np
from numpy.typing import NDArray

#: −10·log10(FMR), 0 or more; higher is closer.
Score = NewType("Score", float)
#: Standard deviations of a 95 % interval.
_Z_95: Final = 1.96


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rising, piecewise linear table from raw scores to scores.

    raws, scores:  its knots; below the first it gives 0, above the last it stays.
    measured_to:   the last score supported by comparisons: FMR = 3/n, n their number.
    real_to:       the last one supported by comparisons of real prints; from there on by synthetic ones.
    comparisons:   non-mated comparisons behind the table, the synthetic tail's not counted.
    """

    raws: tuple[float, ...]
    scores: tuple[float, ...]
    measured_to: Score
    real_to: Score
    comparisons: int

    def __call__(self, raw: float) -> Score:
        """The score of one raw score."""
        above = bisect_right(self.raws, raw)
        if above == 0:
            return Score(self.scores[0])
        if above == len(self.raws):
            return Score(self.scores[-1])
        low, high = self.raws[above - 1], self.raws[above]
        share = (raw - low) / (high - low)
        return Score(self.scores[above - 1] + share * (self.scores[above] - self.scores[above - 1]))


def calibrate(raw: float, *, with_field: bool) -> Score:
    """The score of a raw score of two prints that both have (or do not both have) a ridge field."""
    return calibration(with_field=with_field)(raw)


def calibrate_many(raws: NDArray[np.float64], *, with_field: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Scores of many raw scores, float32[k]; `with_field` bool[k] as for `calibrate`."""
    scores = np.empty(len(raws), np.float32)
    for fielded in (False, True):
        table, chosen = calibration(with_field=fielded), with_field == fielded
        scores[chosen] = np.interp(raws[chosen], table.raws, table.scores)
    return scores


def fmr_of(score: Score) -> float:
    """The false match rate a threshold at this score would have."""
    return float(10.0 ** (-score / 10.0))


def score_of_fmr(fmr: float) -> Score:
    """The threshold for a false match rate in (0, 1]."""
    return Score(-10.0 * float(np.log10(fmr)))


def is_extrapolated(score: Score, *, with_field: bool = True) -> bool:
    """Whether a score lies beyond what the comparisons behind the table can support."""
    return score > calibration(with_field=with_field).measured_to


def score_interval(score: Score, *, with_field: bool = True) -> tuple[float, float | None]:
    """Scores between which a score lies with 95 % confidence, given the comparisons its table rests on.

    With n comparisons a false match rate f means f·n of them at or above; the interval is Wilson's (JASA 22,
    1927) for that share. Beyond `measured_to` it has no upper end: None. It speaks of the number of
    comparisons alone: sensors and people differ from set to set by more (`calibration.md`).
    """
    table = calibration(with_field=with_field)
    if score > table.measured_to:
        return float(table.measured_to), None
    rate = fmr_of(score)
    # Three comparisons support the last score of each range: that is what `real_to` and `measured_to` mean.
    count = 3.0 / fmr_of(table.real_to if score <= table.real_to else table.measured_to)
    square = _Z_95 * _Z_95 / count
    middle = rate + square / 2.0
    half = _Z_95 * math.sqrt(rate * (1.0 - rate) / count + square / (4.0 * count))
    low, high = (middle - half) / (1.0 + square), (middle + half) / (1.0 + square)
    return max(0.0, float(score_of_fmr(high))), float(score_of_fmr(low)) if low > 0.0 else None


@cache
def calibration(*, with_field: bool) -> Calibration:
    """The committed table for prints with, or without, ridge fields."""
    stored: dict[str, Any] = json.loads(Path(__file__).with_name("calibration.json").read_text("utf-8"))
    table = stored["with_field" if with_field else "without_field"]
    return Calibration(
        raws=tuple(table["raws"]),
        scores=tuple(table["scores"]),
        measured_to=Score(table["measured_to"]),
        real_to=Score(table["real_to"]),
        comparisons=table["comparisons"],
    )
