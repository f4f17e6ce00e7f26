"""The convex hull of a print's minutiae: which of them are its corners, and its edges."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@kernel
def convex_hull(x: Floats, y: Floats) -> Integers:
    """Corners of the convex hull, counter-clockwise (y up), of points already sorted by (x, y).

    Andrew's monotone chain. Returns indices int64[h]; fewer than three for degenerate sets.
    """
    count = len(x)
    chain = np.empty(2 * count + 1, np.int64)
    size = 0
    for turn in range(2):
        floor = size + 1
        for step in range(count):
            i = step if turn == 0 else count - 1 - step
            while size > floor:
                a, b = chain[size - 2], chain[size - 1]
                if (x[b] - x[a]) * (y[i] - y[a]) - (y[b] - y[a]) * (x[i] - x[a]) > 0.0:
                    break
                size -= 1
            chain[size] = i
            size += 1
        size -= 1
    return chain[: max(size, min(count, 1))].copy()


@kernel
def corners_of(x: Floats, y: Floats) -> Integers:
    """Corners of the convex hull as `convex_hull` gives them; none where all points are at one place."""
    corners = convex_hull(x, y)
    if len(corners) < 2 or (x[corners[0]] == x[corners[-1]] and y[corners[0]] == y[corners[-1]]):
        return corners[:0]
    return corners


@kernel
def fill_edges(x: Floats, y: Floats, corners: Integers, edges: Floats) -> None:
    """Fill `edges` float32[3, h] with outward normal and offset of the edge from each corner to the next."""
    for corner in range(len(corners)):
        a, b = corners[corner], corners[(corner + 1) % len(corners)]
        ax, ay = np.float64(x[a]), np.float64(y[a])
        along, up = np.float64(x[b]) - ax, np.float64(y[b]) - ay
        length = math.sqrt(along * along + up * up)
        edges[0, corner], edges[1, corner] = up / length, -along / length
        edges[2, corner] = (up * ax - along * ay) / length
