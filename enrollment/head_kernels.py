"""Compiled loops for the heads, which read features at chosen pixels.

`features` is float32[h + 8, w + 8, c]: half resolution, a frame of zeros of `MARGIN` around, as the network
sees it. Places are int64[n], y · w + x of pixels without the frame, ascending.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.depthwise import MARGIN
from enrollment.network_kernels import EPSILON, Floats, gelu, vectorised
from enrollment.parameters import PATCH


@vectorised
def finish_at(
    features: Floats,
    places: NDArray[np.int64],
    mixed: Floats,
    short: Floats,
    short_bias: Floats,
    mix: Floats,
    mix_bias: Floats,
    result: Floats,
) -> None:
    """What follows a head's mixer up to its last convolution: its input added, norm, 1×1 and GELU.

    mixed: float32[n, k], already centred over its channels, as is what short (float32[k, c]) makes of the
    features. mix: float32[k, k]. result: float32[h + 2, w + 2, k], a frame around, written at `places` only.
    """
    width, count = features.shape[1] - 2 * MARGIN, short.shape[0]
    total = np.empty(count, dtype=np.float32)
    for place in range(len(places)):
        y, x = places[place] // width, places[place] % width
        seen = features[y + MARGIN, x + MARGIN]
        square = np.float32(0)
        for out in range(count):
            value = short_bias[out] + mixed[place, out]
            for channel in range(len(seen)):
                value += short[out, channel] * seen[channel]
            total[out] = value
            square += value * value
        factor = np.float32(1) / np.sqrt(square / np.float32(count) + EPSILON)
        for out in range(count):
            value = mix_bias[out]
            for channel in range(count):
                value += mix[out, channel] * total[channel] * factor
            result[y + 1, x + 1, out] = gelu(value)


@vectorised
def probability_at(
    head: Floats, places: NDArray[np.int64], last: Floats, last_bias: Floats, result: Floats
) -> None:
    """The last convolution and the sigmoid, for the four parities of each chosen pixel.

    head: float32[h + 2, w + 2, k], framed with zeros. last: float32[3, 3, k, 4]. result: float32[2h, 2w],
    written at `places` only.
    """
    width, count = head.shape[1] - 2, head.shape[2]
    logits = np.empty(4, dtype=np.float32)
    for place in places:
        y, x = place // width, place % width
        logits[:] = last_bias
        for row in range(3):
            for column in range(3):
                for channel in range(count):
                    value = head[y + row, x + column, channel]
                    for parity in range(4):
                        logits[parity] += value * last[row, column, channel, parity]
        for parity in range(4):
            probability = np.float32(1) / (np.float32(1) + np.exp(-logits[parity]))
            result[2 * y + parity // 2, 2 * x + parity % 2] = probability


@vectorised
def patches_around(
    features: Floats, rows: NDArray[np.int32], columns: NDArray[np.int32], result: Floats
) -> None:
    """Features around chosen pixels, zero beyond the picture. result: float32[n, c, PATCH, PATCH]."""
    for number in range(len(rows)):
        for row in range(PATCH):
            for column in range(PATCH):
                seen = features[rows[number] + row, columns[number] + column]
                for channel in range(len(seen)):
                    result[number, channel, row, column] = seen[channel]
