"""What a picture's greys are made of: grain, ridges and shading, told apart by their width."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.parameters import BAND_SIGMAS_PX


@dataclass(frozen=True, slots=True)
class GreyBands:
    """Shares of the grey energy, 0-1: what is finer than ridges, and what is as wide; the rest is shading."""

    grain: float
    ridges: float


def grey_bands(pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> GreyBands:
    """The bands of a foreground (uint8[h, w], bool[h, w]); nothing where there is none."""
    if not foreground.any():
        return GreyBands(0.0, 0.0)
    rows, columns = np.flatnonzero(foreground.any(axis=1)), np.flatnonzero(foreground.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    bands = [pixels[window].astype(np.float32)]
    bands += [_blur(bands[0], sigma) for sigma in BAND_SIGMAS_PX]
    inside = foreground[window].astype(np.uint8)
    grain, ridges, shading = (
        cv2.norm(finer, coarser, cv2.NORM_L2SQR, inside) for finer, coarser in pairwise(bands)
    )
    whole = max(grain + ridges + shading, 1e-6)
    return GreyBands(grain / whole, ridges / whole)


def without_grain(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture without what is finer than ridges."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), BAND_SIGMAS_PX[0]), dtype=np.uint8)


def _blur(values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Gaussian average; a wide one is made on a smaller picture, where it costs little and looks the same."""
    step = max(1, int(sigma_px // 2))
    height, width = values.shape
    small = cv2.resize(values, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), sigma_px / step)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
