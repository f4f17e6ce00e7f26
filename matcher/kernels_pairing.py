"""Compiled loops that find mutually consistent minutia pairs: similarity, candidates, relaxation.

A print is float32[5, n]: rows X, Y (px, y up), COS, SIN (direction), WEIGHT; see `PreparedTemplate`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.parameters import (
    COMPATIBLE_ANGLE,
    COMPATIBLE_PX,
    COMPATIBLE_STRETCH,
    PAIRS_A_MINUTIA,
    PAIRS_KEPT,
    RELAXATION_INERTIA,
    RELAXATION_ROUNDS,
)

Floats = NDArray[np.float32]
Pairs = NDArray[np.int32]

X: Final = 0
Y: Final = 1
COS: Final = 2
SIN: Final = 3
WEIGHT: Final = 4

_F0 = np.float32(0.0)
_F1 = np.float32(1.0)
_COS_TOLERANCE = np.float32(1.0 / (1.0 - math.cos(COMPATIBLE_ANGLE)))


@kernel
def similarities(probe: Floats, reference: Floats) -> Floats:
    """Cosine similarity of every minutia with every other: float32[n, m] from columns [D, n], [D, m]."""
    depth, rows = probe.shape
    columns = reference.shape[1]
    table = np.zeros((rows, columns), np.float32)
    for i in range(rows):
        row = table[i]
        for d in range(0, depth, 4):
            a0, a1, a2, a3 = probe[d, i], probe[d + 1, i], probe[d + 2, i], probe[d + 3, i]
            b0, b1, b2, b3 = reference[d], reference[d + 1], reference[d + 2], reference[d + 3]
            for j in range(columns):
                row[j] += (a0 * b0[j] + a1 * b1[j]) + (a2 * b2[j] + a3 * b3[j])
    return table


@kernel
def strongest_pairs(table: Floats) -> Pairs:
    """The most similar pairs, best first: int32[k, 2], at most a few for each probe minutia."""
    rows, columns = table.shape
    kept = np.empty(PAIRS_KEPT, np.float32)
    pairs = np.empty((PAIRS_KEPT, 2), np.int32)
    size = 0
    best = np.empty(PAIRS_A_MINUTIA, np.int64)
    for i in range(rows):
        found = 0
        for j in range(columns):
            value = table[i, j]
            if value <= 0.0 or (found == PAIRS_A_MINUTIA and value <= table[i, best[found - 1]]):
                continue
            if found < PAIRS_A_MINUTIA:
                found += 1
            slot = found - 1
            while slot > 0 and table[i, best[slot - 1]] < value:
                best[slot] = best[slot - 1]
                slot -= 1
            best[slot] = j
        for rank in range(found):
            value = table[i, best[rank]]
            if size == PAIRS_KEPT and value <= kept[size - 1]:
                break
            if size < PAIRS_KEPT:
                size += 1
            slot = size - 1
            while slot > 0 and kept[slot - 1] < value:
                kept[slot] = kept[slot - 1]
                pairs[slot] = pairs[slot - 1]
                slot -= 1
            kept[slot] = value
            pairs[slot, 0] = i
            pairs[slot, 1] = best[rank]
    return pairs[:size]


@kernel
def compatibilities(probe: Floats, reference: Floats, pairs: Pairs) -> Floats:
    """How well every two pairs fit one rigid motion: float32[k, k] in [0, 1], 0 on the diagonal.

    Compares lengths (with stretch), turns of the two minutiae, and turn of the line between them.
    """
    count = len(pairs)
    gathered = np.empty((6, count), np.float32)
    for t in range(count):
        i, j = pairs[t]
        gathered[0, t], gathered[1, t] = probe[X, i], probe[Y, i]
        gathered[2, t], gathered[3, t] = reference[X, j], reference[Y, j]
        gathered[4, t] = reference[COS, j] * probe[COS, i] + reference[SIN, j] * probe[SIN, i]
        gathered[5, t] = reference[SIN, j] * probe[COS, i] - reference[COS, j] * probe[SIN, i]
    px, py, qx, qy, turn_cos, turn_sin = gathered
    table = np.zeros((count, count), np.float32)
    for t in range(count):
        row = table[t]
        for s in range(count):
            ax, ay = px[s] - px[t], py[s] - py[t]
            bx, by = qx[s] - qx[t], qy[s] - qy[t]
            a = np.sqrt(ax * ax + ay * ay)
            b = np.sqrt(bx * bx + by * by)
            gap = abs(a - b) / (np.float32(COMPATIBLE_PX) + np.float32(COMPATIBLE_STRETCH) * (a + b) * np.float32(0.5))
            # cos of the difference between the two minutiae's turns, ...
            twist = turn_cos[s] * turn_cos[t] + turn_sin[s] * turn_sin[t]
            # ... and of the difference between the line's turn and each minutia's turn.
            scale = _F1 / max(a * b, np.float32(1e-3))
            line_cos = (ax * bx + ay * by) * scale
            line_sin = (ax * by - ay * bx) * scale
            lean = min(
                line_cos * turn_cos[t] + line_sin * turn_sin[t], line_cos * turn_cos[s] + line_sin * turn_sin[s]
            )
            fit_length = max(_F0, _F1 - gap * gap)
            fit_twist = max(_F0, _F1 - (_F1 - twist) * _COS_TOLERANCE)
            fit_lean = max(_F0, _F1 - (_F1 - lean) * _COS_TOLERANCE)
            apart = min(_F1, a * b * np.float32(1.0 / 64.0))
            row[s] = fit_length * fit_twist * fit_lean * apart
        for s in range(count):
            if pairs[s, 0] == pairs[t, 0] or pairs[s, 1] == pairs[t, 1]:
                row[s] = _F0
    return table


@kernel
def relax(table: Floats, pairs: Pairs, compatible: Floats) -> Floats:
    """Belief in each candidate pair, float32[k]: its similarity, reinforced by pairs that fit it."""
    count = len(pairs)
    belief = np.empty(count, np.float32)
    for t in range(count):
        belief[t] = table[pairs[t, 0], pairs[t, 1]]
    following = np.empty(count, np.float32)
    share = np.float32((1.0 - RELAXATION_INERTIA) / max(count - 1, 1))
    for _ in range(RELAXATION_ROUNDS):
        for t in range(count):
            following[t] = _F0
        for s in range(count):
            value = belief[s] * share
            row = compatible[s]
            for t in range(count):
                following[t] += row[t] * value
        for t in range(count):
            belief[t] = np.float32(RELAXATION_INERTIA) * belief[t] + following[t]
    return belief
