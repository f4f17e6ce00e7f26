"""Where the finger lies on the glass, and whether it lies there alone: read from the foreground's shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: A stretch of a row this long is a finger's, in pixels; shorter ones are frayed edges.
_STRETCH_PX: Final = 90
_ROW_STEP_PX: Final = 4


@dataclass(frozen=True, slots=True)
class Placement:
    """width_px, height_px: of the foreground's box.

    off: distance of its centre from the picture's, as a share of the picture's side (the larger of the two).
    cut: the longest stretch along one edge of the picture, as a share of the root of the area.
    parted: share of the rows that cross two separate stretches, which two fingers side by side do.
    """

    width_px: int
    height_px: int
    off: float
    cut: float
    parted: float


def placement(foreground: NDArray[np.bool_]) -> Placement:
    """Measure a foreground that is not empty."""
    by_row, by_column = foreground.sum(axis=1), foreground.sum(axis=0)
    rows, columns = np.flatnonzero(by_row), np.flatnonzero(by_column)
    height, width = foreground.shape
    area = int(by_row.sum())
    middle_y = float((by_row * np.arange(height)).sum()) / area / height
    middle_x = float((by_column * np.arange(width)).sum()) / area / width
    edge = max(int(by_row[0]), int(by_row[-1]), int(by_column[0]), int(by_column[-1]))
    return Placement(
        width_px=int(columns[-1] - columns[0]) + 1,
        height_px=int(rows[-1] - rows[0]) + 1,
        off=max(abs(middle_x - 0.5), abs(middle_y - 0.5)),
        cut=edge / area**0.5,
        parted=_parted(foreground[rows[0] : rows[-1] + 1 : _ROW_STEP_PX]),
    )


def _parted(rows: NDArray[np.bool_]) -> float:
    steps = np.diff(np.pad(rows.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, start = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    long = np.bincount(row[end - start >= _STRETCH_PX], minlength=len(rows))
    return float((long >= 2).mean())
