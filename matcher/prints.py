"""The prepared prints of one finger position as columns: index rows, minutiae, ridge fields, hulls."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.columns import Column
from matcher.descriptors import quantise, restore
from matcher.index import SCANNED_ROWS, DescriptorIndex
from matcher.pairing import COS, SIN, WEIGHT, X, Y
from matcher.prepared import PreparedTemplate

#: One print: where its rows, cells and hull begin, and their sizes.
_PRINT = np.dtype(
    [
        ("row", np.int64),
        ("cell", np.int64),
        ("edge", np.int64),
        ("minutiae", np.uint8),
        ("cell_rows", np.uint8),
        ("cell_cols", np.uint8),
        ("edges", np.uint8),
        ("key", np.uint32),
    ]
)


class Prints:
    """Prepared prints by reference number; a reference has at most one.

    Memory: about 165 bytes a minutia and 2 a cell of the field. A print comes back exactly as it was, so a
    search gives the scores that a verification gives. Not locked: see `matcher.shard`.
    """

    def __init__(self, scanned_rows: int = SCANNED_ROWS) -> None:
        self._scanned_rows = scanned_rows
        self.index = DescriptorIndex(scanned_rows)
        self._entries = Column(np.int32)
        self._prints = Column(_PRINT)
        #: By index row, beside what the index keeps.
        self._places = Column(np.int16, width=2)
        self._weights = Column(np.uint8, width=2)
        self._cells = Column(np.uint8)
        self._hulls = Column(np.float32, width=3)

    def __len__(self) -> int:
        """Prints, dead ones included."""
        return len(self._prints)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        columns = (self._entries, self._prints, self._places, self._weights, self._cells, self._hulls)
        return self.index.nbytes + sum(column.nbytes for column in columns)

    def append(self, reference: int, prepared: PreparedTemplate) -> None:
        """Keep the print of a reference whose number is higher than all before."""
        count, minutiae = len(prepared), prepared.minutiae
        self._places.append(minutiae[[X, Y]].T.astype(np.int16))
        weights = np.rint(100.0 * minutiae[WEIGHT])
        self._weights.append(np.stack([weights, prepared.order], axis=1).astype(np.uint8))
        entry = (
            self.index.append(
                np.full(count, reference, np.int32), quantise(prepared.descriptors), directions_of(prepared)
            ),
            self._cells.append(prepared.cells.ravel()),
            self._hulls.append(prepared.hull.T),
            count,
            *prepared.cells.shape[1:],
            prepared.hull.shape[1],
            prepared.key[1],
        )
        self._entries.append(np.full(reference - len(self._entries), -1, np.int32))
        self._entries.append(np.array([len(self)], np.int32))
        self._prints.append(np.array([entry], _PRINT))

    def get(self, reference: int) -> PreparedTemplate | None:
        """The print of a reference, ready to be compared."""
        entry = int(self._entries.rows(reference, 1)[0]) if reference < len(self._entries) else -1
        if entry < 0:
            return None
        row, cell, edge, count, cell_rows, cell_cols, edges, checksum = self._prints.rows(entry, 1)[0].item()
        weights = self._weights.rows(row, count)
        minutiae = np.empty((5, count), np.float32)
        minutiae[X : Y + 1] = self._places.rows(row, count).T
        minutiae[COS : SIN + 1] = self.index.directions(row, count).T
        minutiae[WEIGHT] = weights[:, 0] / np.float32(100.0)
        cells = self._cells.rows(cell, 2 * cell_rows * cell_cols)
        return PreparedTemplate(
            minutiae=minutiae,
            descriptors=restore(self.index.codes(row, count)),
            cells=cells.reshape(2, cell_rows, cell_cols),
            hull=np.ascontiguousarray(self._hulls.rows(edge, edges).T),
            order=weights[:, 1].astype(np.int16),
            key=(count, checksum),
        )

    def kept(self, alive: NDArray[np.bool_]) -> Prints:
        """A copy without the prints of dead references; those alive are numbered anew, in their order.

        alive: bool[references].
        """
        numbers = np.flatnonzero(self._entries.all() >= 0)
        keep, prints = alive[numbers], self._prints.all()
        renumbered = (np.cumsum(alive) - 1).astype(np.int32)
        copy = Prints(self._scanned_rows)
        copy._enter(prints[keep], renumbered[numbers[keep]])
        rows = alive[self.index.references()]
        copy._places.append(self._places.all()[rows])
        copy._weights.append(self._weights.all()[rows])
        copy._cells.append(self._cells.all()[np.repeat(keep, _cell_bytes(prints))])
        copy._hulls.append(self._hulls.all()[np.repeat(keep, prints["edges"])])
        copy.index.append(
            renumbered[self.index.references()[rows]],
            self.index.codes(0, len(rows))[rows],
            self.index.directions(0, len(rows))[rows],
        )
        return copy

    def _enter(self, prints: NDArray[Any], references: NDArray[np.int32]) -> None:
        """Take over prints of other columns: sizes stay, where they begin follows from them."""
        prints = prints.copy()
        sizes = {"row": prints["minutiae"], "cell": _cell_bytes(prints), "edge": prints["edges"]}
        for begin, size in sizes.items():
            prints[begin] = np.cumsum(size, dtype=np.int64) - size
        entries = np.full(references[-1] + 1 if len(references) else 0, -1, np.int32)
        entries[references] = np.arange(len(references), dtype=np.int32)
        self._entries.append(entries)
        self._prints.append(prints)


def directions_of(prepared: PreparedTemplate) -> NDArray[np.float32]:
    """Cosine and sine of each minutia's direction: float32[n, 2]."""
    return np.ascontiguousarray(prepared.minutiae[[COS, SIN]].T)


def _cell_bytes(prints: NDArray[Any]) -> NDArray[np.int64]:
    """Bytes of each print's cells."""
    cells: NDArray[np.int64] = 2 * prints["cell_rows"].astype(np.int64) * prints["cell_cols"]
    return cells
