"""Which way the ridges run: orientation and coherence on the template's grid, from the structure tensor."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.segmentation import Gradients
from matcher.template import CELL_PX, RidgeField

#: A cell belongs to the print when this share of its pixels does.
CELL_SHARE = 0.5
#: Coherence is told in this many steps above zero.
COHERENCE_STEPS = 15


def ridge_field(steps: Gradients, foreground: NDArray[np.bool_]) -> RidgeField:
    """Orientation, coherence and foreground in cells of 16 px.

    Cells outside the foreground are zero, and coherence has 16 steps, so that a stored template stays small.
    Gradient products averaged over a cell and its neighbours (Kass and Witkin 1987; Bazen and Gerez 2002).
    Ridges run at right angles to the mean gradient; y points down in pixels and up in angles, hence the sign.
    """
    xx, yy, xy = (_smooth(_cells(product)) for product in _products(steps))
    gradient_angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    ridge_angle = np.mod(-(gradient_angle + np.pi / 2), np.pi)
    energy = xx + yy
    coherence = np.clip(np.hypot(xx - yy, 2 * xy) / np.maximum(energy, 1e-6), 0, 1)
    inside = _cells(foreground.astype(np.float32)) >= CELL_SHARE
    return RidgeField(
        orientation=np.where(inside, np.mod(np.rint(ridge_angle * (256 / np.pi)), 256), 0).astype(np.uint8),
        coherence=np.where(inside, np.rint(coherence * COHERENCE_STEPS) * (255 / COHERENCE_STEPS), 0).astype(
            np.uint8
        ),
        foreground=inside,
    )


def _products(steps: Gradients) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    return steps.x * steps.x, steps.y * steps.y, steps.x * steps.y


def _cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each 16-px cell; the last row and column average what there is of them."""
    height, width = values.shape
    rows, columns = -(-height // CELL_PX), -(-width // CELL_PX)
    bottom, right = rows * CELL_PX - height, columns * CELL_PX - width
    padded = cv2.copyMakeBorder(values, 0, bottom, 0, right, cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _smooth(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Binomial average over 3 × 3 cells."""
    kernel = np.array([0.25, 0.5, 0.25], dtype=np.float32)
    smooth = cv2.sepFilter2D(cells, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth, dtype=np.float32)
