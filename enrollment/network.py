"""The minutiae network: from a crop of the picture to peaks with direction, type and probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.head_kernels import patches_around
from enrollment.heap import keep_freed_memory
from enrollment.network_parts import Parts
from enrollment.parameters import PATCH, PEAK_SIDE_PX, PEAK_THRESHOLD, TURN
from enrollment.parts_cache import load_parts
from enrollment.peak_gate import FAINTEST_GATED, cells_with_peaks
from enrollment.position_head import PositionHead
from enrollment.sessions import session
from enrollment.strips import Strip, strips
from enrollment.trunk import Features, Trunk

#: The smallest picture the network takes.
SMALLEST_PX = 32
#: OpenCV's 5-tap kernel for σ = 0 (1.1 px): the published model smooths its position map with it.
_SMOOTHING = np.array([1, 4, 6, 4, 1], dtype=np.float32) / 16


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Peaks of the network on one picture, in the order of rows.

    x, y:        int32[n], pixels of the picture given.
    direction:   float32[n], radians in [0, 2π), counter-clockwise from +x as seen.
    ending:      float32[n], probability that the minutia is a ridge ending.
    probability: float32[n], probability that there is a minutia.
    """

    x: NDArray[np.int32]
    y: NDArray[np.int32]
    direction: NDArray[np.float32]
    ending: NDArray[np.float32]
    probability: NDArray[np.float32]


class MinutiaeNetwork:
    """LEADER (Cappelli and Ferrara, arXiv 2602.15493) on onnxruntime. Safe to share between threads."""

    def __init__(self, parts: Parts, *, threads: int = 1) -> None:
        self._trunk = Trunk(parts, threads)
        self._position = PositionHead(parts, threads)
        self._heads = session(parts["heads"], 1)

    @classmethod
    def load(cls, *, threads: int = 1, cache: Path | None = None) -> MinutiaeNetwork:
        """The network from the installed package's weights, whose hash is checked.

        threads: for one picture. cache: folder that keeps the built parts, by default the user's cache.
        The first load on a machine compiles the loops, which takes some seconds.
        """
        keep_freed_memory()
        network = cls(load_parts(cache), threads=threads)
        # With a bound of nothing there are peaks, so that all loops are there before the first picture.
        network.detect(np.zeros((SMALLEST_PX, SMALLEST_PX), dtype=np.uint8), threshold=0.0)
        return network

    def detect(
        self,
        pixels: NDArray[np.uint8],
        foreground: NDArray[np.bool_] | None = None,
        threshold: float = PEAK_THRESHOLD,
    ) -> Detections:
        """All peaks of at least `threshold` in a picture, uint8[h, w] at 500 ppi, sides multiples of 32.

        foreground: bool[h, w], where minutiae are wanted: saves the work further out, and that of the
        position head where no minutia is near. Everywhere by default.
        """
        parts = strips(*pixels.shape)
        if len(parts) == 1:
            return self._detect(pixels, foreground, threshold)
        return _joined(
            [
                (strip, self._detect(pixels[strip.window], _at(foreground, strip), threshold))
                for strip in parts
            ]
        )

    def _detect(
        self, pixels: NDArray[np.uint8], foreground: NDArray[np.bool_] | None, threshold: float
    ) -> Detections:
        features = self._trunk.run(pixels, foreground)
        gated = foreground is not None and threshold >= FAINTEST_GATED
        position = self._position.run(features, cells_with_peaks(features) if gated else None)
        y, x, probability = peaks(position, threshold)
        if foreground is not None:
            inside = foreground[y, x]
            y, x, probability = y[inside], x[inside], probability[inside]
        direction, ending = self._read_heads(features, y, x)
        return Detections(x, y, direction, ending, probability)

    def position(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of a minutia at each pixel, not smoothed, float32[h, w]."""
        return self._position.run(self._trunk.run(pixels))

    def _read_heads(
        self, features: Features, y: NDArray[np.int32], x: NDArray[np.int32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if len(y) == 0:
            return np.empty(0, dtype=np.float32), np.empty(0, dtype=np.float32)
        patches, inside = patches_at(features, y // 2, x // 2)
        direction, ending = self._heads.run(None, {"patches": patches, "inside": inside})
        rows, parity = np.arange(len(y)), 2 * (y % 2) + x % 2
        vectors = direction.reshape(-1, 2, 4)[rows, :, parity]
        return np.mod(np.arctan2(vectors[:, 1], vectors[:, 0]), TURN).astype(np.float32), ending[rows, parity]


def _at(foreground: NDArray[np.bool_] | None, strip: Strip) -> NDArray[np.bool_] | None:
    return None if foreground is None else foreground[strip.window]


def _joined(found: Sequence[tuple[Strip, Detections]]) -> Detections:
    """What each strip found in its own part, in the order of rows."""
    kept = [(strip, each, strip.owns(each.y, each.x)) for strip, each in found]
    y = np.concatenate([each.y[own] + np.int32(strip.corner[0]) for strip, each, own in kept])
    x = np.concatenate([each.x[own] + np.int32(strip.corner[1]) for strip, each, own in kept])
    order = np.lexsort((x, y))
    direction, ending, probability = (
        np.concatenate([getattr(each, name)[own] for _, each, own in kept])[order]
        for name in ("direction", "ending", "probability")
    )
    return Detections(x[order], y[order], direction, ending, probability)


def peaks(
    position: NDArray[np.float32], threshold: float
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """(y, x, probability) where the smoothed position map has the largest value of its 7×7 neighbourhood."""
    smooth = cv2.sepFilter2D(position, cv2.CV_32F, _SMOOTHING, _SMOOTHING, borderType=cv2.BORDER_CONSTANT)
    highest = cv2.dilate(smooth, np.ones((PEAK_SIDE_PX, PEAK_SIDE_PX), dtype=np.uint8))
    y, x = np.nonzero((smooth == highest) & (smooth >= threshold))
    return y.astype(np.int32), x.astype(np.int32), smooth[y, x].astype(np.float32)


def patches_at(
    features: Features, y: NDArray[np.int32], x: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features around each (y, x), float32[n, c, 9, 9], and which of the middle 3×3 exist, [n, 1, 3, 3]."""
    middle = np.arange(-1, 2)
    height, width = 2 * features.wanted.shape[0], 2 * features.wanted.shape[1]
    patches = np.empty((len(y), features.framed.shape[2], PATCH, PATCH), dtype=np.float32)
    patches_around(features.framed, y, x, patches)
    in_rows = (y[:, None] + middle >= 0) & (y[:, None] + middle < height)
    in_columns = (x[:, None] + middle >= 0) & (x[:, None] + middle < width)
    return patches, (in_rows[:, :, None] & in_columns[:, None, :])[:, None].astype(np.float32)
