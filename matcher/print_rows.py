"""How one print is written in a gallery: a row of fixed size, and a body that an exact comparison reads."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matcher.bodies import Bytes
from matcher.descriptors import DIMENSIONS, halved
from matcher.evidence import COHERENCE
from matcher.pairing import COS, SIN, WEIGHT, X, Y
from matcher.prepared import PreparedTemplate

#: One print: where its body begins, what it ranks by, how many minutiae and edges it has, the size of its
#: field, and the part of that which is kept.
PRINT_ROW: Final = np.dtype(
    [
        ("at", np.int64),
        ("key", np.uint32),
        ("minutiae", np.uint8),
        ("edges", np.uint8),
        ("size", np.uint8, 2),
        ("box", np.uint8, 4),
    ]
)
#: Bytes of a body: an edge of the hull; a minutia's place, direction, weight and order; its descriptor.
EDGE_BYTES, PLACE_BYTES, DESCRIPTOR_BYTES = 12, 8, DIMENSIONS // 2
#: Directions are kept in as many steps of a turn as in a stored template.
TURNS: Final = 65_536
#: Bodies begin at multiples of this.
_ALIGNED: Final = 4


def row_and_body(prepared: PreparedTemplate) -> tuple[NDArray[Any], Bytes]:
    """A print's row, `PRINT_ROW`[1] with `at` 0, and its body; see `unpack_minutiae` and `unpack_cells`."""
    box, cells = _cropped(prepared.cells)
    minutiae = prepared.minutiae
    turns = np.arctan2(minutiae[SIN], minutiae[COS]).astype(np.float64) * (TURNS / (2.0 * np.pi))
    parts = (
        prepared.hull.tobytes(),
        minutiae[[X, Y]].astype(np.int16).tobytes(),
        np.mod(np.rint(turns), TURNS).astype(np.uint16).tobytes(),
        np.rint(100.0 * minutiae[WEIGHT]).astype(np.uint8).tobytes(),
        prepared.order.astype(np.uint8).tobytes(),
        halved(prepared.descriptors.astype(np.int8)).tobytes(),
        cells.tobytes(),
    )
    body = bytearray().join(parts)
    row = (0, prepared.key[1], len(prepared), prepared.hull.shape[1], prepared.cells.shape[1:], box)
    return np.array([row], PRINT_ROW), np.frombuffer(body + bytes(-len(body) % _ALIGNED), np.uint8)


def body_bytes(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Bytes of the body of each print."""
    cells = 2 * rows["box"][:, 2].astype(np.int64) * rows["box"][:, 3]
    minutiae, edges = rows["minutiae"].astype(np.int64), rows["edges"].astype(np.int64)
    bare = EDGE_BYTES * edges + (PLACE_BYTES + DESCRIPTOR_BYTES) * minutiae + cells
    return np.asarray(bare + -bare % _ALIGNED, np.int64)


def _cropped(cells: NDArray[np.uint8]) -> tuple[tuple[int, int, int, int], NDArray[np.uint8]]:
    """The smallest box with all the foreground (first row and column, rows, columns), and the cells in it."""
    rows, columns = (np.flatnonzero(cells[COHERENCE].any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return (0, 0, 0, 0), cells[:, :0, :0]
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return (top, left, bottom - top, right - left), cells[:, top:bottom, left:right]
