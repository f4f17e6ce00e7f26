"""The prints of one finger position as columns: index rows, minutiae and ridge fields."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.columns import Column
from matcher.comparison import PreparedTemplate, prepare
from matcher.index import DescriptorIndex, quantise, restore
from matcher.template import RidgeField, Template

#: One print: where its rows and its field begin (-1: it has none), and their sizes.
_PRINT = np.dtype(
    [
        ("row", np.int64),
        ("field", np.int64),
        ("minutiae", np.uint8),
        ("field_rows", np.uint8),
        ("field_cols", np.uint8),
        ("width_px", np.int16),
        ("height_px", np.int16),
    ]
)


class Prints:
    """Templates by reference number; a reference has at most one. About 100 bytes a minutia.

    Not locked: `matcher.shard` lets searches run together and changes alone.
    """

    def __init__(self) -> None:
        self.index = DescriptorIndex()
        self._entry = Column(np.int32)
        self._prints = Column(_PRINT)
        self._x = Column(np.int16)
        self._y = Column(np.int16)
        self._kind = Column(np.uint8)
        self._quality = Column(np.uint8)
        self._fields = Column(np.uint8)

    def __len__(self) -> int:
        """Prints, dead ones included."""
        return len(self._prints)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        columns = (self._entry, self._prints, self._x, self._y, self._kind, self._quality, self._fields)
        return self.index.nbytes + sum(column.nbytes for column in columns)

    def append(self, reference: int, template: Template, prepared: PreparedTemplate) -> None:
        """Keep the print of a reference whose number is higher than all before."""
        count = len(template)
        self._x.append(template.x)
        self._y.append(template.y)
        self._kind.append(template.kind)
        self._quality.append(template.quality)
        row = self.index.append(
            np.full(count, reference, np.int32), quantise(prepared.descriptors), template.angle
        )
        field, rows, cols = -1, 0, 0
        if template.field is not None:
            rows, cols = template.field.orientation.shape
            field = self._append_field(template.field)
        entry = (row, field, count, rows, cols, template.width_px, template.height_px)
        gap = reference - len(self._entry)
        self._entry.append(np.full(gap, -1, np.int32))
        self._entry.append(np.array([len(self)], np.int32))
        self._prints.append(np.array([entry], _PRINT))

    def get(self, reference: int) -> PreparedTemplate | None:
        """The print of a reference, ready to be compared."""
        entry = self._number(reference)
        if entry < 0:
            return None
        row, field, count, rows, cols, width, height = self._prints.rows(entry, 1)[0].item()
        template = Template(
            x=self._x.rows(row, count),
            y=self._y.rows(row, count),
            angle=self.index.angles(row, count),
            kind=self._kind.rows(row, count),
            quality=self._quality.rows(row, count),
            width_px=width,
            height_px=height,
            field=None if field < 0 else self._field(field, rows, cols),
        )
        return prepare(template, restore(self.index.codes(row, count)))

    def kept(self, alive: NDArray[np.bool_]) -> Prints:
        """A copy without the prints of dead references; those alive are numbered anew, in their order.

        alive: bool[references].
        """
        numbers = np.flatnonzero(self._entry.rows(0, len(self._entry)) >= 0)
        keep = alive[numbers]
        prints = self._prints.rows(0, len(self))
        copy = Prints()
        copy._adopt_entries(prints[keep], (np.cumsum(alive) - 1)[numbers[keep]])
        rows = alive[self.index.references()]
        for mine, theirs in ((self._x, copy._x), (self._y, copy._y)):
            theirs.append(mine.rows(0, len(mine))[rows])
        for mine, theirs in ((self._kind, copy._kind), (self._quality, copy._quality)):
            theirs.append(mine.rows(0, len(mine))[rows])
        copy._fields.append(self._fields.rows(0, len(self._fields))[np.repeat(keep, _field_sizes(prints))])
        references = np.repeat(numbers[keep], prints["minutiae"][keep])
        codes, angles = self.index.codes(0, len(rows))[rows], self.index.angles(0, len(rows))[rows]
        copy.index.append((np.cumsum(alive) - 1)[references].astype(np.int32), codes, angles)
        return copy

    def _adopt_entries(self, prints: NDArray[Any], references: NDArray[np.int64]) -> None:
        """Take over the sizes of prints; where they begin follows from them."""
        prints = prints.copy()
        sizes = _field_sizes(prints)
        prints["row"] = np.cumsum(prints["minutiae"], dtype=np.int64) - prints["minutiae"]
        prints["field"] = np.where(prints["field"] < 0, -1, np.cumsum(sizes) - sizes)
        entry = np.full(int(references[-1]) + 1 if len(references) else 0, -1, np.int32)
        entry[references] = np.arange(len(references), dtype=np.int32)
        self._entry.append(entry)
        self._prints.append(prints)

    def _number(self, reference: int) -> int:
        return int(self._entry.rows(reference, 1)[0]) if reference < len(self._entry) else -1

    def _append_field(self, field: RidgeField) -> int:
        first = self._fields.append(field.orientation.ravel())
        self._fields.append(field.coherence.ravel())
        self._fields.append(np.packbits(field.foreground))
        return first

    def _field(self, first: int, rows: int, cols: int) -> RidgeField:
        cells = rows * cols
        foreground = self._fields.rows(first + 2 * cells, -(-cells // 8))
        return RidgeField(
            orientation=self._fields.rows(first, cells).reshape(rows, cols),
            coherence=self._fields.rows(first + cells, cells).reshape(rows, cols),
            foreground=np.unpackbits(foreground, count=cells).astype(np.bool_).reshape(rows, cols),
        )


def _field_sizes(prints: NDArray[Any]) -> NDArray[np.int64]:
    """Bytes of each print's field: two a cell and one bit."""
    cells = prints["field_rows"].astype(np.int64) * prints["field_cols"]
    return np.where(prints["field"] < 0, 0, 2 * cells + -(-cells // 8))
