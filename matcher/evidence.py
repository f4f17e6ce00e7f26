"""What one alignment is worth: paired minutiae, shared region, agreement of the ridges.

Compiled steps, on minutiae as in `matcher.pairing`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.pairing import COS, SIN, WEIGHT, Floats, Pairs, X, Y
from matcher.parameters import (
    HULL_MARGIN,
    SCORE_PAIR_BASE,
    SCORE_RIDGE_BASE,
    SCORE_SQUARE_ANGLE,
    SCORE_SQUARE_PX,
)


@kernel
def pair_worth(laid: Floats, reference: Floats, i: int, j: int, table: Floats) -> float:
    """Worth of one pair: nearness in place and direction, times how similar the neighbourhoods are."""
    dx, dy = reference[X, j] - laid[X, i], reference[Y, j] - laid[Y, i]
    turn = 2.0 * (1.0 - (laid[COS, i] * reference[COS, j] + laid[SIN, i] * reference[SIN, j]))
    near = math.exp(-(dx * dx + dy * dy) / SCORE_SQUARE_PX - max(turn, 0.0) / SCORE_SQUARE_ANGLE)
    return float(near * (SCORE_PAIR_BASE + max(table[i, j], 0.0)))


@kernel
def worth_of_pairs(laid: Floats, reference: Floats, pairs: Pairs, table: Floats) -> float:
    """Sum of the pairs' worth."""
    total = 0.0
    for t in range(len(pairs)):
        total += pair_worth(laid, reference, pairs[t, 0], pairs[t, 1], table)
    return total


@kernel
def common_weights(
    there: Floats, back: Floats, pairs: Pairs, probe_hull: Floats, reference_hull: Floats
) -> tuple[float, float]:
    """Weight of each print's minutiae in the region that both show.

    there: the probe's, moved onto the reference; back: the reference's, moved onto the probe.
    """
    own = weight_inside(there, pairs[:, 0], reference_hull)
    return own, weight_inside(back, pairs[:, 1], probe_hull)


@kernel
def share_of_pairs(probe: Floats, reference: Floats, pairs: Pairs, common: tuple[float, float]) -> float:
    """Share of the minutiae in the common region that are paired, 0-1, each minutia by its weight."""
    paired = 0.0
    for t in range(len(pairs)):
        paired += math.sqrt(probe[WEIGHT, pairs[t, 0]] * reference[WEIGHT, pairs[t, 1]])
    return paired / math.sqrt(common[0] * common[1]) if common[0] * common[1] > 0.0 else 0.0


@kernel
def weight_inside(moved: Floats, paired: NDArray[np.int32], hull: Floats) -> float:
    """Weight of moved minutiae that the other print could show too: paired, or inside its hull.

    A hull float32[3, h] holds each edge's outward normal and offset; inside is also what lies just outside.
    """
    count = moved.shape[1]
    x, y = moved[X], moved[Y]
    outside = np.full(count, -np.inf, np.float32)
    for edge in range(hull.shape[1]):
        across, along, offset = hull[0, edge], hull[1, edge], hull[2, edge]
        for i in range(count):
            away = across * x[i] + along * y[i] - offset
            outside[i] = max(outside[i], away)
    for t in range(len(paired)):
        outside[paired[t]] = -np.inf
    total = 0.0
    for i in range(count):
        total += moved[WEIGHT, i] if outside[i] <= HULL_MARGIN else 0.0
    return total


@kernel
def ridge_factor(agreement: float) -> float:
    """What the agreement of the ridges, -1 to 1, makes of the rest: 0 to 1.1."""
    return math.sqrt(max(0.0, SCORE_RIDGE_BASE + agreement))
