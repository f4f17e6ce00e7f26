"""Which way the loops of fingertips open: to the right on most fingers of a right hand.

Six of ten prints are loops that open towards the little finger (ulnar); few but the index finger have loops
that open towards the thumb (radial). So the flow of the ridges tells hands apart where their outline does
not. Orientations of a tip are averaged in places, relative to the finger; what a mirror would change is
weighed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.segmentation import gradients
from enrollment.slap_pieces import Piece
from enrollment.slap_ridges import CELL_PX

#: Places that a tip is divided into, and the half of the columns that its mirror image leaves.
ROWS: Final = 5
COLUMNS: Final = 5
HALF: Final = (COLUMNS + 1) // 2
#: A place is looked at in a tip that is this many of its widths long, from its top.
_LENGTH_WIDTHS: Final = 1.5
#: Bounds of the tip: these percentiles of its cells, so that a frayed edge does not matter.
_BOUNDS: Final = (3.0, 97.0)
#: Cells that an empty place counts for.
_EMPTY: Final = 2.0
#: Weights of cos 2θ (first) and sin 2θ; logistic regression on the middle, ring and little fingers of
#: synthetic slaps (`python -m benchmarks.slap_loops`). A mirror changes no cos 2θ on the axis.
_WEIGHTS: Final = np.array(
    [
        [[0.02, 0.02, 0.0], [-0.28, -0.13, 0.0], [-0.36, 0.08, 0.0], [-0.18, 0.17, 0.0], [0.07, 0.26, 0.0]],
        [
            [-0.06, -0.12, -0.28],
            [-0.29, -0.30, -0.24],
            [-0.73, -0.76, -0.25],
            [-0.19, -0.61, -0.61],
            [0.21, -0.15, -0.27],
        ],
    ],
    dtype=np.float32,
)
#: Share of a digit's loops that open towards the thumb, and of prints that are drawn badly: index, middle,
#: ring, little. No finger by itself outweighs more than the logarithm of its inverse.
_RADIAL: Final = {2: 0.35, 3: 0.05, 4: 0.05, 5: 0.05}


def right_by_loops(
    pixels: NDArray[np.uint8], tips: Sequence[Piece], turns: Sequence[float], digits: Sequence[int]
) -> float:
    """Log odds that four fingers or fewer are of a right hand.

    pixels: of the slap. tips: from left to right, with their turns (rad). digits: 2 (index) to 5 (little), in
    any order: on a right hand they rise from left to right, on a left hand they fall.
    """
    opened = [
        float((flow(pixels, tip, turn) * _WEIGHTS).sum()) for tip, turn in zip(tips, turns, strict=True)
    ]
    right = sum(map(_log_likelihood, opened, sorted(digits)))
    left = sum(map(_log_likelihood, (-each for each in opened), sorted(digits, reverse=True)))
    return right - left


def _log_likelihood(odds: float, digit: int) -> float:
    """Of a flow as it is, in a finger of the hand for which `odds` speaks."""
    radial = _RADIAL[digit]
    return math.log((1 - radial) / (1 + math.exp(-odds)) + radial / (1 + math.exp(odds)))


def flow(pixels: NDArray[np.uint8], tip: Piece, turn: float) -> NDArray[np.float32]:
    """What a mirror would change of a tip's flow; float32[2, 5, 3].

    pixels: of the slap. turn: of the finger, rad. First cos 2θ, then sin 2θ (θ against the finger's own
    axis, counter-clockwise) of the places, each with that opposite, in rows from the top and columns from
    the left to the middle. A mirror image has the same with the other sign.
    """
    rows, columns = np.nonzero(tip.cells)
    top, left, below, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    window = pixels[top * CELL_PX : below * CELL_PX, left * CELL_PX : right * CELL_PX]
    cos, sin, energy = (part[rows - top, columns - left] for part in _doubled(window))
    # Against the finger's axis: angles count twice.
    cos, sin = (
        math.cos(2 * turn) * cos + math.sin(2 * turn) * sin,
        math.cos(2 * turn) * sin - math.sin(2 * turn) * cos,
    )
    place = _places(rows, columns, turn)
    inside = place >= 0
    counted = np.bincount(place[inside], energy[inside], ROWS * COLUMNS)
    usual = max(float(np.median(energy)), 1e-3)
    means = np.stack(
        [
            np.bincount(place[inside], part[inside], ROWS * COLUMNS) / (counted + _EMPTY * usual)
            for part in (cos, sin)
        ]
    ).reshape(2, ROWS, COLUMNS)
    mirrored = means[:, :, ::-1] * np.array([1.0, -1.0])[:, None, None]
    return np.asarray((means - mirrored)[:, :, :HALF], dtype=np.float32)


def _doubled(window: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    """Of each cell cos 2θ and sin 2θ of its ridges, times energy, and the energy; θ counter-clockwise."""
    steps = gradients(window)
    along, across = (_cells(part) for part in (steps.x * steps.x, steps.y * steps.y))
    both = _cells(steps.x * steps.y)
    # Ridges run at right angles to the gradient, and y points down in pixels: both change signs.
    return along * -1 + across, 2 * both, along + across


def _cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = values.shape
    size = (-(-width // CELL_PX), -(-height // CELL_PX))
    means = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(means, (0, 0), 1.0), dtype=np.float32)


def _places(rows: NDArray[np.intp], columns: NDArray[np.intp], turn: float) -> NDArray[np.intp]:
    """The place of each cell of a tip, -1 below what is looked at."""
    cos, sin = math.cos(turn), math.sin(turn)
    across, along = cos * columns - sin * rows, sin * columns + cos * rows
    first, last = np.percentile(across, _BOUNDS)
    top = np.percentile(along, _BOUNDS[0])
    column = np.clip((across - first) / (last - first) * COLUMNS, 0, COLUMNS - 1)
    row = (along - top) / (_LENGTH_WIDTHS * (last - first)) * ROWS
    place = row.clip(0).astype(np.intp) * COLUMNS + column.astype(np.intp)
    return np.where(row < ROWS, place, -1)
