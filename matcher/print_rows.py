"""How one print is written in a gallery: a row of fixed size, and a body that an exact comparison reads."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matcher.bodies import Bytes
from matcher.descriptors import DIMENSIONS, MOST_STEPS
from matcher.hulls import corners_of
from matcher.kernels_prints import pack_cells, pack_minutiae
from matcher.pairing import X, Y
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
#: Bytes of a minutia in a body: place, direction, weight, kind and order; its descriptor. After all minutiae
#: come a byte for each edge of the hull and one for each cell of the field.
PLACE_BYTES, DESCRIPTOR_BYTES = 9, DIMENSIONS // 2
#: Bodies begin at multiples of this.
_ALIGNED: Final = 4


def row_and_body(prepared: PreparedTemplate) -> tuple[NDArray[Any], Bytes]:
    """A print's row, `PRINT_ROW`[1] with `at` 0, and its body; see `unpack_minutiae` and `unpack_cells`."""
    minutiae, count = prepared.minutiae, len(prepared)
    corners = corners_of(minutiae[X], minutiae[Y])
    bare = (PLACE_BYTES + DESCRIPTOR_BYTES) * count + len(corners)
    body = np.zeros(bare + prepared.cells.size + _ALIGNED, np.uint8)
    pack_minutiae(minutiae, prepared.descriptors, prepared.order, corners, MOST_STEPS + 1, body)
    box = np.zeros(4, np.int64)
    pack_cells(prepared.cells, box, body[bare:])
    top, left, high, wide = box.tolist()
    row = (0, prepared.key[1], count, len(corners), prepared.cells.shape, (top, left, high, wide))
    used = bare + high * wide
    return np.array([row], PRINT_ROW), body[: used + -used % _ALIGNED]


def body_bytes(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Bytes of the body of each print."""
    cells = rows["box"][:, 2].astype(np.int64) * rows["box"][:, 3]
    minutiae, edges = rows["minutiae"].astype(np.int64), rows["edges"].astype(np.int64)
    bare = (PLACE_BYTES + DESCRIPTOR_BYTES) * minutiae + edges + cells
    return np.asarray(bare + -bare % _ALIGNED, np.int64)
