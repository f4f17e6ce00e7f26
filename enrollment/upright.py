"""Whether a print stands on its head, from the way its ridges run.

Ridges arch over the middle of a fingertip and lie level at its joint. A print turned by half a turn keeps
the orientation of every ridge and swaps the places. So the difference between a place and the place opposite
changes its sign and nothing else: a weighted sum of such differences tells up from down.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.template import RidgeField

#: Places that a print is divided into.
ROWS: Final = 6
COLUMNS: Final = 5
#: Bounds of the print: these percentiles of its cells, so that a frayed edge does not matter.
_BOUNDS: Final = (3.0, 97.0)
#: Coherence-weighted cells that an empty place counts for.
_EMPTY: Final = 0.3
#: Fewer cells show too little of a finger.
_LEAST_CELLS: Final = 60
#: Weights of cos 2θ (first) and sin 2θ of the upper three rows, left to right; logistic regression on 480
#: synthetic captures of 240 fingers and their mirror images (`python -m benchmarks.train_upright`).
_WEIGHTS: Final = np.array(
    [
        [
            [-0.479, -0.409, -0.015, -0.409, -0.479],
            [-0.274, -0.461, 0.201, -0.461, -0.274],
            [-0.085, -0.039, -0.119, -0.039, -0.085],
        ],
        [
            [0.756, 0.805, 0.000, -0.805, -0.756],
            [0.739, 0.343, 0.000, -0.343, -0.739],
            [0.768, -0.072, 0.000, 0.072, -0.768],
        ],
    ],
    dtype=np.float32,
)


def uprightness(field: RidgeField) -> float | None:
    """Log odds that the tip is up; negative: down; None where too little of the finger is seen."""
    places = differences(field)
    return None if places is None else float((places * _WEIGHTS).sum())


def differences(field: RidgeField) -> NDArray[np.float32] | None:
    """float32[2, 3, 5]: cos 2θ and sin 2θ of the upper places minus those of the places opposite."""
    rows, columns = np.nonzero(field.foreground)
    if len(rows) < _LEAST_CELLS:
        return None
    place = _shares(rows, ROWS) * COLUMNS + _shares(columns, COLUMNS)
    twice = field.orientation[field.foreground] * np.float32(2 * np.pi / 256)
    weight = field.coherence[field.foreground] * np.float32(1 / 255)
    total = np.bincount(place, weight, ROWS * COLUMNS) + _EMPTY
    means = np.stack(
        [np.bincount(place, weight * part, ROWS * COLUMNS) / total for part in (np.cos(twice), np.sin(twice))]
    ).reshape(2, ROWS, COLUMNS)
    return np.asarray((means - means[:, ::-1, ::-1])[:, : ROWS // 2], dtype=np.float32)


def _shares(index: NDArray[np.intp], parts: int) -> NDArray[np.intp]:
    """Which of `parts` equal parts of the print each cell lies in."""
    first, last = np.percentile(index, _BOUNDS)
    share = ((index - first + 0.5) / (last - first + 1) * parts).astype(np.intp)
    return np.asarray(np.clip(share, 0, parts - 1), dtype=np.intp)
