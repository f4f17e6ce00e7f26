"""Mutually consistent minutia pairs of two prints: similarity, candidates, compatibility, relaxation.

Compiled steps. A print's minutiae are float32[ROWS, n]: rows X, Y (px, y up), COS, SIN (of the direction),
WEIGHT (0-1) and KIND (-1 to 1), as `matcher.prepared` makes them. A pair is (minutia of the probe, of the
reference).
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
KIND: Final = 5
ROWS: Final = 6

_SLOPE = np.float32(1.0 / (1.0 - math.cos(COMPATIBLE_ANGLE)))
_PX = np.float32(COMPATIBLE_PX)
_STRETCH = np.float32(COMPATIBLE_STRETCH * 0.5)
_APART = np.float32(PAIRS_APART_PX)
#: Keeps the product of two lengths from being 0.
_LEAST = np.float32(1e-12)
_0, _1 = np.float32(0.0), np.float32(1.0)
#: A step of one descriptor times a step of another.
_ONE = np.float32(1.0 / (STEPS * STEPS))

#: A pair in one number: its row in the bits from these on, its column, at most `LAST`, in those below.
ROW_BITS: Final = 8
LAST: Final = 255
#: A pair's key: its similarity in steps of 1/STEPS², then its row and column, each counted from `LAST` down.
_SQUARE = np.float32(STEPS * STEPS)
_STEP: Final = 65_536
_ABOVE_ALL = np.int32(2**31 - 1)

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
    table = np.empty((len(probe), len(reference)), np.float32)
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
    """The most similar pairs, best first: int32[k, 2]; only a few for each probe minutia, all above 0.

    Of equally similar ones the earlier minutiae's come first. A pair is held as one whole number, its key,
    that is larger the better it is: then the best is a maximum, and a pair's place in the list is the number
    of better ones. Both need no branches, which no processor could foresee here.
    """
    rows, columns = table.shape
    of_row = np.empty(columns, np.int32)
    keys = np.empty(PAIRS_A_MINUTIA * rows, np.int32)
    size = 0
    for i in range(rows):
        row = table[i]
        first = (LAST - i << ROW_BITS) + LAST
        for j in range(columns):
            of_row[j] = np.int32(np.int32(np.rint(row[j] * _SQUARE)) * _STEP + (first - j))
        best = _ABOVE_ALL
        for _ in range(PAIRS_A_MINUTIA):
            best = largest_below(of_row, best)
            keys[size] = best
            size += int(best >= _STEP)
    places = np.zeros(size, np.int32)
    for other in range(size):
        better = keys[other]
        for k in range(size):
            places[k] += np.int32(better > keys[k])
    pairs = np.empty((min(size, PAIRS_KEPT), 2), np.int32)
    for k in range(size):
        if places[k] < PAIRS_KEPT:
            pairs[places[k], 0] = LAST - (keys[k] >> ROW_BITS & LAST)
            pairs[places[k], 1] = LAST - (keys[k] & LAST)
    return pairs


@kernel
def largest_below(keys: NDArray[np.int32], bound: np.int32) -> np.int32:
    """The largest key below a bound; 0 where no positive one is."""
    best = np.int32(0)
    for k in range(len(keys)):
        best = max(best, np.int32(keys[k] * np.int32(keys[k] < bound)))
    return best


@kernel
def compatibilities(probe: Floats, reference: Floats, pairs: Pairs) -> Floats:
    """How well every two pairs fit one rigid motion: float32[K, K] in [0, 1], symmetric, diagonal 0.

    K is `PAIRS_KEPT`, whatever the number of pairs; what is beyond it is 0. Product of three falling
    parabolas: the pairs' turns agree; their distances agree, but for stretch; the line from one to the other
    turns as they do. 0 for pairs that share a minutia or stand too close. No branches, single precision and a
    fixed length: a row is done in the processor's vectors.
    """
    table = np.empty((PAIRS_KEPT, PAIRS_KEPT), np.float32)
    places = _places(probe, reference, pairs)
    own_x, own_y, other_x, other_y = places[0], places[1], places[2], places[3]
    cosines, sines = places[4], places[5]
    for t in range(PAIRS_KEPT):
        x, y, u, v, cos, sin = own_x[t], own_y[t], other_x[t], other_y[t], cosines[t], sines[t]
        row = table[t]
        for s in range(len(row)):
            fit_twist = _1 - (_1 - (cos * cosines[s] + sin * sines[s])) * _SLOPE
            ax, ay, bx, by = own_x[s] - x, own_y[s] - y, other_x[s] - u, other_y[s] - v
            a, b = np.sqrt(ax * ax + ay * ay), np.sqrt(bx * bx + by * by)
            gap = (a - b) / (_PX + _STRETCH * (a + b))
            fit_length = _1 - gap * gap
            dot, cross = ax * bx + ay * by, ax * by - ay * bx
            one, two = dot * cos + cross * sin, dot * cosines[s] + cross * sines[s]
            lean = one if one < two else two  # noqa: FURB136 - min() asks about NaN, and in a branch
            fit_lean = _1 - (_1 - lean / (a * b + _LEAST)) * _SLOPE
            apart = (a >= _APART) & (b >= _APART)
            fits = (fit_twist > _0) & (fit_length > _0) & (fit_lean > _0) & apart
            row[s] = fit_twist * fit_length * fit_lean if fits else _0
    return table


@kernel
def _places(probe: Floats, reference: Floats, pairs: Pairs) -> Floats:
    """Of each pair: x, y in the probe, x, y in the reference, cos and sin of its turn; float32[6, K].

    Beyond the pairs all is 0, also the turn's cosine and sine: no turn agrees with that.
    """
    places = np.zeros((6, PAIRS_KEPT), np.float32)
    for t in range(len(pairs)):
        i, j = pairs[t, 0], pairs[t, 1]
        places[0, t], places[1, t] = probe[X, i], probe[Y, i]
        places[2, t], places[3, t] = reference[X, j], reference[Y, j]
        places[4, t] = reference[COS, j] * probe[COS, i] + reference[SIN, j] * probe[SIN, i]
        places[5, t] = reference[SIN, j] * probe[COS, i] - reference[COS, j] * probe[SIN, i]
    return places


@kernel
def relax(table: Floats, pairs: Pairs, compatible: Floats) -> Floats:
    """Belief in each candidate pair, float32[K]: its similarity, reinforced by the pairs that fit it.

    MCC's local similarity sort with relaxation, on `RELAXATION_ROUNDS` rounds; 0 beyond the pairs.
    """
    belief = np.zeros(len(compatible), np.float32)
    following = np.empty(len(compatible), np.float32)
    for t in range(len(pairs)):
        belief[t] = table[pairs[t, 0], pairs[t, 1]]
    share = np.float32((1.0 - RELAXATION_INERTIA) / max(len(pairs) - 1, 1))
    for _ in range(RELAXATION_ROUNDS):
        for t in range(len(belief)):
            following[t] = np.float32(RELAXATION_INERTIA) * belief[t]
        for s in range(len(pairs)):
            value = belief[s] * share
            row = compatible[s]
            for t in range(len(belief)):
                following[t] += row[t] * value
        for t in range(len(belief)):
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
