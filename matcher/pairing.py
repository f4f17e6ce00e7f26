"""Mutually consistent minutia pairs of two prints: similarity, candidates, compatibility, relaxation.

Compiled steps. A print's minutiae are float32[5, n]: rows X, Y (px, y up), COS, SIN (of the direction) and
WEIGHT (0-1), as `matcher.prepared` makes them. A pair is (probe minutia, reference minutia).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.descriptors import STEPS
from matcher.parameters import (
    COMPATIBLE_ANGLE,
    COMPATIBLE_PX,
    COMPATIBLE_STRETCH,
    PAIRS_A_MINUTIA,
    PAIRS_APART_PX,
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

_ANGLE_SLOPE = 1.0 / (1.0 - math.cos(COMPATIBLE_ANGLE))
_SLOPE = np.float32(_ANGLE_SLOPE)
#: A step of one descriptor times a step of another.
_ONE = np.float32(1.0 / (STEPS * STEPS))

#: The largest product, in multiplications, that OpenBLAS surely does in the thread that asks (it shares one
#: out from 65,536 times 4 on).
SERIAL_PRODUCT: Final = 262_144


@kernel
def similarities(probe: Floats, reference: Floats) -> Floats:
    """Cosine similarity of every minutia with every other: float32[n, m] from descriptors [n, D], [m, D].

    Sums of products of whole numbers, exact in whatever order they are added; equal ones stay equal. The
    product is BLAS's, some rows at a time: larger ones it would share among threads of its own, which wait
    for each other when several comparisons run at once.
    """
    table = np.zeros((len(probe), len(reference)), np.float32)
    if table.size == 0:
        return table
    across = reference.T
    rows = max(1, SERIAL_PRODUCT // reference.size)
    for first in range(0, len(probe), rows):
        np.dot(probe[first : first + rows], across, table[first : first + rows])
    for i in range(len(table)):
        for j in range(len(reference)):
            table[i, j] *= _ONE
    return table


@kernel
def strongest_pairs(table: Floats) -> Pairs:
    """The most similar pairs, best first: int32[k, 2]; only a few for each probe minutia."""
    strengths = np.empty(PAIRS_KEPT, np.float32)
    pairs = np.empty((PAIRS_KEPT, 2), np.int32)
    best = np.empty(PAIRS_A_MINUTIA, np.int64)
    size = 0
    for i in range(len(table)):
        # What does not pass the last of a full list need not be looked at.
        least = strengths[size - 1] if size == PAIRS_KEPT else np.float32(0.0)
        found = best_of_row(table[i], least, best)
        for rank in range(found):
            value = table[i, best[rank]]
            if size == PAIRS_KEPT and value <= strengths[size - 1]:
                break
            size = min(size + 1, PAIRS_KEPT)
            slot = size - 1
            while slot > 0 and strengths[slot - 1] < value:
                strengths[slot] = strengths[slot - 1]
                pairs[slot, 0] = pairs[slot - 1, 0]
                pairs[slot, 1] = pairs[slot - 1, 1]
                slot -= 1
            strengths[slot] = value
            pairs[slot, 0] = i
            pairs[slot, 1] = best[rank]
    return pairs[:size]


@kernel
def best_of_row(row: Floats, floor: np.floating, best: NDArray[np.int64]) -> int:
    """Fill `best` with the columns of the largest values above `floor`, falling; return how many."""
    found = 0
    for j in range(len(row)):
        value = row[j]
        if value <= floor:
            continue
        found = min(found + 1, len(best))
        slot = found - 1
        while slot > 0 and row[best[slot - 1]] < value:
            best[slot] = best[slot - 1]
            slot -= 1
        best[slot] = j
        if found == len(best):
            floor = row[best[found - 1]]
    return found


@kernel
def compatibilities(probe: Floats, reference: Floats, pairs: Pairs) -> Floats:
    """How well every two pairs fit one rigid motion: float32[k, k] in [0, 1], symmetric, diagonal 0."""
    count = len(pairs)
    table = np.zeros((count, count), np.float32)
    places = np.empty((count, 6), np.float32)
    for t in range(count):
        i, j = pairs[t, 0], pairs[t, 1]
        places[t, 0], places[t, 1] = probe[X, i], probe[Y, i]
        places[t, 2], places[t, 3] = reference[X, j], reference[Y, j]
        places[t, 4] = reference[COS, j] * probe[COS, i] + reference[SIN, j] * probe[SIN, i]
        places[t, 5] = reference[SIN, j] * probe[COS, i] - reference[COS, j] * probe[SIN, i]
    turns = np.ascontiguousarray(places[:, 4:].T)
    twists = np.empty(count, np.float32)
    for t in range(count):
        # Most pairs of pairs turn too differently: that is seen for a whole row at once.
        cos, sin = turns[0, t], turns[1, t]
        for s in range(t):
            twists[s] = np.float32(1.0) - (np.float32(1.0) - (cos * turns[0, s] + sin * turns[1, s])) * _SLOPE
        for s in range(t):
            if twists[s] > np.float32(0.0):
                fit = compatibility(places, t, s, twists[s])
                table[t, s] = fit
                table[s, t] = fit
    return table


@kernel
def compatibility(places: Floats, one: int, two: int, fit_twist: float) -> float:
    """Fit of two rows of (x, y) in the probe, (x, y) in the reference, cos and sin of the pair's turn.

    Product of three falling parabolas: the pairs' turns agree (`fit_twist`); their distances agree, but for
    stretch; the line from one to the other turns as they do. 0 for pairs that share a minutia or stand too
    close.
    """
    cos, sin, other_cos, other_sin = places[one, 4], places[one, 5], places[two, 4], places[two, 5]
    ax, ay = places[two, 0] - places[one, 0], places[two, 1] - places[one, 1]
    bx, by = places[two, 2] - places[one, 2], places[two, 3] - places[one, 3]
    a, b = math.sqrt(ax * ax + ay * ay), math.sqrt(bx * bx + by * by)
    gap = (a - b) / (COMPATIBLE_PX + COMPATIBLE_STRETCH * 0.5 * (a + b))
    fit_length = 1.0 - gap * gap
    if fit_length <= 0.0 or min(a, b) < PAIRS_APART_PX:
        return 0.0
    dot, cross = ax * bx + ay * by, ax * by - ay * bx
    lean = min(dot * cos + cross * sin, dot * other_cos + cross * other_sin) / (a * b)
    fit_lean = 1.0 - (1.0 - lean) * _ANGLE_SLOPE
    return float(max(0.0, fit_twist * fit_length * fit_lean))


@kernel
def relax(table: Floats, pairs: Pairs, compatible: Floats) -> Floats:
    """Belief in each candidate pair, float32[k]: its similarity, reinforced by the pairs that fit it.

    MCC's local similarity sort with relaxation, on `RELAXATION_ROUNDS` rounds.
    """
    count = len(pairs)
    belief = np.empty(count, np.float32)
    following = np.empty(count, np.float32)
    for t in range(count):
        belief[t] = table[pairs[t, 0], pairs[t, 1]]
    share = np.float32((1.0 - RELAXATION_INERTIA) / max(count - 1, 1))
    for _ in range(RELAXATION_ROUNDS):
        for t in range(count):
            following[t] = np.float32(RELAXATION_INERTIA) * belief[t]
        for s in range(count):
            value = belief[s] * share
            row = compatible[s]
            for t in range(count):
                following[t] += row[t] * value
        for t in range(count):
            belief[t] = following[t]
    return belief


@kernel
def next_seed(belief: Floats, compatible: Floats, taken: Floats, support: Floats) -> float:
    """Choose the most believed pair that no earlier seed explains; weigh all pairs by how they fit it.

    Fills `support` float32[k], updates `taken` float32[k] (0-1), returns the support's sum.
    """
    seed = 0
    for t in range(len(belief)):
        if belief[t] * (1.0 - taken[t]) > belief[seed] * (1.0 - taken[seed]):
            seed = t
    total = 0.0
    left = 1.0 - taken[seed] if len(taken) > 0 else 0.0
    for t in range(len(belief)):
        fit = np.float32(1.0) if t == seed else compatible[seed, t]
        support[t] = belief[t] * fit * left
        total += support[t]
        taken[t] = max(taken[t], fit)
    return total
