"""Where a peak of the position map can be, seen from the coarse features: the head is asked there alone."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.trunk import Features

#: Log odds that a cell of 4 × 4 pixels holds a peak of 0.15 or more, linear in its coarse features; logistic
#: regression on synthetic captures (`python -m benchmarks.train_gate`). The others of 24 only fill blocks.
_WEIGHTS: Final = np.array(
    [
        [2.778, 1.675, 0.773, -3.889, -2.041, 1.206, 2.720, 0.496, 1.338, -1.424],
        [-3.883, 0.319, 0.557, -3.496, -6.356, 2.018, -2.386, -0.309, 1.997, 0.572],
    ],
    dtype=np.float32,
).ravel()
_BIAS: Final = np.float32(-2.951)
#: One cell in fourteen is beyond. Of 50,645 minutiae from 0.2 on (nine real sets) none is lost, of 2,739
#: fainter ones 23.
LEAST: Final = -4.0
#: Peaks fainter than this need the whole map.
FAINTEST_GATED: Final = 0.12


def cells_with_peaks(features: Features) -> NDArray[np.bool_]:
    """bool[h/4, w/4]: cells that can hold a peak, and those around them, which decide whether it is one."""
    odds = features.coarse[..., : len(_WEIGHTS)] @ _WEIGHTS + _BIAS
    found = ((odds > LEAST) & features.wanted).astype(np.uint8)
    return np.asarray(cv2.dilate(found, np.ones((3, 3), dtype=np.uint8)), dtype=np.bool_)
