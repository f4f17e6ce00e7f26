"""What one comparison measured, as a row of numbers, and the factor learned from them.

The raw score is worth · share · ridges · trust. The first three stand in `matcher.evidence`; trust is what
the other circumstances make of them: twenty paired minutiae mean less when a hundred were there to choose
from, more when they spread over the whole common region. `benchmarks/train_trust.py` fits it, on synthetic
people only; `trust.json` holds the numbers, `trust.md` is their card.
"""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.pairing import COS, KIND, SIN, Floats, Pairs, X, Y
from matcher.ridge_fields import Meeting

Measures = NDArray[np.float64]

#: What each number is, in order. Counts and sums are taken as logarithms.
NAMES: Final = (
    "share of minutiae paired",
    "pairs",
    "similarity of paired neighbourhoods",
    "residual distance of pairs",
    "residual turn of pairs",
    "weight in the common region, smaller print",
    "weight in the common region, larger print",
    "common cells of the ridge fields",
    "share of the smaller field that is common",
    "spread of the pairs",
    "minutiae, smaller print",
    "minutiae, larger print",
    "kinds of paired minutiae",
    "agreement of the ridges",
    "strain of the skin",
)
COUNT: Final = len(NAMES)
SHARE, PAIRS, SIMILARITY, DISTANCE, TURN, OWN, OTHER, CELLS, COMMON, SPREAD, FEWER, MORE = range(12)
KINDS, RIDGES, STRAIN = range(12, COUNT)

#: Rows of a trust table: the middle and scale of each measure, and its weight.
MIDDLE: Final = 0
SCALE: Final = 1
SLOPE: Final = 2
#: A measure further from its middle, in scales, says no more: no print of the training lay there.
FURTHEST: Final = 3.0
#: Paired minutiae between whose distances, px, the strain of the skin is looked at.
NEIGHBOURS_FROM: Final = 10.0
NEIGHBOURS_TO: Final = 80.0
#: Trust lies between exp(-REACH) and exp(REACH), about 0.4 and 2.5: it shades the evidence, it makes none.
REACH: Final = 0.9


@kernel
def measure_pairs(laid: Floats, reference: Floats, pairs: Pairs, table: Floats, measures: Measures) -> None:
    """Fill in what the pairs, laid over each other, say: number, likeness, residuals, spread, kinds.

    Of the kinds, the logarithm of how much likelier they are of one finger than of two: for two minutiae
    read with correlations a and b, 1 + ab, if endings and bifurcations are equally many.
    """
    count = len(pairs)
    likeness = apart = turned = x = y = square = kinds = 0.0
    for t in range(count):
        i, j = pairs[t, 0], pairs[t, 1]
        likeness += max(0.0, table[i, j])
        dx, dy = reference[X, j] - laid[X, i], reference[Y, j] - laid[Y, i]
        apart += dx * dx + dy * dy
        turned += 1.0 - (laid[COS, i] * reference[COS, j] + laid[SIN, i] * reference[SIN, j])
        kinds += math.log(1.0 + laid[KIND, i] * reference[KIND, j])
        x, y = x + reference[X, j], y + reference[Y, j]
        square += reference[X, j] * reference[X, j] + reference[Y, j] * reference[Y, j]
    some = max(count, 1)
    measures[PAIRS] = math.log(count + 1.0)
    measures[SIMILARITY] = math.log(likeness + 0.1)
    measures[DISTANCE] = math.sqrt(apart / some)
    measures[TURN] = math.sqrt(max(turned, 0.0) / some)
    measures[KINDS] = kinds
    measures[SPREAD] = math.sqrt(max(square - (x * x + y * y) / some, 0.0) / some) / 50.0
    measures[FEWER] = math.log(min(laid.shape[1], reference.shape[1]) + 1.0)
    measures[MORE] = math.log(max(laid.shape[1], reference.shape[1]) + 1.0)


@kernel
def measure_strain(rigid: Floats, laid: Floats, pairs: Pairs, measures: Measures) -> None:
    """Fill in how much the skin between pairs must have given: what a motion alone does not explain.

    Root mean square, over neighbouring pairs, of how far unbending moved one against the other, as a share of
    their distance: some hundredths for skin, more where it made pairs of what does not belong together.
    """
    total, count = 0.0, 0
    for t in range(len(pairs)):
        i = pairs[t, 0]
        for s in range(t):
            k = pairs[s, 0]
            dx, dy = rigid[X, i] - rigid[X, k], rigid[Y, i] - rigid[Y, k]
            square = dx * dx + dy * dy
            if NEIGHBOURS_FROM * NEIGHBOURS_FROM < square < NEIGHBOURS_TO * NEIGHBOURS_TO:
                u, v = laid[X, i] - laid[X, k] - dx, laid[Y, i] - laid[Y, k] - dy
                total += (u * u + v * v) / square
                count += 1
    measures[STRAIN] = math.log(math.sqrt(total / max(count, 1)) + 0.02)


@kernel
def measure_region(share: float, weights: tuple[float, float], fields: Meeting, measures: Measures) -> None:
    """Fill in what the common region says; `weights` are those of both prints' minutiae in it."""
    measures[SHARE] = math.log(share + 0.02)
    measures[OWN] = math.log(weights[0] + 0.5)
    measures[OTHER] = math.log(weights[1] + 0.5)
    measures[CELLS] = math.log(fields.common + 1.0)
    measures[COMMON] = fields.common / max(min(fields.own, fields.other), 1)
    measures[RIDGES] = -math.log(1.03 - fields.agreement)


@kernel
def trust(measures: Measures, table: Measures) -> float:
    """The factor that a row of measures earns, with a trust table float64[3, COUNT]."""
    total = 0.0
    for m in range(COUNT):
        away = (measures[m] - table[MIDDLE, m]) / table[SCALE, m]
        total += table[SLOPE, m] * min(max(away, -FURTHEST), FURTHEST)
    return math.exp(REACH * math.tanh(total / REACH))


def contributions(measures: Measures, *, with_field: bool) -> dict[str, float]:
    """What each measure adds to the logarithm of the trust, before its bounds, by name: for examiners."""
    table = trust_table(with_field=with_field)
    away = np.clip((measures - table[MIDDLE]) / table[SCALE], -FURTHEST, FURTHEST)
    return dict(zip(NAMES, (table[SLOPE] * away).tolist(), strict=True))


@cache
def trust_table(*, with_field: bool) -> Measures:
    """The committed table, float64[3, COUNT], for prints with, or without, ridge fields."""
    stored: dict[str, Any] = json.loads(Path(__file__).with_name("trust.json").read_text("utf-8"))
    table = stored["with_field" if with_field else "without_field"]
    return np.array(
        [[table[row][name] for name in NAMES] for row in ("middle", "scale", "slope")], np.float64
    )
