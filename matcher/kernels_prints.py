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
    rows: Integers,
    counts: Integers,
    kept: tuple[NDArray[np.int16], NDArray[np.uint16], Bytes, Bytes],
    directions: Floats,
    levels: Floats,
    minutiae: Floats,
    descriptors: Floats,
) -> None:
    """Fill the joined `minutiae` and `descriptors` of prints that begin at `rows` and have `counts` minutiae.

    kept:       places int16[·, 2], turns uint16[·], marks uint8[·, 2] (weight in percent first), descriptors
                uint8[·, D / 2], two levels a byte.
    directions: float32[65536, 2], cosine and sine of each turn; levels: float32[16], the value of each level.
    """
    places, turns, marks, halves = kept
    size = 2 * halves.shape[1]
    done = 0
    for k in range(len(rows)):
        count = counts[k]
        own = minutiae[5 * done : 5 * (done + count)].reshape(5, count)
        for m in range(count):
            row = rows[k] + m
            own[X, m], own[Y, m] = places[row, 0], places[row, 1]
            own[COS, m], own[SIN, m] = directions[turns[row], 0], directions[turns[row], 1]
            own[WEIGHT, m] = np.float32(marks[row, 0]) / np.float32(100.0)
            begin = (done + m) * size
            for half in range(halves.shape[1]):
                both = halves[row, half]
                descriptors[begin + 2 * half] = levels[both & 15]
                descriptors[begin + 2 * half + 1] = levels[both >> 4]
        done += count


@kernel
def unpack_cells(begins: Integers, sizes: Integers, boxes: Integers, kept: Bytes, cells: Bytes) -> None:
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
def unpack_hulls(begins: Integers, edges: Integers, kept: Floats, hulls: Floats) -> None:
    """Fill the joined `hulls` of prints whose edges, float32[·, 3], are kept from `begins` on."""
    done = 0
    for k in range(len(begins)):
        count = edges[k]
        for edge in range(count):
            for part in range(3):
                hulls[done + part * count + edge] = kept[begins[k] + edge, part]
        done += 3 * count
