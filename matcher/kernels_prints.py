"""Compiled loops that turn kept prints back into what a comparison takes, many prints in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.pairing import COS, SIN, WEIGHT, Floats, X, Y

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


@kernel
def unpack_minutiae(
    kept: Bytes,
    begins: Integers,
    counts: Integers,
    size: int,
    directions: Floats,
    levels: Floats,
    minutiae: Floats,
    descriptors: Floats,
) -> None:
    """Fill the joined `minutiae` and `descriptors` of prints that have `counts` minutiae.

    kept:       from each of `begins` on: x int16, y int16, turn uint16, weight in percent uint8, place in the
                template uint8, each for all minutiae; then descriptors uint8[n, size], two levels a byte.
    directions: float32[65536, 2], cosine and sine of each turn; levels: float32[16], the value of each level.
    """
    done, described = 0, 0
    for k in range(len(begins)):
        count, at = counts[k], begins[k]
        if count == 0:
            continue
        own = minutiae[5 * done : 5 * (done + count)].reshape(5, count)
        x = kept[at : at + 2 * count].view(np.int16)
        y = kept[at + 2 * count : at + 4 * count].view(np.int16)
        turns = kept[at + 4 * count : at + 6 * count].view(np.uint16)
        weights = kept[at + 6 * count : at + 7 * count]
        for m in range(count):
            own[X, m], own[Y, m] = x[m], y[m]
            own[COS, m], own[SIN, m] = directions[turns[m], 0], directions[turns[m], 1]
            own[WEIGHT, m] = np.float32(weights[m]) / np.float32(100.0)
        at += 8 * count
        for half in range(count * size):
            both = kept[at + half]
            descriptors[described + 2 * half] = levels[both & 15]
            descriptors[described + 2 * half + 1] = levels[both >> 4]
        described += 2 * count * size
        done += count


@kernel
def unpack_cells(kept: Bytes, begins: Integers, sizes: Integers, boxes: Integers, cells: Bytes) -> None:
    """Fill the joined ridge fields `cells` from kept boxes of them; what is outside a box is 0.

    sizes: rows and columns of each field, int64[k, 2]; boxes: first row and column, rows and columns,
    int64[k, 4]; kept: orientation, then coherence, of each box, from `begins` on.
    """
    cells[:] = 0
    done = 0
    for k in range(len(begins)):
        rows, columns = sizes[k]
        top, left, high, wide = boxes[k]
        own = cells[done : done + 2 * rows * columns].reshape(2, rows, columns)
        at = begins[k]
        for layer in range(2):
            for row in range(high):
                own[layer, top + row, left : left + wide] = kept[at : at + wide]
                at += wide
        done += 2 * rows * columns


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
