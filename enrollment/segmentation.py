"""Where the print is: foreground mask from gradient magnitudes, and the crop the network sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.parameters import (
    BAND_SIGMAS_PX,
    CLOSING_PX,
    COMPANION_SHARE,
    CROP_MARGIN_PX,
    CROP_MULTIPLE_PX,
    FAINTEST_GRADIENT,
    FOREGROUND_SHARE,
    GRAIN_COHERENCE,
    OPENING_PX,
    SEGMENTATION_BLUR_PX,
    SEGMENTATION_STEP_PX,
    STRONG_PERCENTILE,
    STRONG_RIDGES_PERCENTILE,
    STRONG_RIDGES_SHARE,
)
from matcher.template import RidgeField


@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """Grey steps of a picture: x, y: float32[h, w], grey levels per pixel, y down."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A window of the picture whose sides are multiples of 32.

    pixels: uint8[h, w]. foreground: bool[h, w]. left, top: its corner in the picture, may be negative.
    """

    pixels: NDArray[np.uint8]
    foreground: NDArray[np.bool_]
    left: int
    top: int


def gradients(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> Gradients:
    """Sobel gradients, scaled to grey levels per pixel."""
    across = cv2.Sobel(pixels, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    down = cv2.Sobel(pixels, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    return Gradients(np.asarray(across, dtype=np.float32), np.asarray(down, dtype=np.float32))


def segment(
    steps: Gradients, percentile: float = STRONG_PERCENTILE, share: float = FOREGROUND_SHARE
) -> NDArray[np.bool_]:
    """The foreground of a print at 500 ppi, bool[h, w].

    Average gradient magnitude above a share of the picture's strong gradients, made compact; after GMFS.
    """
    magnitude = cv2.magnitude(steps.x, steps.y)
    height, width = magnitude.shape
    step = SEGMENTATION_STEP_PX
    small = cv2.resize(magnitude, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    strong = float(np.percentile(magnitude[::2, ::2], percentile))
    average = cv2.GaussianBlur(small, (0, 0), SEGMENTATION_BLUR_PX / step)
    mask = (average > max(strong * share, FAINTEST_GRADIENT)).astype(np.uint8)
    mask = _without_holes(_large_parts(_morph(mask, cv2.MORPH_CLOSE, CLOSING_PX)))
    mask = _large_parts(_morph(mask, cv2.MORPH_OPEN, OPENING_PX))
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.bool_)


def is_grainy(field: RidgeField) -> bool:
    """Whether grey steps have so little direction that the grain of noisy or dark glass may be among them."""
    seen = field.coherence[field.foreground]
    return bool(len(seen)) and float(seen.mean()) < 255 * GRAIN_COHERENCE


def segment_ridges(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The foreground as `segment` sees it where nothing finer or coarser than ridges is left, bool[h, w].

    The grain of the glass and the shading at its frame can be as strong as the print; few of them have the
    width of ridges.
    """
    grey = pixels.astype(np.float32)
    shading = cv2.GaussianBlur(grey, (0, 0), BAND_SIGMAS_PX[1])
    ridges = np.asarray(cv2.GaussianBlur(grey, (0, 0), BAND_SIGMAS_PX[0]), dtype=np.float32)
    cv2.subtract(ridges, shading, dst=ridges)
    del grey, shading  # four million pixels may come
    return segment(gradients(ridges), STRONG_RIDGES_PERCENTILE, STRONG_RIDGES_SHARE)


def crop_to_foreground(pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> Crop:
    """The smallest window around the foreground that the network accepts, beyond the picture if needed."""
    rows, columns = np.flatnonzero(foreground.any(axis=1)), np.flatnonzero(foreground.any(axis=0))
    top, height = _window(int(rows[0]), int(rows[-1]) + 1, foreground.shape[0])
    left, width = _window(int(columns[0]), int(columns[-1]) + 1, foreground.shape[1])
    below, right = top + height - foreground.shape[0], left + width - foreground.shape[1]
    margins = (max(-top, 0), max(below, 0), max(-left, 0), max(right, 0))
    window = np.s_[max(top, 0) : top + height, max(left, 0) : left + width]
    ground = int(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))
    seen = cv2.copyMakeBorder(pixels[window], *margins, cv2.BORDER_CONSTANT, value=ground)
    inside = cv2.copyMakeBorder(foreground[window].astype(np.uint8), *margins, cv2.BORDER_CONSTANT, value=0)
    return Crop(np.asarray(seen, dtype=np.uint8), inside.astype(np.bool_), left, top)


def _window(first: int, last: int, side: int) -> tuple[int, int]:
    """(start, length): [first, last) with its margin, rounded up, shifted into the picture where it fits."""
    length = math.ceil((last - first + 2 * CROP_MARGIN_PX) / CROP_MULTIPLE_PX) * CROP_MULTIPLE_PX
    start = (first + last - length) // 2
    if length >= side:
        return (side - length) // 2, length
    return min(max(start, 0), side - length), length


def _morph(mask: NDArray[np.uint8], operation: int, size_px: int) -> NDArray[np.uint8]:
    radius = max(1, round(size_px / SEGMENTATION_STEP_PX))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    # A border wider than the disc keeps the picture's edge from eating or growing the mask.
    framed = cv2.copyMakeBorder(mask, radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(cv2.morphologyEx(framed, operation, disc)[radius:-radius, radius:-radius])


def _large_parts(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    areas[0] = 0
    kept = areas >= max(areas.max() * COMPANION_SHARE, 1)
    return np.asarray(kept[labels], dtype=np.uint8)


def _without_holes(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill the ground that does not touch the picture's edge."""
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(framed, None, (0, 0), 2)
    return np.asarray(framed[1:-1, 1:-1] != 2, dtype=np.uint8)
