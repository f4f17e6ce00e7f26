"""A person's prints, prepared, as bytes for a store to keep, and those of many persons as columns.

To prepare a print takes a millisecond, to read it back some microseconds: what is prepared once, when
somebody is enrolled, need not be prepared again by every gallery that follows.

    0        1  n, prints
    1        n  positions
    1 +  n 20n  rows (`PRINT_ROW`, `at` 0)
    1 + 21n  Sn  sketches, S = SKETCH_SIZE
    then        bodies, end to end
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from matcher.bodies import begins_of
from matcher.codes import FingerPosition
from matcher.print_rows import PRINT_ROW, body_bytes, row_and_body
from matcher.prints import Prints
from matcher.references import Copies, PreparedTenprint
from matcher.sketches import SKETCH_SIZE, models_hash

#: Changes with these bytes, and with whatever else than the learned models makes prepared prints others.
VERSION: Final = 3
_PRINT_BYTES: Final = 1 + PRINT_ROW.itemsize + SKETCH_SIZE


def made_by() -> str:
    """What prepared prints depend on, in one word: those made by another are to be made anew."""
    return f"{VERSION}-{models_hash()[:32]}"


def encode(tenprint: PreparedTenprint) -> bytes:
    """A person's prepared prints as bytes."""
    written = [row_and_body(finger.prepared) for finger in tenprint.values()]
    return b"".join(
        [
            bytes([len(tenprint), *(int(position) for position in tenprint)]),
            *(row.tobytes() for row, _ in written),
            *(finger.sketch.tobytes() for finger in tenprint.values()),
            *(body.tobytes() for _, body in written),
        ]
    )


def decode(encoded: Sequence[bytes]) -> Mapping[FingerPosition, Copies]:
    """The prints of many persons, by position, to be copied into references numbered as they come here.

    Raises ValueError for bytes that `encode` did not write.
    """
    counts = np.array([each[0] if each else 0 for each in encoded], np.int64)
    heads = 1 + _PRINT_BYTES * counts
    if any(len(each) < max(head, 1) for each, head in zip(encoded, heads.tolist(), strict=True)):
        raise ValueError("prepared prints end before their bodies begin")
    views = [memoryview(each) for each in encoded]

    def column(first: int, size: int) -> bytearray:
        """Of each person, the bytes of one part: `size` a print, after `first` a print."""
        return bytearray().join(
            view[1 + first * count : 1 + (first + size) * count]
            for view, count in zip(views, counts.tolist(), strict=True)
        )

    positions = np.frombuffer(column(0, 1), np.uint8)
    rows = np.frombuffer(column(1, PRINT_ROW.itemsize), PRINT_ROW)
    sketches = np.frombuffer(column(1 + PRINT_ROW.itemsize, SKETCH_SIZE), np.int8).reshape(-1, SKETCH_SIZE)
    owners = np.repeat(np.arange(len(encoded)), counts)
    sizes = body_bytes(rows)
    told = np.bincount(owners, weights=sizes, minlength=len(encoded)).astype(np.int64)
    if not np.array_equal(told + heads, [len(each) for each in encoded]):
        raise ValueError("the bodies of prepared prints are not as long as their rows say")
    if (rows["box"][:, :2].astype(int) + rows["box"][:, 2:] > rows["size"]).any():
        raise ValueError("the field of prepared prints does not lie within its grid")
    if (rows["edges"] > rows["minutiae"]).any():
        raise ValueError("the hulls of prepared prints have more corners than there are minutiae")
    rows["at"] = begins_of(sizes)
    bodies = bytearray().join(view[head:] for view, head in zip(views, heads.tolist(), strict=True))
    prints = Prints.over(rows, sketches, np.frombuffer(bodies, np.uint8))
    copies = {}
    for position in np.unique(positions).tolist():
        chosen = np.flatnonzero(positions == position)
        if len(np.unique(owners[chosen])) != len(chosen):
            raise ValueError("prepared prints hold a finger twice")
        copies[FingerPosition(position)] = Copies(prints, chosen, owners[chosen])
    return copies
