"""The region that two prints laid over each other have in common, as a polygon: for examiners."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.alignment import Motion, moved
from matcher.hulls import convex_hull
from matcher.pairing import X, Y
from matcher.prepared import PreparedTemplate

#: Corners float64[k, 2], x and y up, in order around the polygon.
Corners = NDArray[np.float64]


def common_region(probe: PreparedTemplate, reference: PreparedTemplate, motion: Motion) -> Corners:
    """What both prints' minutiae span, in the reference's frame; no corners where they do not meet.

    The convex hull of the probe's minutiae, moved, cut along each edge of the reference's (Sutherland and
    Hodgman, "Reentrant polygon clipping", CACM 17(1), 1974). The share of paired minutiae
    (`matcher.evidence`) is taken among those that lie in it or just outside.
    """
    if min(probe.hull.shape[1], reference.hull.shape[1]) < 3:
        return np.zeros((0, 2))
    laid = moved(probe.minutiae, motion)
    corners = laid[:, convex_hull(laid[X], laid[Y])][[X, Y]].T.astype(np.float64)
    for across, along, offset in reference.hull.T.astype(np.float64):
        corners = _cut(corners, corners @ (across, along) - offset)
    return corners


def _cut(corners: Corners, away: NDArray[np.float64]) -> Corners:
    """What is left of a convex polygon where its corners' distances, float64[k], are not above 0."""
    left = []
    for corner, following, here, there in zip(
        corners, np.roll(corners, -1, axis=0), away, np.roll(away, -1), strict=True
    ):
        if here <= 0.0:
            left.append(corner)
        if here * there < 0.0:
            left.append(corner + (following - corner) * (here / (here - there)))
    return np.array(left).reshape(-1, 2)
