"""The 7×7 convolution, channel by channel, that opens a wide block: a compiled loop for chosen pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from enrollment.network_kernels import Floats, vectorised
from enrollment.parameters import PATCH

#: The frame of zeros around what is read: what the patches of the heads reach beyond their peak.
MARGIN = PATCH // 2
#: Taps of the convolution across.
TAPS = 7
#: Neighbours in a row that are made at a time: ten pixels and seven taps fill the registers.
TOGETHER = 4

Depthwise = Callable[[Floats, NDArray[np.int64], Floats, Floats], None]


@cache
def depthwise_of(channels: int) -> Depthwise:
    """The loop for so many channels, `at(features, places, kernel, result)`.

    features: float32[h + 8, w + 8, channels], a frame of zeros around. places: int64[n], y · w + x of pixels
    without the frame, ascending. kernel: float32[7, 7, channels]. result: float32[n, channels].
    Where the compiler knows the number of channels, it takes a third less time.
    """

    @vectorised
    def at(features: Floats, places: NDArray[np.int64], kernel: Floats, result: Floats) -> None:
        framed_width, reach = features.shape[1], MARGIN - TAPS // 2
        width = framed_width - 2 * MARGIN
        pixels, weights = features.reshape(-1), kernel.reshape(TAPS, -1)
        made = np.empty(TOGETHER * channels, dtype=np.float32)
        first = 0
        while first < len(places):
            y, x = places[first] // width, places[first] % width
            most = min(TOGETHER, width - x, len(places) - first)
            count = 1
            while count < most and places[first + count] == places[first] + count:
                count += 1
            made[:] = np.float32(0)
            # Beyond the last of the row all four are made too; the frame's last row is there to be read.
            for row in range(TAPS):
                line = pixels[((y + reach + row) * framed_width + x + reach) * channels :]
                taps = weights[row]
                for i in range(channels):
                    a, b, c = line[i], line[i + channels], line[i + 2 * channels]
                    d, e, f = line[i + 3 * channels], line[i + 4 * channels], line[i + 5 * channels]
                    g, h, j = line[i + 6 * channels], line[i + 7 * channels], line[i + 8 * channels]
                    k = line[i + 9 * channels]
                    p, q, r = taps[i], taps[i + channels], taps[i + 2 * channels]
                    s, t, u = taps[i + 3 * channels], taps[i + 4 * channels], taps[i + 5 * channels]
                    v = taps[i + 6 * channels]
                    made[i] += p * a + q * b + r * c + s * d + t * e + u * f + v * g
                    made[i + channels] += p * b + q * c + r * d + s * e + t * f + u * g + v * h
                    made[i + 2 * channels] += p * c + q * d + r * e + s * f + t * g + u * h + v * j
                    made[i + 3 * channels] += p * d + q * e + r * f + s * g + t * h + u * j + v * k
            for number in range(count):
                result[first + number] = made[number * channels : (number + 1) * channels]
            first += count

    return at


@dataclass(frozen=True, slots=True, eq=False)
class DepthwiseAt:
    """Features in their frame and a kernel, as `depthwise_of` takes them."""

    features: NDArray[np.float32]
    kernel: NDArray[np.float32]

    def __call__(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The convolution at `places`, float32[n, channels]."""
        channels = self.features.shape[2]
        result = np.empty((len(places), channels), dtype=np.float32)
        depthwise_of(channels)(self.features, places, self.kernel, result)
        return result
