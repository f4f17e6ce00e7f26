"""What one alignment is worth: paired minutiae, shared region, agreement of the ridges.

Compiled steps, on minutiae as in `matcher.pairing` and motions as in `matcher.alignment`. A print's cells are
uint8[2, rows, cols]: ORIENTATION (256 steps for π) and COHERENCE (0 = background); [2, 0, 0] without a field.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.alignment import Motion, inverse
from matcher.compiled import kernel
from matcher.pairing import COS, SIN, WEIGHT, Floats, Pairs, X, Y
from matcher.parameters import (
    HULL_MARGIN,
    SCORE_PAIR_BASE,
    SCORE_RIDGE_BASE,
    SCORE_SQUARE_ANGLE,
    SCORE_SQUARE_PX,
)
from matcher.template import CELL_PX

Cells = NDArray[np.uint8]

ORIENTATION: Final = 0
COHERENCE: Final = 1

#: cos 2Δ by difference of two orientations.
_AGREEMENT = np.cos(np.arange(256) * (2.0 * math.pi / 256.0)).astype(np.float32)


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
    probe: Floats, reference: Floats, pairs: Pairs, motion: Motion, probe_hull: Floats, reference_hull: Floats
) -> tuple[float, float]:
    """Weight of each print's minutiae in the region that both show."""
    own = weight_inside(probe, pairs[:, 0], motion, reference_hull)
    return own, weight_inside(reference, pairs[:, 1], inverse(motion), probe_hull)


@kernel
def share_of_pairs(probe: Floats, reference: Floats, pairs: Pairs, common: tuple[float, float]) -> float:
    """Share of the minutiae in the common region that are paired, 0-1, each minutia by its weight."""
    paired = 0.0
    for t in range(len(pairs)):
        paired += math.sqrt(probe[WEIGHT, pairs[t, 0]] * reference[WEIGHT, pairs[t, 1]])
    return paired / math.sqrt(common[0] * common[1]) if common[0] * common[1] > 0.0 else 0.0


@kernel
def weight_inside(minutiae: Floats, paired: NDArray[np.int32], motion: Motion, hull: Floats) -> float:
    """Weight of the minutiae that the other print could show too: paired, or inside its hull once moved."""
    inside = np.zeros(minutiae.shape[1], np.bool_)
    for t in range(len(paired)):
        inside[paired[t]] = True
    total = 0.0
    for i in range(minutiae.shape[1]):
        if not inside[i]:
            x = motion[0] * minutiae[X, i] - motion[1] * minutiae[Y, i] + motion[2]
            y = motion[1] * minutiae[X, i] + motion[0] * minutiae[Y, i] + motion[3]
            inside[i] = within_hull(x, y, hull)
        if inside[i]:
            total += minutiae[WEIGHT, i]
    return total


@kernel
def within_hull(x: float, y: float, hull: Floats) -> bool:
    """Whether a place lies in, or just outside, a hull float32[3, h]: each edge's outward normal, offset."""
    for edge in range(hull.shape[1]):
        if hull[0, edge] * x + hull[1, edge] * y > hull[2, edge] + HULL_MARGIN:
            return False
    return True


@kernel
def ridge_factor(probe: Cells, reference: Cells, motion: Motion) -> float:
    """What the agreement of the ridges makes of the rest: 0 to 1.1; 1 where a field is missing."""
    if probe.shape[1] == 0 or reference.shape[1] == 0:
        return 1.0
    return math.sqrt(max(0.0, SCORE_RIDGE_BASE + ridge_agreement(probe, reference, motion)))


@kernel
def ridge_agreement(probe: Cells, reference: Cells, motion: Motion) -> float:
    """Coherence-weighted mean of cos 2Δ between the orientation fields where they overlap: -1 to 1."""
    steps = round(math.atan2(motion[1], motion[0]) * 256.0 / math.pi)
    agreement = total = 0.0
    for row in range(probe.shape[1]):
        for column in range(probe.shape[2]):
            coherence = probe[COHERENCE, row, column]
            if coherence == 0:
                continue
            px, py = (column + 0.5) * CELL_PX, -(row + 0.5) * CELL_PX
            x = (motion[0] * px - motion[1] * py + motion[2]) / CELL_PX
            y = -(motion[1] * px + motion[0] * py + motion[3]) / CELL_PX
            if x < 0.0 or y < 0.0 or x >= reference.shape[2] or y >= reference.shape[1]:
                continue
            there = int(y), int(x)
            weight = float(coherence) * float(reference[COHERENCE, there[0], there[1]])
            turned = (
                int(probe[ORIENTATION, row, column]) + steps - int(reference[ORIENTATION, there[0], there[1]])
            )
            agreement += weight * _AGREEMENT[turned & 255]
            total += weight
    return agreement / total if total > 0.0 else 0.0
