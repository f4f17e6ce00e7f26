"""Whether a picture shows a print that can be compared, and what to tell the operator if not."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.advice import advice
from enrollment.capture import Capture, FailureToAcquire, Reason
from enrollment.palm import is_palm
from enrollment.parameters import (
    BAND_SIGMAS_PX,
    CORNERS_AREA_PX2,
    CORNERS_GRAIN_SHARE,
    CORNERS_SHARE,
    JUDGED_PROBABILITY,
    LEAST_AREA_PX2,
    LEAST_EXPECTED_MINUTIAE,
    LEAST_RIDGE_EVIDENCE,
    LEAST_RIDGE_SHARE,
    MOST_AREA_PX2,
    MOST_SIDE_PX,
    SMALL_AREA_PX2,
)
from matcher.template import RidgeField, Template


def failure(capture: Capture, reason: Reason) -> FailureToAcquire:
    """What is recorded in place of a finger."""
    return FailureToAcquire(capture.position, capture.impression, reason, advice(reason))


def why_no_fingertip(
    pixels: NDArray[np.uint8], foreground: NDArray[np.bool_], field: RidgeField, share: float
) -> Reason | None:
    """What the foreground, its ridges and its `ridge_share` rule out, before the network is asked."""
    area = int(foreground.sum())
    if area and area < LEAST_AREA_PX2:
        return Reason.TOO_SMALL
    if share < LEAST_RIDGE_SHARE:
        return Reason.NO_FINGERPRINT
    skin = share > CORNERS_GRAIN_SHARE
    corners = skin and area / foreground.size > CORNERS_SHARE and area > CORNERS_AREA_PX2
    if area > MOST_AREA_PX2 or _longest(foreground) > MOST_SIDE_PX or corners:
        return Reason.NO_FINGERTIP
    return Reason.NO_FINGERTIP if is_palm(field, foreground, pixels) else None


def _longest(foreground: NDArray[np.bool_]) -> int:
    """Pixels from end to end, across or down."""
    sides = (np.flatnonzero(foreground.any(axis=axis)) for axis in (0, 1))
    return max(int(side[-1]) - int(side[0]) + 1 if len(side) else 0 for side in sides)


def why_no_template(template: Template, foreground: NDArray[np.bool_], share: float) -> Reason | None:
    """What the minutiae rule out: in a picture of something else the network is unsure of all it sees.

    A small part of a finger may have too few of them however clear it is: then its size is what to mend.
    """
    probability = template.quality / 100
    judged = probability[probability >= JUDGED_PROBABILITY]
    if len(judged) and share * judged.mean() < LEAST_RIDGE_EVIDENCE:
        return Reason.NO_FINGERPRINT
    if judged.sum() < LEAST_EXPECTED_MINUTIAE:
        return Reason.TOO_SMALL if int(foreground.sum()) < SMALL_AREA_PX2 else Reason.TOO_FEW_MINUTIAE
    return None


def ridge_share(pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> float:
    """The share of the foreground's grey energy that has the period of ridges, 0-1; 0 without foreground."""
    if not foreground.any():
        return 0.0
    rows, columns = np.flatnonzero(foreground.any(axis=1)), np.flatnonzero(foreground.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    bands = [pixels[window].astype(np.float32)]
    bands += [_blur(bands[0], sigma) for sigma in BAND_SIGMAS_PX]
    inside = foreground[window].astype(np.uint8)
    grain, ridges, shading = (
        cv2.norm(finer, coarser, cv2.NORM_L2SQR, inside) for finer, coarser in pairwise(bands)
    )
    return float(ridges / max(grain + ridges + shading, 1e-6))


def _blur(values: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Gaussian average; a wide one is made on a smaller picture, where it costs little and looks the same."""
    step = max(1, int(sigma_px // 2))
    height, width = values.shape
    small = cv2.resize(values, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), sigma_px / step)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
