"""Compiled loops for what the network does pixel by pixel, where moving memory costs more than computing.

The stems work at full resolution: two convolutions, norm, GELU and pooling in one pass over tiles that stay
in the processor's cache take a third of the time of separate operators. The same goes for the norm before and
the GELU between the matrix products of the mixers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

#: Keras's default for LayerNormalization.
EPSILON = np.float32(1e-3)
#: Pixels of a row worked on at a time: 32 channels of two rows fit the second cache.
TILE = 512
#: A dilated 5×5 sees this far.
STEM_MARGIN = 4

Floats = NDArray[np.float32]
Function = TypeVar("Function", bound=Callable[..., Any])


def vectorised(function: Function) -> Function:
    """Compile so that loops become vector instructions.

    Multiply and add may fuse, sums may be regrouped, division does not test for zero: what
    `matcher.compiled.kernel` rightly forbids costs a factor of three here. Results differ between
    processors in the last bits, as onnxruntime's do.
    """
    flags = {"contract", "nnan", "nsz", "reassoc"}
    return cast("Function", numba.njit(cache=True, nogil=True, fastmath=flags, error_model="numpy")(function))


@vectorised
def gelu(value: np.float32) -> np.float32:
    """Within 1e-6 of x · Φ(x): Abramowitz and Stegun 7.1.28, in whose tail the power only overflows to 0.

    Seven constants stay in registers, which takes half the time of a quotient of two polynomials.
    """
    size = abs(value)
    power = np.float32(5.3829750e-06)
    power = power * size + np.float32(4.8890636e-05)
    power = power * size + np.float32(3.8003575e-05)
    power = power * size + np.float32(3.2776263e-03)
    power = power * size + np.float32(2.1141006e-02)
    power = power * size + np.float32(4.9867347e-02)
    power = power * size + np.float32(1)
    power = power * power
    power = power * power
    power = power * power
    power = power * power
    half = np.float32(0.5) * size
    return np.float32(np.float32(0.5) * value + half - half / power)


@vectorised
def gelu_rows(rows: Floats, bias: Floats) -> None:
    """GELU of float32[n, c] + float32[c], in place: onnxruntime adds a bias in a pass of its own."""
    for row in range(rows.shape[0]):
        line = rows[row]
        for channel in range(rows.shape[1]):
            line[channel] = gelu(line[channel] + bias[channel])


@vectorised
def scale_rows(rows: Floats, shares: Floats) -> None:
    """Each row divided, in place, by its deviation over the channels that carry something; not centred.

    rows: float32[n, c]. shares: float32[c], 1 over the number of those channels, else 0.
    """
    channels = rows.shape[1]
    for row in range(len(rows)):
        line = rows[row]
        mean, variance = np.float32(0), np.float32(0)
        for channel in range(channels):
            mean += line[channel] * shares[channel]
        for channel in range(channels):
            variance += (line[channel] - mean) * (line[channel] - mean) * shares[channel]
        factor = np.float32(1) / np.sqrt(variance + EPSILON)
        for channel in range(channels):
            line[channel] *= factor


@vectorised
def stem(
    padded: Floats,
    filters: Floats,
    bias: Floats,
    gamma: Floats,
    beta: Floats,
    highest: bool,  # noqa: FBT001 - compiled code takes arguments by place
    result: Floats,
) -> None:
    """Plain and dilated 5×5 side by side, layer norm over the channels, GELU, 2×2 pooling.

    padded: float32[h + 8, w + 8], the picture with zeros around. filters: float32[2, c / 2, 5, 5], plain and
    dilated. bias, gamma, beta: float32[c]. highest: pool by maximum, else by mean.
    result: float32[c, h / 2, w / 2].
    """
    channels, height, width = result.shape
    rows = np.empty((2, channels, TILE), dtype=np.float32)
    for y in range(height):
        for left in range(0, 2 * width, TILE):
            count = min(TILE, 2 * width - left)
            for row in range(2):
                _convolve(padded, filters, bias, 2 * y + row, left, count, rows[row])
                _norm_gelu(rows[row], gamma, beta, count)
            for channel in range(channels):
                out = result[channel, y, left // 2 : (left + count) // 2]
                _pool(rows[0, channel], rows[1, channel], highest, out)


@vectorised
def _convolve(
    padded: Floats, filters: Floats, bias: Floats, y: int, left: int, count: int, tile: Floats
) -> None:
    half = filters.shape[1]
    for channel in range(2 * half):
        tile[channel, :count] = bias[channel]
    for dilated in range(2):
        step = 1 + dilated
        for dy in range(5):
            line = padded[y + STEM_MARGIN + (dy - 2) * step, left + STEM_MARGIN - 2 * step :]
            a, b, c, d, e = line, line[step:], line[2 * step :], line[3 * step :], line[4 * step :]
            # Two channels at a time share what they read.
            for channel in range(0, half, 2):
                u, v = filters[dilated, channel, dy], filters[dilated, channel + 1, dy]
                u0, u1, u2, u3, u4 = u[0], u[1], u[2], u[3], u[4]
                v0, v1, v2, v3, v4 = v[0], v[1], v[2], v[3], v[4]
                out, other = tile[dilated * half + channel], tile[dilated * half + channel + 1]
                for x in range(count):
                    out[x] += u0 * a[x] + u1 * b[x] + u2 * c[x] + u3 * d[x] + u4 * e[x]
                    other[x] += v0 * a[x] + v1 * b[x] + v2 * c[x] + v3 * d[x] + v4 * e[x]


@vectorised
def _norm_gelu(tile: Floats, gamma: Floats, beta: Floats, count: int) -> None:
    share = np.float32(1 / len(gamma))
    mean = np.zeros(TILE, dtype=np.float32)
    factor = np.zeros(TILE, dtype=np.float32)
    for channel in range(len(gamma)):
        line = tile[channel]
        for x in range(count):
            mean[x] += line[x] * share
    for channel in range(len(gamma)):
        line = tile[channel]
        for x in range(count):
            line[x] -= mean[x]
            factor[x] += line[x] * line[x] * share
    for x in range(count):
        factor[x] = np.float32(1) / np.sqrt(factor[x] + EPSILON)
    for channel in range(len(gamma)):
        line, scale, shift = tile[channel], gamma[channel], beta[channel]
        for x in range(count):
            line[x] = gelu(line[x] * factor[x] * scale + shift)


@vectorised
def _pool(first: Floats, second: Floats, highest: bool, out: Floats) -> None:  # noqa: FBT001
    if highest:
        for x in range(len(out)):
            left, right = max(first[2 * x], second[2 * x]), max(first[2 * x + 1], second[2 * x + 1])
            out[x] = max(left, right)
    else:
        for x in range(len(out)):
            total = first[2 * x] + first[2 * x + 1] + second[2 * x] + second[2 * x + 1]
            out[x] = total * np.float32(0.25)
