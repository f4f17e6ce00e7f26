"""Compiled loops that judge one alignment: paired minutiae, overlap, agreement of the ridges."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.kernels_pairing import COS, SIN, WEIGHT, X, Y
from matcher.parameters import (
    HULL_MARGIN,
    SCORE_PAIR_BASE,
    SCORE_SQUARE_ANGLE,
    SCORE_SQUARE_PX,
)
from matcher.template import CELL_PX

Floats = NDArray[np.float32]
Pairs = NDArray[np.int32]
Cells = NDArray[np.uint8]

#: Rows of a print's field: ridge orientation (256 steps for π), and its coherence (0 = background).
ORIENTATION: Final = 0
COHERENCE: Final = 1

#: cos(2Δ) by difference of two orientations.
_AGREEMENT = np.cos(np.arange(256) * (2.0 * math.pi / 256.0)).astype(np.float32)


@kernel
def pair_sum(probe: Floats, reference: Floats, pairs: Pairs, table: Floats) -> float:
    """Worth of the paired minutiae: nearness in place and direction, and similar neighbourhoods."""
    total = 0.0
    for t in range(len(pairs)):
        i, j = pairs[t]
        dx, dy = reference[X, j] - probe[X, i], reference[Y, j] - probe[Y, i]
        turn = 2.0 * (1.0 - (probe[COS, i] * reference[COS, j] + probe[SIN, i] * reference[SIN, j]))
        near = math.exp(-(dx * dx + dy * dy) / SCORE_SQUARE_PX - turn / SCORE_SQUARE_ANGLE)
        total += near * (SCORE_PAIR_BASE + max(table[i, j], 0.0))
    return total


@kernel
def within_field(x: float, y: float, cells: Cells) -> bool:
    """Whether a place (y up) lies on the print's foreground."""
    row = int(math.floor(-y / CELL_PX))
    column = int(math.floor(x / CELL_PX))
    if row < 0 or column < 0 or row >= cells.shape[1] or column >= cells.shape[2]:
        return False
    return cells[COHERENCE, row, column] > 0


@kernel
def within_hull(x: float, y: float, hull: Floats) -> bool:
    """Whether a place lies within the convex hull float32[3, h] (outward normals and offsets), plus a margin."""
    for edge in range(hull.shape[1]):
        if hull[0, edge] * x + hull[1, edge] * y > hull[2, edge] + HULL_MARGIN:
            return False
    return True


@kernel
def shared_minutiae(
    probe: Floats, pairs: Pairs, side: int, motion: NDArray[np.float64], cells: Cells, hull: Floats
) -> float:
    """Weight of the minutiae of one print that the other could show too: paired, or moved inside it.

    `side` 0: the probe, with its motion; 1: the reference, with the inverse motion.
    """
    count = probe.shape[1]
    paired = np.zeros(count, np.bool_)
    for t in range(len(pairs)):
        paired[pairs[t, side]] = True
    total = 0.0
    for i in range(count):
        if not paired[i]:
            x = motion[0] * probe[X, i] - motion[1] * probe[Y, i] + motion[2]
            y = motion[1] * probe[X, i] + motion[0] * probe[Y, i] + motion[3]
            if cells.shape[1] > 0:
                if not within_field(x, y, cells):
                    continue
            elif not within_hull(x, y, hull):
                continue
        total += probe[WEIGHT, i]
    return total


@kernel
def ridge_agreement(probe: Cells, reference: Cells, motion: NDArray[np.float64]) -> float:
    """Coherence-weighted mean of cos 2Δ between the two orientation fields where they overlap, -1 to 1."""
    steps = int(round(math.atan2(motion[1], motion[0]) * 256.0 / math.pi))
    agreement = weight = 0.0
    for r in range(probe.shape[1]):
        for c in range(probe.shape[2]):
            own = probe[COHERENCE, r, c]
            if own == 0:
                continue
            px, py = (c + 0.5) * CELL_PX, -(r + 0.5) * CELL_PX
            x = (motion[0] * px - motion[1] * py + motion[2]) / CELL_PX
            y = -(motion[1] * px + motion[0] * py + motion[3]) / CELL_PX
            if x < 0.0 or y < 0.0 or x >= reference.shape[2] or y >= reference.shape[1]:
                continue
            row, column = int(y), int(x)
            other = reference[COHERENCE, row, column]
            if other == 0:
                continue
            w = float(own) * float(other)
            turned = int(probe[ORIENTATION, r, c]) + steps - int(reference[ORIENTATION, row, column])
            agreement += w * _AGREEMENT[turned & 255]
            weight += w
    return agreement / weight if weight > 0.0 else 0.0
