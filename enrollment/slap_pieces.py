"""The skin of a slap in pieces: fingertips, and what lies below their joints; touching ones taken apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.slap_ridges import CELL_PX, RidgeMap

#: As many of the largest pieces are looked at: a hand's tips and what lies below them. It bounds the work.
MOST_PIECES: Final = 14
#: A piece that is narrower or smaller is no part of a finger; a child of five has tips of 110 × 160 px.
_LEAST_WIDTH_PX, _LEAST_AREA_PX2 = 64, 6_000
#: Two parts hang together by a neck: where it is narrower than this share of the narrower part, they are cut.
_NECK_SHARE = 0.72
#: Standard deviations of an ellipse's axis to its full length.
_AXIS = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """One connected part of the skin; pixels at 500 ppi, y down.

    cells: bool[h/8, w/8], where it is. x, y: its centre. length, width: of the ellipse of the same moments.
    turn: of its long axis against upright, counter-clockwise, within ±π/2 rad. beside: it goes on beyond the
    left or right edge of the picture.
    """

    cells: NDArray[np.bool_]
    x: float
    y: float
    length: float
    width: float
    turn: float
    area: float
    beside: bool


def pieces(ridges: RidgeMap) -> list[Piece]:
    """The pieces of the skin that could be parts of fingers, largest first; at most `MOST_PIECES`."""
    found: list[Piece] = []
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ridges.skin.astype(np.uint8), connectivity=4)
    largest = 1 + np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable")[:MOST_PIECES]
    waiting = [labels == label for label in largest]
    while waiting:
        cells = waiting.pop()
        parts = _parts(cells)
        if len(parts) > 1:
            waiting += parts
        elif (piece := measured(cells)) is not None:
            found.append(piece)
    return sorted(found, key=lambda piece: -piece.area)[:MOST_PIECES]


def _parts(cells: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Two or more parts, cut where they hang together by a neck; otherwise the one.

    Cells are peeled off from outside, layer by layer. What falls apart before it is gone hung by a neck.
    """
    # Beyond the picture's edge the finger goes on.
    framed = cv2.copyMakeBorder(cells.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    for layer in np.arange(1.0, float(depth.max()) * _NECK_SHARE, 0.5):
        count, labels = cv2.connectedComponents((depth > layer).astype(np.uint8), connectivity=8)
        deepest = [float(depth[labels == label].max()) for label in range(1, count)]
        # A bump is deep by little more than the layer; a part is deep enough to be a finger, and has a neck.
        kept = [
            label
            for label, deep in enumerate(deepest, start=1)
            if layer < _NECK_SHARE * deep and deep * 2 * CELL_PX >= _LEAST_WIDTH_PX
        ]
        if len(kept) > 1:
            return _nearest(cells, np.asarray(labels, dtype=np.int32), kept)
    return [cells]


def _nearest(cells: NDArray[np.bool_], labels: NDArray[np.int32], kept: list[int]) -> list[NDArray[np.bool_]]:
    """Each cell with the part it is nearest to."""
    distances = [cv2.distanceTransform((labels != label).astype(np.uint8), cv2.DIST_L2, 5) for label in kept]
    nearest = np.argmin(np.stack(distances), axis=0)
    return [cells & (nearest == number) for number in range(len(kept))]


def measured(cells: NDArray[np.bool_]) -> Piece | None:
    """A piece with its measures; None where it is too small for a finger."""
    rows, columns = np.nonzero(cells)
    area = float(len(rows) * CELL_PX**2)
    if area < _LEAST_AREA_PX2:
        return None
    x, y = (columns + 0.5) * CELL_PX, (rows + 0.5) * CELL_PX
    spread, axes = np.linalg.eigh(np.cov(np.stack([x, y])))
    width, length = (_AXIS * math.sqrt(max(float(each), 1.0)) for each in spread)
    if width < _LEAST_WIDTH_PX:
        return None
    along = axes[:, 1] if axes[1, 1] < 0 else -axes[:, 1]
    return Piece(
        cells=cells,
        x=float(x.mean()),
        y=float(y.mean()),
        length=length,
        width=width,
        turn=math.atan2(-float(along[0]), -float(along[1])),
        area=area,
        beside=bool(cells[:, 0].any() or cells[:, -1].any()),
    )
