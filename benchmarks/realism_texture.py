"""What the texture of a picture looks like to a simple classifier: numbers from patches of its foreground."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

Floats: TypeAlias = NDArray[np.float64]
#: Rows and columns of a patch.
Place: TypeAlias = tuple[slice, slice]

#: Side of a patch (px at 500 ppi), how many are taken, and the step of the grid they lie on.
PATCH_PX: Final = 64
MOST_PATCHES: Final = 9
_STEP_PX: Final = 32
#: Local binary patterns (Ojala, Pietikäinen, Mäenpää, 2002), uniform, turned alike: (points, radius in px).
_BINARY_PATTERNS: Final = ((8, 1.0), (16, 2.0))
#: Grey-level co-occurrence (Haralick, 1973): levels, distances in px, properties.
_LEVELS: Final = 16
_DISTANCES_PX: Final = (1, 2, 4)
_PROPERTIES: Final = ("contrast", "homogeneity", "energy", "correlation")
_SPECTRUM_RINGS: Final = 24
#: Side to which a patch is padded for a fine spectrum.
_FINE_SIDE: Final = 256
_GREY_BINS: Final = 16
#: Deviation of the grey around a point above which it counts as ridges, against the picture's largest.
_LIVELY: Final = 0.35

#: Untyped functions of scikit-image.
_binary: Any = local_binary_pattern
_co_occurring: Any = graycomatrix
_property: Any = graycoprops

#: The groups of the features, in their order, with their sizes.
GROUPS: Final = {
    "local binary patterns": sum(points + 2 for points, _ in _BINARY_PATTERNS),
    "grey-level co-occurrence": len(_PROPERTIES) * len(_DISTANCES_PX),
    "radial power spectrum": _SPECTRUM_RINGS,
    "grey histogram": _GREY_BINS,
}


def features_of(pixels: NDArray[np.uint8]) -> Floats:
    """Features of a grey picture at 500 ppi, the mean over its patches: float64[sum of `GROUPS`]."""
    patterns = [_binary(pixels, n, r, method="uniform") for n, r in _BINARY_PATTERNS]
    rows = [_features_at(pixels, patterns, place) for place in _patches(pixels)]
    return np.asarray(np.mean(rows, axis=0), dtype=np.float64)


def ridge_period_px(pixels: NDArray[np.uint8]) -> float:
    """Ridge period of a grey picture at 500 ppi: where the power of its patches peaks, 5 to 16 px; median."""
    return float(np.median([_period(pixels[place]) for place in _patches(pixels)]))


def _features_at(pixels: NDArray[np.uint8], patterns: list[Floats], place: Place) -> Floats:
    binary = [
        _counts(pattern[place], points + 2)
        for pattern, (points, _) in zip(patterns, _BINARY_PATTERNS, strict=True)
    ]
    patch = pixels[place]
    greys = _counts(patch // (256 // _GREY_BINS), _GREY_BINS)
    return np.concatenate([*binary, _co_occurrence(patch), _spectrum(patch), greys])


def _patches(pixels: NDArray[np.uint8]) -> list[Place]:
    """The patches with most ridges in them, liveliest first; at least one, whatever is shown."""
    grey = pixels.astype(np.float32)
    mean = cv2.boxFilter(grey, -1, (17, 17))
    spread = np.sqrt(np.maximum(cv2.boxFilter(grey * grey, -1, (17, 17)) - mean * mean, 0.0))
    lively = (spread > _LIVELY * np.percentile(spread, 98)).astype(np.float64)
    corners = [
        (y, x)
        for y in range(0, max(pixels.shape[0] - PATCH_PX, 0) + 1, _STEP_PX)
        for x in range(0, max(pixels.shape[1] - PATCH_PX, 0) + 1, _STEP_PX)
    ]
    shares = np.array([-lively[y : y + PATCH_PX, x : x + PATCH_PX].mean() for y, x in corners])
    middle = np.array(pixels.shape) / 2 - PATCH_PX / 2
    from_middle = np.array([np.hypot(y - middle[0], x - middle[1]) for y, x in corners])
    order = np.lexsort((from_middle, np.round(shares, 1)))
    chosen = [corners[row] for row in order[:MOST_PATCHES]]
    return [(slice(y, y + PATCH_PX), slice(x, x + PATCH_PX)) for y, x in chosen]


def _counts(values: NDArray[np.float64] | NDArray[np.uint8], bins: int) -> Floats:
    """Share of each whole number from 0."""
    return np.bincount(values.astype(np.intp).ravel(), minlength=bins)[:bins] / values.size


def _co_occurrence(patch: NDArray[np.uint8]) -> Floats:
    """Properties of the co-occurrence matrix at each distance, the mean over four directions."""
    angles = [0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    levels = patch // (256 // _LEVELS)
    matrix = _co_occurring(levels, _DISTANCES_PX, angles, levels=_LEVELS, symmetric=True, normed=True)
    return np.concatenate([_property(matrix, name).mean(axis=1) for name in _PROPERTIES])


def _spectrum(patch: NDArray[np.uint8]) -> Floats:
    """Logarithm of the power in rings of equal width up to the Nyquist frequency, against the whole."""
    rings, whole = _rings(patch, PATCH_PX, _SPECTRUM_RINGS)
    return np.log10(rings / max(whole, 1e-9) + 1e-7)


def _period(patch: NDArray[np.uint8]) -> float:
    rings, _ = _rings(patch, _FINE_SIDE, _FINE_SIDE // 2)
    low, high = _FINE_SIDE // 16, _FINE_SIDE // 5
    return _FINE_SIDE / float(low + int(np.argmax(rings[low : high + 1])) + 0.5)


def _rings(patch: NDArray[np.uint8], side: int, count: int) -> tuple[Floats, float]:
    """Power in `count` rings up to the Nyquist frequency, and the whole; the patch padded to `side`."""
    height, width = patch.shape
    grey = (patch - patch.mean()) * np.outer(np.hanning(height), np.hanning(width))
    power = np.abs(np.fft.fft2(grey, (side, side))) ** 2
    along = np.fft.fftfreq(side)
    ring = np.minimum(np.hypot(along[:, None], along) * 2 * count, count).astype(np.intp)
    rings = np.bincount(ring.ravel(), power.ravel(), count + 1)[:count]
    return np.asarray(rings, dtype=np.float64), float(power.sum())
