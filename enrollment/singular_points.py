"""Cores and deltas, where the flow of the ridges turns by half around a point. To look at, no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from matcher.template import CELL_PX, RidgeField

#: Standard deviation of the average over the flow before it is read, in cells: what is left is the pattern's.
_SMOOTH_CELLS: Final = 1.2
#: Cells of the print that must lie around a point on each side.
_MARGIN_CELLS: Final = 2


@dataclass(frozen=True, slots=True)
class SingularPoint:
    """A point of the picture in pixels at 500 ppi; a core or a delta."""

    x: int
    y: int
    is_core: bool


def singular_points(field: RidgeField) -> tuple[SingularPoint, ...]:
    """Points with a Poincaré index of a half (core) or minus a half (delta), in the order of rows.

    The orientation's angle is doubled, weighted by coherence and averaged; then four neighbouring cells are
    gone around (Kawagoe and Tojo, 1984).
    """
    twice = field.orientation.astype(np.float32) * np.float32(2 * np.pi / 256)
    weight = field.coherence.astype(np.float32) * field.foreground
    cosine, sine = (
        cv2.GaussianBlur(weight * part, (0, 0), _SMOOTH_CELLS) for part in (np.cos(twice), np.sin(twice))
    )
    angle = np.arctan2(sine, cosine)
    corners = (angle[:-1, :-1], angle[1:, :-1], angle[1:, 1:], angle[:-1, 1:])
    turn = sum(
        _short_way(after - before) for before, after in zip(corners, (*corners[1:], corners[0]), strict=True)
    )
    side = 2 * _MARGIN_CELLS + 1
    inner = cv2.erode(np.pad(field.foreground.astype(np.uint8), 1), np.ones((side, side), dtype=np.uint8))[
        1:-1, 1:-1
    ]
    around = np.asarray(turn) * np.minimum(inner[:-1, :-1], inner[1:, 1:]) / (2 * np.pi)
    rows, columns = np.nonzero(np.abs(around) > 0.5)
    return tuple(
        SingularPoint(int(column + 1) * CELL_PX, int(row + 1) * CELL_PX, bool(around[row, column] > 0))
        for row, column in zip(rows, columns, strict=True)
    )


def _short_way(angle: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same turn the short way round, -π to π."""
    return np.asarray(np.mod(angle + np.pi, 2 * np.pi) - np.pi, dtype=np.float32)
