"""What moisture does to ridges: blots and pieces, counted inside the print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from matcher.template import CELL_PX

#: Standard deviation of the average before steps are measured, in pixels.
_STEP_SIGMA_PX: Final = 0.8
#: Ridge and valley tones are these percentiles of the print's greys.
_TONES: Final = (10, 90)
#: Dark areas that hold a disc of this diameter are no ridges: a ridge and its valley take nine pixels.
_BLOT_PX: Final = 9
#: Dark pieces smaller than this are noise, in square pixels.
_SPECK_PX2: Final = 4
#: Width at the print's edge that is left out: contact fades there, along with the ridges.
_EDGE_PX: Final = 17
_INSIDE: Final = 0.9
_LEAST_CELLS: Final = 25


@dataclass(frozen=True, slots=True)
class RidgeTexture:
    """Numbers of a print; of one too small to judge there are none.

    blots: share of the print that is dark over a whole ridge period; 0-1.
    pieces: separate dark pieces in 10,000 px²; an intact ridge is one piece.
    coherence: mean over the cells, 0-1; broken ridges have little.
    """

    blots: float
    pieces: float
    coherence: float


def ridge_texture(
    pixels: NDArray[np.uint8], smooth: NDArray[np.uint8], foreground: NDArray[np.bool_]
) -> RidgeTexture | None:
    """Measure a print at 500 ppi; None where fewer than 25 cells lie inside it. smooth: without its grain."""
    edge = np.ones((_EDGE_PX, _EDGE_PX), dtype=np.uint8)
    inner = cv2.erode(foreground.astype(np.uint8), edge)
    cells = _cells(inner.astype(np.float32)) > _INSIDE
    if int(cells.sum()) < _LEAST_CELLS:
        return None
    soft = cv2.GaussianBlur(pixels, (0, 0), _STEP_SIGMA_PX)
    across = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    down = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    xx, yy, xy = (_cells(product)[cells] for product in (across * across, down * down, across * down))
    coherent = np.hypot(2 * xy, xx - yy) / np.maximum(xx + yy, 1e-6)
    blots, pieces = _dark_areas(smooth, foreground)
    return RidgeTexture(blots, pieces, float(coherent.mean()))


def _dark_areas(smooth: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> tuple[float, float]:
    """Blots and pieces: one threshold for the whole print, since a blot has no valley beside it."""
    darkest, lightest = np.percentile(smooth[foreground][::5], _TONES)
    dark = ((smooth < (darkest + lightest) / 2) & foreground).astype(np.uint8)
    area = int(foreground.sum())
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_BLOT_PX, _BLOT_PX))
    blots = int(cv2.morphologyEx(dark, cv2.MORPH_OPEN, disc).sum())
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    pieces = int((stats[1:, cv2.CC_STAT_AREA] >= _SPECK_PX2).sum())
    return blots / area, 10_000 * pieces / area


def _cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each whole 16-px cell."""
    rows, columns = values.shape[0] // CELL_PX, values.shape[1] // CELL_PX
    whole = values[: rows * CELL_PX, : columns * CELL_PX]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)
