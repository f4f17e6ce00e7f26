"""Compiled loops of the shortlist: pooling a print's descriptors, scanning the sketches of many."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel

Floats = NDArray[np.float32]


@kernel
def pool_descriptors(
    descriptors: Floats, weights: Floats, centres: Floats, temperature: float, power: float, pooled: Floats
) -> None:
    """Fill `pooled` float32[K · D] with the weighted residuals of the descriptors to soft-assigned centres.

    descriptors: float32[n, D], of length 1 or 0; weights: float32[n]; centres: float32[K, D].
    Each part is raised to `power` with its sign kept, and all scaled to length 1; 0 where nothing is pooled.
    """
    count, size = centres.shape
    pooled[:] = 0.0
    shares = np.empty(count, np.float64)
    unit = np.empty(size, np.float64)
    for row in range(len(descriptors)):
        length = 0.0
        for part in range(size):
            length += descriptors[row, part] * descriptors[row, part]
        if length == 0.0:
            continue
        for part in range(size):
            unit[part] = descriptors[row, part] / math.sqrt(length)
        most = -np.inf
        for centre in range(count):
            likeness = 0.0
            for part in range(size):
                likeness += unit[part] * centres[centre, part]
            shares[centre] = likeness / temperature
            most = max(most, shares[centre])
        total = 0.0
        for centre in range(count):
            shares[centre] = math.exp(shares[centre] - most)
            total += shares[centre]
        for centre in range(count):
            share = weights[row] * shares[centre] / total
            for part in range(size):
                pooled[centre * size + part] += np.float32(share * (unit[part] - centres[centre, part]))
    _raise_and_scale(pooled, power)


@kernel
def _raise_and_scale(values: Floats, power: float) -> None:
    """Every value to a power, its sign kept; then all to length 1 together."""
    square = 0.0
    for k in range(len(values)):
        raised = abs(values[k]) ** power
        square += raised * raised
        values[k] = np.float32(math.copysign(raised, values[k]))
    if square > 0.0:
        scale = np.float32(1.0 / math.sqrt(square))
        for k in range(len(values)):
            values[k] *= scale


@kernel
def scan_sketches(
    look: NDArray[np.int8],
    stored: NDArray[np.int8],
    references: NDArray[np.int32],
    allowed: NDArray[np.bool_],
    best: NDArray[np.int32],
) -> None:
    """Raise `best` int32[references] to the likeness of a look, int8[k, D], to each allowed stored sketch.

    The inner product with the whole, the look's first row, and the highest with one of its other rows.
    stored: int8[n, D], of the references numbered `references` int32[n]; allowed: bool[references].
    """
    for row in range(len(stored)):
        reference = references[row]
        if not allowed[reference]:
            continue
        likeness = _product(look[0], stored[row])
        if len(look) > 1:
            most = _product(look[1], stored[row])
            for part in range(2, len(look)):
                most = max(most, _product(look[part], stored[row]))
            likeness = np.int32(likeness + most)
        best[reference] = max(best[reference], likeness)


@kernel
def _product(one: NDArray[np.int8], other: NDArray[np.int8]) -> np.int32:
    """The inner product of two sketches."""
    product = np.int32(0)
    # Eight bits times eight summed in 32: the compiler makes of it the processor's own instruction.
    for part in range(len(one)):
        product = np.int32(product + np.int32(np.int16(one[part]) * np.int16(other[part])))
    return product
