"""How well a print can be compared, and what is wrong with its capture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.capture import Defect, Quality
from enrollment.parameters import (
    BAND_SIGMAS_PX,
    DRY_DARK_SHARE,
    FEW_EXPECTED_MINUTIAE,
    FLAT_GREY,
    FULL_AREA_PX2,
    FULL_MINUTIAE,
    LOW_CONTRAST_GREY,
    RIDGE_AND_VALLEY_PX,
    SMALL_AREA_PX2,
    WET_DARK_SHARE,
)
from matcher.template import Template

#: Minutiae probability quality, version 1.
ALGORITHM = "tenprint-mpq/1"


@dataclass(frozen=True, slots=True)
class RidgeTone:
    """contrast: median grey difference of ridge and valley. dark_share: share of the pattern that is dark."""

    contrast: float
    dark_share: float


def assess(template: Template, pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> Quality:
    """Quality 0-100 and the defects of a capture at 500 ppi.

    value = 100 · sqrt(min(1, Σp / 40)) · sqrt(min(1, area / 65,000 px²)), p the minutiae's probabilities: the
    number of minutiae one can expect to find again, on an area that can overlap.
    """
    expected, area = float(template.quality.sum()) / 100, int(foreground.sum())
    value = 100 * (min(1.0, expected / FULL_MINUTIAE) * min(1.0, area / FULL_AREA_PX2)) ** 0.5
    tone = ridge_tone(pixels, foreground)
    found = {
        Defect.FEW_MINUTIAE: expected < FEW_EXPECTED_MINUTIAE,
        Defect.TOO_SMALL: area < SMALL_AREA_PX2,
        Defect.LOW_CONTRAST: tone.contrast < LOW_CONTRAST_GREY,
        Defect.TOO_DRY: tone.dark_share < DRY_DARK_SHARE,
        Defect.TOO_WET: tone.dark_share > WET_DARK_SHARE,
    }
    return Quality(round(value), ALGORITHM, tuple(defect for defect, present in found.items() if present))


def ridge_tone(pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> RidgeTone:
    """Tone of the ridge pattern, each pixel judged against the darkest and lightest around it."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), BAND_SIGMAS_PX[0])
    square = (RIDGE_AND_VALLEY_PX, RIDGE_AND_VALLEY_PX)
    around = np.ones(square, dtype=np.uint8)
    darkest = cv2.blur(cv2.erode(smooth, around), square).astype(np.float32)
    lightest = cv2.blur(cv2.dilate(smooth, around), square).astype(np.float32)
    contrast = lightest - darkest
    judged = foreground & (contrast > FLAT_GREY)
    if not judged.any():
        return RidgeTone(0.0, 0.5)
    dark = smooth[judged] < (lightest[judged] + darkest[judged]) / 2
    return RidgeTone(float(np.median(contrast[foreground])), float(dark.mean()))
