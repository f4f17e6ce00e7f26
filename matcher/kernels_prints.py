"""Compiled loops between prints as they are kept and as a comparison takes them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.hulls import fill_edges
from matcher.pairing import COS, KIND, ROWS, SIN, WEIGHT, Floats, X, Y

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

#: Directions are kept in as many steps of a turn as in a stored template.
TURNS: Final = 65_536
_STEPS_A_RADIAN: Final = TURNS / (2.0 * math.pi)


@kernel
def pack_minutiae(
    minutiae: Floats,
    descriptors: Floats,
    order: NDArray[np.int16],
    corners: Integers,
    middle: int,
    kept: Bytes,
) -> None:
    """Fill `kept` with one print's minutiae and descriptors, as `unpack_minutiae` reads them.

    corners: of their convex hull; middle: the level that a descriptor's 0 is kept as.
    """
    count, dimensions = descriptors.shape
    x = kept[: 2 * count].view(np.int16)
    y = kept[2 * count : 4 * count].view(np.int16)
    turns = kept[4 * count : 6 * count].view(np.uint16)
    for m in range(count):
        x[m], y[m] = np.int16(minutiae[X, m]), np.int16(minutiae[Y, m])
        steps = np.rint(np.float64(np.arctan2(minutiae[SIN, m], minutiae[COS, m])) * _STEPS_A_RADIAN)
        turns[m] = np.uint16(np.int64(steps) & (TURNS - 1))
        kept[6 * count + m] = np.uint8(np.rint(np.float32(100.0) * minutiae[WEIGHT, m]))
        kept[7 * count + m] = np.uint8(np.int64(np.rint(np.float32(100.0) * minutiae[KIND, m])) & 255)
        kept[8 * count + m] = np.uint8(order[m])
    at = 9 * count
    for m in range(count):
        for pair in range(dimensions // 2):
            low = np.int64(descriptors[m, 2 * pair]) + middle
            high = np.int64(descriptors[m, 2 * pair + 1]) + middle
            kept[at] = np.uint8(low | high << 4)
            at += 1
    for corner in range(len(corners)):
        kept[at + corner] = np.uint8(corners[corner])


@kernel
def pack_cells(cells: Bytes, box: Integers, kept: Bytes) -> None:
    """Fill `box` with the smallest one that holds all the foreground, and `kept` with the cells in it.

    See `unpack_cells`; both stay as they are where there is no foreground.
    """
    rows, columns = cells.shape
    top, bottom, left, right = rows, 0, columns, 0
    for row in range(rows):
        for column in range(columns):
            if cells[row, column]:
                top, bottom = min(top, row), row + 1
                left, right = min(left, column), max(right, column + 1)
    if bottom == 0:
        return
    box[0], box[1], box[2], box[3] = top, left, bottom - top, right - left
    at = 0
    for row in range(top, bottom):
        for column in range(left, right):
            kept[at] = cells[row, column]
            at += 1


@kernel
def unpack_minutiae(
    kept: Bytes,
    begins: Integers,
    counts: Integers,
    edges: Integers,
    size: int,
    directions: Floats,
    levels: Floats,
    minutiae: Floats,
    descriptors: Floats,
    hulls: Floats,
) -> None:
    """Fill the joined `minutiae`, `descriptors` and `hulls` of prints.

    counts, edges: minutiae of each print, and edges of its hull.

    kept:       from each of `begins` on: x int16, y int16, turn uint16, weight in percent uint8, kind in
                hundredths int8, place in the template uint8, each for all minutiae; then descriptors
                uint8[n, size], two levels a byte; then which minutiae are corners of the hull, uint8[edges].
    directions: float32[65536, 2], cosine and sine of each turn; levels: float32[16], the value of each level.
    """
    done, described, drawn = 0, 0, 0
    for k in range(len(begins)):
        count, at = counts[k], begins[k]
        if count == 0:
            continue
        own = minutiae[ROWS * done : ROWS * (done + count)].reshape(ROWS, count)
        x = kept[at : at + 2 * count].view(np.int16)
        y = kept[at + 2 * count : at + 4 * count].view(np.int16)
        turns = kept[at + 4 * count : at + 6 * count].view(np.uint16)
        weights = kept[at + 6 * count : at + 7 * count]
        kinds = kept[at + 7 * count : at + 8 * count].view(np.int8)
        for m in range(count):
            own[X, m], own[Y, m] = x[m], y[m]
            own[COS, m], own[SIN, m] = directions[turns[m], 0], directions[turns[m], 1]
            own[WEIGHT, m] = np.float32(weights[m]) / np.float32(100.0)
            own[KIND, m] = np.float32(kinds[m]) / np.float32(100.0)
        at += 9 * count
        for half in range(count * size):
            both = kept[at + half]
            descriptors[described + 2 * half] = levels[both & 15]
            descriptors[described + 2 * half + 1] = levels[both >> 4]
        corners = kept[at + count * size : at + count * size + edges[k]].astype(np.int64)
        # Never beyond the minutiae, whatever the bytes.
        corners = np.minimum(corners, count - 1)
        hull = hulls[drawn : drawn + 3 * edges[k]].reshape(3, edges[k])
        fill_edges(own[X], own[Y], corners, hull)
        described += 2 * count * size
        drawn += 3 * edges[k]
        done += count


@kernel
def unpack_cells(kept: Bytes, begins: Integers, sizes: Integers, boxes: Integers, cells: Bytes) -> None:
    """Fill the joined ridge fields `cells` from kept boxes of them; what is outside a box is 0.

    sizes: rows and columns of each field, int64[k, 2]; boxes: first row and column, rows and columns,
    int64[k, 4]; kept: the cells of each box, from `begins` on.
    """
    cells[:] = 0
    done = 0
    for k in range(len(begins)):
        rows, columns = sizes[k]
        top, left, high, wide = boxes[k]
        own = cells[done : done + rows * columns].reshape(rows, columns)
        at = begins[k]
        for row in range(high):
            own[top + row, left : left + wide] = kept[at : at + wide]
            at += wide
        done += rows * columns


@kernel
def join(kept: Bytes, begins: Integers, sizes: Integers, joined: Bytes) -> None:
    """Fill `joined` with the bytes that begin at `begins` and are `sizes` long; 0 for those from -1 on."""
    done = 0
    for k in range(len(begins)):
        if begins[k] >= 0:
            joined[done : done + sizes[k]] = kept[begins[k] : begins[k] + sizes[k]]
        else:
            joined[done : done + sizes[k]] = 0
        done += sizes[k]
