"""Laying one print over the other: rigid motion, one-to-one pairing.

Compiled steps, on minutiae as in `matcher.pairing`. A motion is float64[4]: cos and sin of the turn
(counter-clockwise), then the shift in pixels, y up; it takes the probe's frame to the reference's.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.pairing import COS, KIND, LAST, ROW_BITS, SIN, WEIGHT, Floats, Pairs, X, Y
from matcher.parameters import (
    DIRECTION_LEVER,
    PAIR_ANGLE,
    REFIT_BASE,
    REFITS,
    WIDE_PX,
)

Motion = NDArray[np.float64]
Starts = NDArray[np.int32]

_1, _2 = np.float32(1.0), np.float32(2.0)
#: Strips of a print in which `pair_within` looks, in 1/px.
_A_STRIP = np.float32(1.0 / 16.0)
#: Above every cost of a near pair.
_FAR = np.float32(3.0)


@kernel
def fit_motion(probe: Floats, reference: Floats, pairs: Pairs, weights: Floats) -> Motion:
    """Weighted least-squares motion that lays paired probe minutiae on the reference's.

    Procrustes on positions, with each pair's turn as further evidence at a lever of some pixels.
    """
    ax = ay = bx = by = total = 0.0
    for t in range(len(pairs)):
        i, j, w = pairs[t, 0], pairs[t, 1], weights[t]
        if w == 0.0:
            continue
        ax, ay = ax + w * probe[X, i], ay + w * probe[Y, i]
        bx, by = bx + w * reference[X, j], by + w * reference[Y, j]
        total += w
    scale = 1.0 / total if total > 0.0 else 0.0
    ax, ay, bx, by = ax * scale, ay * scale, bx * scale, by * scale
    dot = cross = 0.0
    lever = DIRECTION_LEVER * DIRECTION_LEVER
    for t in range(len(pairs)):
        i, j = pairs[t, 0], pairs[t, 1]
        if weights[t] == 0.0:
            continue
        px, py = probe[X, i] - ax, probe[Y, i] - ay
        qx, qy = reference[X, j] - bx, reference[Y, j] - by
        turn_cos = reference[COS, j] * probe[COS, i] + reference[SIN, j] * probe[SIN, i]
        turn_sin = reference[SIN, j] * probe[COS, i] - reference[COS, j] * probe[SIN, i]
        dot += weights[t] * (px * qx + py * qy + lever * turn_cos)
        cross += weights[t] * (px * qy - py * qx + lever * turn_sin)
    length = math.sqrt(dot * dot + cross * cross)
    cos, sin = (dot / length, cross / length) if length > 0.0 else (1.0, 0.0)
    motion = np.empty(4, np.float64)
    motion[0], motion[1] = cos, sin
    motion[2] = bx - (cos * ax - sin * ay)
    motion[3] = by - (sin * ax + cos * ay)
    return motion


@kernel
def unmoved() -> Motion:
    """The motion that leaves everything where it is."""
    motion = np.zeros(4, np.float64)
    motion[0] = 1.0
    return motion


@kernel
def inverse(motion: Motion) -> Motion:
    """The motion that takes the reference's frame to the probe's."""
    back = np.empty(4, np.float64)
    back[0], back[1] = motion[0], -motion[1]
    back[2] = -(motion[0] * motion[2] + motion[1] * motion[3])
    back[3] = motion[1] * motion[2] - motion[0] * motion[3]
    return back


@kernel
def moved(probe: Floats, motion: Motion) -> Floats:
    """The minutiae after a motion: float32[ROWS, n]."""
    cos, sin = np.float32(motion[0]), np.float32(motion[1])
    dx, dy = np.float32(motion[2]), np.float32(motion[3])
    out = np.empty_like(probe)
    for i in range(probe.shape[1]):
        out[X, i] = cos * probe[X, i] - sin * probe[Y, i] + dx
        out[Y, i] = sin * probe[X, i] + cos * probe[Y, i] + dy
        out[COS, i] = cos * probe[COS, i] - sin * probe[SIN, i]
        out[SIN, i] = sin * probe[COS, i] + cos * probe[SIN, i]
        out[WEIGHT, i], out[KIND, i] = probe[WEIGHT, i], probe[KIND, i]
    return out


@kernel
def pair_within(probe: Floats, reference: Floats, starts: Starts, reach: float) -> Pairs:
    """One-to-one pairs of minutiae near each other in place and direction, closest first: int32[k, 2].

    The reference's minutiae must rise in x, as those of a prepared print do; `starts` are its `strip_starts`.
    What is near is written down in any case and kept by a step of 0 or 1: a branch here would be foreseen
    wrongly half the time.
    """
    rows, columns = probe.shape[1], reference.shape[1]
    if rows == 0 or columns == 0:
        return np.empty((0, 2), np.int32)
    room = 4 * min(rows, columns) + 8
    costs = np.empty(2 * room + columns + 1, np.float32)
    near = np.empty(2 * room + columns + 1, np.int32)
    square, width = np.float32(reach * reach), np.float32(reach)
    chord = np.float32(2.0 * (1.0 - math.cos(PAIR_ANGLE)))
    across, down, cosines, sines = reference[X], reference[Y], reference[COS], reference[SIN]
    left, last = across[0], len(starts) - 1
    size, dearest = 0, _FAR
    for i in range(rows):
        x, y, cos, sin = probe[X, i], probe[Y, i], probe[COS, i], probe[SIN, i]
        first = min(max(int((x - width - left) * _A_STRIP), 0), last)
        end = min(max(int((x + width - left) * _A_STRIP + _1), 0), last)
        for j in range(starts[first], starts[end]):
            dx, dy = across[j] - x, down[j] - y
            apart = dx * dx + dy * dy
            turn = _2 * (_1 - (cos * cosines[j] + sin * sines[j]))
            cost = apart / square + turn / chord
            costs[size], near[size] = cost, i << ROW_BITS | j
            size += int((apart <= square) & (turn <= chord) & (cost < dearest))
        if size > 2 * room:
            # A crowd: from here on only what is closer than the furthest that there was room for.
            size = keep_closest(costs, near, size, room)
            dearest = costs[:size].max()
    if size > room:
        size = keep_closest(costs, near, size, room)
    return one_to_one(costs[:size], near[:size], rows, columns)


@kernel
def strip_starts(reference: Floats) -> Starts:
    """Where the minutiae of each strip of 16 px begin, int32[strips + 1], strips from the first one's x on.

    The minutiae must rise in x, as those of a prepared print do.
    """
    across = reference[X]
    if len(across) == 0:
        return np.zeros(1, np.int32)
    strips = int((across[-1] - across[0]) * _A_STRIP) + 1
    starts = np.zeros(strips + 1, np.int32)
    for j in range(len(across)):
        starts[int((across[j] - across[0]) * _A_STRIP) + 1] += 1
    for strip in range(strips):
        starts[strip + 1] += starts[strip]
    return starts


@kernel
def ranks(costs: Floats) -> NDArray[np.int32]:
    """Place of each cost among the sorted, int32[k]: the number of smaller ones and of equal ones before."""
    places = np.zeros(len(costs), np.int32)
    for other in range(len(costs)):
        cost = costs[other]
        for k in range(other):
            places[k] += np.int32(cost < costs[k])
        for k in range(other + 1, len(costs)):
            places[k] += np.int32(cost <= costs[k])
    return places


@kernel
def keep_closest(costs: Floats, near: NDArray[np.int32], size: int, room: int) -> int:
    """Move the `room` cheapest of the first `size` to the front, in the order they stand; return how many."""
    places = ranks(costs[:size])
    kept = 0
    for k in range(size):
        if places[k] < room:
            costs[kept], near[kept] = costs[k], near[k]
            kept += 1
    return kept


@kernel
def one_to_one(costs: Floats, near: NDArray[np.int32], rows: int, columns: int) -> Pairs:
    """The pairs, cheapest first, whose minutiae no cheaper one uses: int32[k, 2].

    `near` int32[n]: row and column of each pair in one number, see `matcher.pairing.ROW_BITS`.
    """
    places = ranks(costs)
    order = np.empty(len(near), np.int32)
    for k in range(len(near)):
        order[places[k]] = near[k]
    used = np.zeros(rows + columns, np.uint8)
    pairs = np.empty((len(near), 2), np.int32)
    kept = 0
    for k in range(len(near)):
        i, j = order[k] >> ROW_BITS, order[k] & LAST
        pairs[kept, 0], pairs[kept, 1] = i, j
        free = 1 - (used[i] | used[rows + j])
        used[i] |= free
        used[rows + j] |= free
        kept += int(free)
    return pairs[:kept]


@kernel
def settle(
    probe: Floats, reference: Floats, starts: Starts, table: Floats, motion: Motion
) -> tuple[Motion, Floats, Pairs]:
    """Refit a rough motion to the pairs it makes, some rounds: it, the probe laid by it, and its pairs.

    Near and similar pairs weigh more.
    """
    for _ in range(REFITS):
        laid = moved(probe, motion)
        pairs = pair_within(laid, reference, starts, WIDE_PX)
        weights = np.empty(len(pairs), np.float32)
        for t in range(len(pairs)):
            i, j = pairs[t, 0], pairs[t, 1]
            dx, dy = reference[X, j] - laid[X, i], reference[Y, j] - laid[Y, i]
            near = 1.0 - (dx * dx + dy * dy) / (WIDE_PX * WIDE_PX)
            weights[t] = near * (REFIT_BASE + max(0.0, table[i, j]))
        if len(pairs) == 0:
            break
        motion = fit_motion(probe, reference, pairs, weights)
    laid = moved(probe, motion)
    return motion, laid, pair_within(laid, reference, starts, WIDE_PX)
