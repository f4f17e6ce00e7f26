"""Where a slap shows ridges, on a coarse grid: skin, but not handwriting, printed lines, stamps or stains."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.parameters import BAND_SIGMAS_PX

#: Side of a cell of the grid, in pixels at 500 ppi: 0.4 mm, an eighth of the tolerance of a finger's box.
CELL_PX = 8
#: A pixel shows a ridge or a valley when it differs by this many grey levels from its surroundings.
_RIDGE_GREY = 7.0
#: Standard deviation of the averages: more than a ridge period, less than the gap at a joint.
_AVERAGE_PX = 11.0
#: Skin shows ridges on this share of its pixels and in this share of its energy. Strokes of a pen reach the
#: first (0.3-0.7) but not the second (0.2-0.45); dry fingers the second but hardly the first.
_LEAST_FULL, _LEAST_SHARE = 0.3, 0.52
#: Grey energy that counts as none.
_NO_ENERGY = 30.0
#: Strokes, narrower than this disc, are cut off; a child's little finger is 100 px wide.
_OPENING_PX = 44
#: Holes up to this area (a stamped dot of 6 mm) are filled.
_HOLE_PX2 = 18_000
#: A stamp or punched hole is darker than this over a disc of this diameter; its edge outshines the ridges
#: within the rim.
_SOLID_GREY, _SOLID_PX, _SOLID_RIM_PX = 50.0, 56, 24


@dataclass(frozen=True, slots=True, eq=False)
class RidgeMap:
    """full: float32[h/8, w/8], share of a cell's pixels that show ridges. skin: bool of the same shape."""

    full: NDArray[np.float32]
    skin: NDArray[np.bool_]


def ridge_map(pixels: NDArray[np.uint8]) -> RidgeMap:
    """Find the skin in a picture at 500 ppi, uint8[h, w]."""
    fine, middle = (_blur(pixels.astype(np.float32), sigma) for sigma in BAND_SIGMAS_PX[:2])
    ridges = fine - middle
    strokes = middle - _wide_blur(middle, BAND_SIGMAS_PX[2])
    full = _cells((np.abs(ridges) > _RIDGE_GREY).astype(np.float32))
    energy, other = (_average(_cells(np.square(band))) for band in (ridges, strokes))
    share = energy / (energy + other + _NO_ENERGY)
    skin = (_average(full) > _LEAST_FULL) & (share > _LEAST_SHARE)
    return RidgeMap(
        full, _opened(_filled(np.asarray(skin | _solid(_cells(middle)), dtype=np.uint8))).astype(np.bool_)
    )


def _cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of the pixels of each cell."""
    height, width = values.shape
    size = (-(-width // CELL_PX), -(-height // CELL_PX))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _average(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    return _blur(cells, _AVERAGE_PX / CELL_PX)


def _solid(grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What is stamped over skin: black all over, and a rim that the stamp's edge outshines."""
    dark = cv2.morphologyEx((grey < _SOLID_GREY).astype(np.uint8), cv2.MORPH_OPEN, _disc(_SOLID_PX))
    return np.asarray(cv2.dilate(dark, _disc(2 * _SOLID_RIM_PX)) > 0)


def _disc(diameter_px: int) -> NDArray[np.uint8]:
    radius = round(diameter_px / CELL_PX / 2)
    return np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), dtype=np.uint8
    )


def _blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), dtype=np.float32)


def _wide_blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A wide Gaussian average, made on the cells where it costs little."""
    height, width = values.shape
    small = _blur(_cells(values), sigma / CELL_PX)
    return np.asarray(cv2.resize(small, (width, height)), dtype=np.float32)


def _filled(skin: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without holes of up to a stamp's size; ground between fingers is larger, or open to the edge."""
    framed = cv2.copyMakeBorder(1 - skin, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(framed, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= _HOLE_PX2 / CELL_PX**2
    small[0] = small[labels[0, 0]] = False
    return np.asarray(skin | small[labels[1:-1, 1:-1]], dtype=np.uint8)


def _opened(skin: NDArray[np.uint8]) -> NDArray[np.uint8]:
    radius = round(_OPENING_PX / CELL_PX / 2)
    # Fingers go on beyond the picture: its edge must not eat them.
    framed = cv2.copyMakeBorder(skin, radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(framed, cv2.MORPH_OPEN, _disc(_OPENING_PX))
    return np.asarray(opened[radius:-radius, radius:-radius], dtype=np.uint8)
