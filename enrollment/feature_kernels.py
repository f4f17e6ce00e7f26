"""Compiled loops for the features at half resolution, float32[h + 8, w + 8, c] in their frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.depthwise import MARGIN
from enrollment.network_kernels import Floats, vectorised


@vectorised
def add_at(framed: Floats, places: NDArray[np.int64], rows: Floats) -> None:
    """Add rows, float32[n, c], to chosen pixels: places int64[n], y · w + x without the frame."""
    width, channels = framed.shape[1] - 2 * MARGIN, framed.shape[2]
    for number in range(len(places)):
        line = framed[places[number] // width + MARGIN, places[number] % width + MARGIN]
        row = rows[number]
        for channel in range(channels):
            line[channel] += row[channel]


@vectorised
def gate(values: Floats, gates: Floats, result: Floats) -> None:
    """The products of float32[c, h, w] as the first c channels of float32[h + 8, w + 8, d], in its frame."""
    channels, height, width = values.shape
    for y in range(height):
        out = result[y + MARGIN]
        for channel in range(channels):
            line, factors = values[channel, y], gates[channel, y]
            for x in range(width):
                out[x + MARGIN, channel] = line[x] * factors[x]


@vectorised
def halve(framed: Floats, result: Floats) -> None:
    """Half of the channels by the maximum of 2 × 2 pixels, the others by their mean: float32[h/2, w/2, c]."""
    height, width, channels = result.shape
    half = channels // 2
    for y in range(height):
        above, below = framed[2 * y + MARGIN], framed[2 * y + 1 + MARGIN]
        for x in range(width):
            a, b = above[2 * x + MARGIN], above[2 * x + 1 + MARGIN]
            c, d = below[2 * x + MARGIN], below[2 * x + 1 + MARGIN]
            out = result[y, x]
            for channel in range(half):
                out[channel] = max(a[channel], b[channel], c[channel], d[channel])
            for channel in range(half, channels):
                total = a[channel] + b[channel] + c[channel] + d[channel]
                out[channel] = total * np.float32(0.25)


@vectorised
def join(coarse: Floats, fine: Floats, result: Floats) -> None:
    """Coarse features, float32[h/2, w/2, a], and fine ones, float32[h + 8, w + 8, b], side by side.

    result: float32[h + 8, w + 8, a + b], its frame is left as it is.
    """
    channels = coarse.shape[2]
    for y in range(2 * coarse.shape[0]):
        for x in range(2 * coarse.shape[1]):
            out = result[y + MARGIN, x + MARGIN]
            first, second = coarse[y // 2, x // 2], fine[y + MARGIN, x + MARGIN]
            for channel in range(channels):
                out[channel] = first[channel]
            for channel in range(len(second)):
                out[channels + channel] = second[channel]
