"""Whether a picture shows a print that can be compared, and what to tell the operator if not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enrollment.advice import advice
from enrollment.capture import Capture, FailureToAcquire, Reason
from enrollment.palm import is_palm
from enrollment.parameters import (
    CLEARNESS_WEIGHT,
    CORNERS_AREA_PX2,
    CORNERS_COHERENCE,
    CORNERS_PX,
    CORNERS_SHARE,
    COUNTED_PROBABILITY,
    CROWD_WEIGHT,
    LEAST_AREA_PX2,
    LEAST_EXPECTED_MINUTIAE,
    LEAST_PRINT_EVIDENCE,
    LEAST_RIDGE_SHARE,
    MOST_AREA_PX2,
    MOST_SIDE_PX,
    RIDGES_WEIGHT,
    SMALL_AREA_PX2,
)
from matcher.template import CELL_PX, RidgeField, Template


def failure(capture: Capture, reason: Reason) -> FailureToAcquire:
    """What is recorded in place of a finger."""
    return FailureToAcquire(capture.position, capture.impression, reason, advice(reason))


def why_no_fingertip(
    pixels: NDArray[np.uint8], foreground: NDArray[np.bool_], field: RidgeField, ridges: float
) -> Reason | None:
    """What the foreground, its ridges and their share of its greys rule out, before the network is asked."""
    area = int(foreground.sum())
    if area and area < LEAST_AREA_PX2:
        return Reason.TOO_SMALL
    if ridges < LEAST_RIDGE_SHARE:
        return Reason.NO_FINGERPRINT
    filled = area > CORNERS_AREA_PX2 and area / foreground.size > CORNERS_SHARE
    corners = filled and _least_clear_corner(field) > CORNERS_COHERENCE
    if area > MOST_AREA_PX2 or _longest(foreground) > MOST_SIDE_PX or corners:
        return Reason.NO_FINGERTIP
    return Reason.NO_FINGERTIP if is_palm(field, foreground, pixels) else None


def _least_clear_corner(field: RidgeField) -> float:
    """Mean coherence, 0-1, of the corner of the picture where it is least; cells off the print have none."""
    side = CORNERS_PX // CELL_PX
    ends = (slice(None, side), slice(-side, None))
    return min(float(field.coherence[rows, columns].mean()) for rows in ends for columns in ends) / 255


def _longest(foreground: NDArray[np.bool_]) -> int:
    """Pixels from end to end, across or down."""
    sides = (np.flatnonzero(foreground.any(axis=axis)) for axis in (0, 1))
    return max(int(side[-1]) - int(side[0]) + 1 if len(side) else 0 for side in sides)


def why_no_template(
    template: Template, foreground: NDArray[np.bool_], field: RidgeField, ridges: float
) -> Reason | None:
    """What the minutiae rule out: in a picture of something else the network is unsure of all it sees.

    A small part of a finger may have too few of them however clear it is: then its size is what to mend.
    """
    evidence = print_evidence(print_measures(template, foreground, field, ridges))
    if len(template) and evidence < LEAST_PRINT_EVIDENCE:
        return Reason.NO_FINGERPRINT
    if counted_minutiae(template) < LEAST_EXPECTED_MINUTIAE:
        return Reason.TOO_SMALL if int(foreground.sum()) < SMALL_AREA_PX2 else Reason.TOO_FEW_MINUTIAE
    return None


def counted_minutiae(template: Template) -> float:
    """Sum of the minutiae's probabilities, the faintest left out: how many are to be expected again."""
    probability = template.quality / 100
    return float(probability[probability >= COUNTED_PROBABILITY].sum())


@dataclass(frozen=True, slots=True)
class PrintMeasures:
    """What tells a print from a picture of something else.

    sureness:  mean probability of the minutiae, each weighing as much as it is probable, 0-1.
    crowd:     natural logarithm of the minutiae to be expected in 10,000 px² of foreground.
    clearness: mean coherence of the ridge field in the foreground, 0-1.
    ridges:    share of the grey energy in the band of ridges (`grey_bands`), 0-1.
    """

    sureness: float
    crowd: float
    clearness: float
    ridges: float


def print_measures(
    template: Template, foreground: NDArray[np.bool_], field: RidgeField, ridges: float
) -> PrintMeasures:
    """The measures of a picture with these minutiae, foreground (bool[h, w]), field and share of ridges."""
    probability = template.quality / 100
    expected = max(float(probability.sum()), 1e-6)
    return PrintMeasures(
        sureness=float(np.square(probability).sum()) / expected,
        crowd=math.log(max(1e4 * expected / max(int(foreground.sum()), 1), 1e-3)),
        clearness=float(field.coherence[field.foreground].mean()) / 255 if field.foreground.any() else 0.0,
        ridges=ridges,
    )


def print_evidence(measures: PrintMeasures) -> float:
    """How surely minutiae are seen for how clear the lines are that they were seen in.

    Where lines are clear, as the edges of a photograph are, a print's minutiae are sure; where they are not,
    because the finger was wet or the glass noisy, hardly anything but a print makes any that are. A print
    also has more of them, and its greys are ridges.
    """
    return (
        measures.sureness
        + CROWD_WEIGHT * measures.crowd
        - CLEARNESS_WEIGHT * measures.clearness
        + RIDGES_WEIGHT * measures.ridges
    )
