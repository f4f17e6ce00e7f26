"""Whether a picture shows a print that can be compared, and what to tell the operator if not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.advice import advice
from enrollment.capture import Capture, FailureToAcquire, Reason
from enrollment.palm import is_palm
from enrollment.parameters import (
    CORNERS_AREA_PX2,
    CORNERS_GRAIN_SHARE,
    CORNERS_SHARE,
    JUDGED_PROBABILITY,
    LEAST_AREA_PX2,
    LEAST_EXPECTED_MINUTIAE,
    LEAST_RIDGE_EVIDENCE,
    LEAST_RIDGE_SHARE,
    LEAST_SURENESS,
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
    """What the foreground, its ridges and their share of its greys rule out, before the network is asked."""
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
    if len(judged):
        sure = float(judged.mean())
        if sure < LEAST_SURENESS or share * sure < LEAST_RIDGE_EVIDENCE:
            return Reason.NO_FINGERPRINT
    if judged.sum() < LEAST_EXPECTED_MINUTIAE:
        return Reason.TOO_SMALL if int(foreground.sum()) < SMALL_AREA_PX2 else Reason.TOO_FEW_MINUTIAE
    return None
