"""Compiled loops that lay one print over the other: rigid motion, one-to-one pairing, distortion."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.kernels_pairing import COS, SIN, WEIGHT, X, Y
from matcher.parameters import (
    DIRECTION_LEVER,
    DISTORTION_REACH,
    DISTORTION_STIFFNESS,
)

Floats = NDArray[np.float32]
Pairs = NDArray[np.int32]


@kernel
def fit_motion(probe: Floats, reference: Floats, pairs: Pairs, weights: Floats) -> NDArray[np.float64]:
    """Weighted rigid motion (cos, sin, dx, dy) that lays paired probe minutiae on the reference's.

    Procrustes on positions, with each pair's turn as further evidence at a lever of some pixels.
    """
    ax = ay = bx = by = total = 0.0
    for t in range(len(pairs)):
        i, j = pairs[t]
        w = weights[t]
        total += w
        ax += w * probe[X, i]
        ay += w * probe[Y, i]
        bx += w * reference[X, j]
        by += w * reference[Y, j]
    scale = 1.0 / max(total, 1e-9)
    ax, ay, bx, by = ax * scale, ay * scale, bx * scale, by * scale
    dot = cross = 0.0
    lever = DIRECTION_LEVER * DIRECTION_LEVER
    for t in range(len(pairs)):
        i, j = pairs[t]
        px, py = probe[X, i] - ax, probe[Y, i] - ay
        qx, qy = reference[X, j] - bx, reference[Y, j] - by
        turn_cos = reference[COS, j] * probe[COS, i] + reference[SIN, j] * probe[SIN, i]
        turn_sin = reference[SIN, j] * probe[COS, i] - reference[COS, j] * probe[SIN, i]
        dot += weights[t] * (px * qx + py * qy + lever * turn_cos)
        cross += weights[t] * (px * qy - py * qx + lever * turn_sin)
    length = math.sqrt(dot * dot + cross * cross)
    motion = np.empty(4, np.float64)
    if length > 0.0:
        motion[0], motion[1] = dot / length, cross / length
    else:
        motion[0], motion[1] = 1.0, 0.0
    motion[2] = bx - (motion[0] * ax - motion[1] * ay)
    motion[3] = by - (motion[1] * ax + motion[0] * ay)
    return motion


@kernel
def moved(probe: Floats, motion: NDArray[np.float64]) -> Floats:
    """The probe after a rigid motion: float32[5, n]."""
    cos, sin = np.float32(motion[0]), np.float32(motion[1])
    dx, dy = np.float32(motion[2]), np.float32(motion[3])
    out = np.empty_like(probe)
    for i in range(probe.shape[1]):
        out[X, i] = cos * probe[X, i] - sin * probe[Y, i] + dx
        out[Y, i] = sin * probe[X, i] + cos * probe[Y, i] + dy
        out[COS, i] = cos * probe[COS, i] - sin * probe[SIN, i]
        out[SIN, i] = sin * probe[COS, i] + cos * probe[SIN, i]
        out[WEIGHT, i] = probe[WEIGHT, i]
    return out


@kernel
def pair_within(probe: Floats, reference: Floats, reach: float, angle: float) -> Pairs:
    """One-to-one pairs of minutiae near each other in place and direction, closest first: int32[k, 2]."""
    rows, columns = probe.shape[1], reference.shape[1]
    room = 4 * min(rows, columns) + 8
    costs = np.empty(room, np.float32)
    found = np.empty((room, 2), np.int32)
    size = 0
    square = np.float32(reach * reach)
    chord = np.float32(2.0 * (1.0 - math.cos(angle)))
    for i in range(rows):
        x, y, c, s = probe[X, i], probe[Y, i], probe[COS, i], probe[SIN, i]
        for j in range(columns):
            dx, dy = reference[X, j] - x, reference[Y, j] - y
            d2 = dx * dx + dy * dy
            if d2 > square:
                continue
            a2 = np.float32(2.0) * (np.float32(1.0) - (c * reference[COS, j] + s * reference[SIN, j]))
            if a2 > chord:
                continue
            cost = d2 / square + a2 / chord
            if size == room and cost >= costs[size - 1]:
                continue
            if size < room:
                size += 1
            slot = size - 1
            while slot > 0 and costs[slot - 1] > cost:
                costs[slot] = costs[slot - 1]
                found[slot] = found[slot - 1]
                slot -= 1
            costs[slot] = cost
            found[slot, 0] = i
            found[slot, 1] = j
    row_free = np.ones(rows, np.bool_)
    column_free = np.ones(columns, np.bool_)
    kept = 0
    for t in range(size):
        i, j = found[t]
        if row_free[i] and column_free[j]:
            row_free[i] = False
            column_free[j] = False
            found[kept, 0] = i
            found[kept, 1] = j
            kept += 1
    return found[:kept]


@kernel
def unbend(probe: Floats, reference: Floats, pairs: Pairs) -> Floats:
    """The (already moved) probe with skin distortion undone: each minutia follows its paired neighbours.

    The displacement is the kernel-weighted mean of the pairs' residuals, drawn towards none.
    """
    out = probe.copy()
    count = len(pairs)
    gathered = np.empty((4, count), np.float32)
    for t in range(count):
        i, j = pairs[t]
        gathered[0, t], gathered[1, t] = probe[X, i], probe[Y, i]
        gathered[2, t], gathered[3, t] = reference[X, j] - probe[X, i], reference[Y, j] - probe[Y, i]
    px, py, rx, ry = gathered
    inverse = np.float32(1.0 / (DISTORTION_REACH * DISTORTION_REACH))
    one = np.float32(1.0)
    for i in range(probe.shape[1]):
        sx = sy = np.float32(0.0)
        total = np.float32(DISTORTION_STIFFNESS)
        for t in range(count):
            dx, dy = px[t] - probe[X, i], py[t] - probe[Y, i]
            near = max(np.float32(0.0), one - (dx * dx + dy * dy) * inverse)
            weight = near * near
            sx += weight * rx[t]
            sy += weight * ry[t]
            total += weight
        out[X, i] += sx / total
        out[Y, i] += sy / total
    return out
