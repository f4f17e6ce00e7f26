"""The prints of one finger position as columns: sketches to scan, and what an exact comparison needs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matcher.columns import Column, State
from matcher.descriptors import DIMENSIONS, MOST_STEPS, STEPS, halved, quantise
from matcher.evidence import COHERENCE
from matcher.kernels_prints import unpack_cells, unpack_hulls, unpack_minutiae
from matcher.pairing import COS, SIN, WEIGHT, X, Y
from matcher.prepared import PackedTemplates, PreparedTemplate
from matcher.sketches import SKETCH_SIZE, Sketch

#: One print: where its minutiae, cells and hull begin, and their sizes; the part of its field that is kept.
_PRINT: Final = np.dtype(
    [
        ("row", np.int64),
        ("cell", np.int64),
        ("edge", np.int64),
        ("minutiae", np.uint8),
        ("edges", np.uint8),
        ("size", np.uint8, 2),
        ("box", np.uint8, 4),
        ("key", np.uint32),
    ]
)
#: Directions are kept in as many steps of a turn as in a stored template.
_TURNS: Final = 65_536


def _directions() -> NDArray[np.float32]:
    angles = (np.arange(_TURNS) * (2.0 * np.pi / _TURNS)).astype(np.float32)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


_DIRECTIONS: Final = _directions()
_LEVELS: Final = np.divide(np.arange(16) - (MOST_STEPS + 1), np.float32(STEPS), dtype=np.float32)


class Prints:
    """Prints by reference number; a reference has at most one.

    About 34 bytes a minutia, 2 a cell of the field's foreground, and a sketch. A print whose template has
    been stored comes back as it was, so that a search gives the scores that a verification gives: directions
    are kept in the steps of `enrollment.formats.template_v1`, the field without what lies around the print.
    Not locked: see `matcher.shard`.
    """

    def __init__(self) -> None:
        #: Prints whose reference is dead.
        self.dead = 0
        self._entries = Column(np.int32)
        self._prints = Column(_PRINT)
        self._references = Column(np.int32)
        self._sketches = Column(np.int8, width=SKETCH_SIZE)
        self._places = Column(np.int16, width=2)
        self._turns = Column(np.uint16)
        #: Weight in percent, and place in the template.
        self._marks = Column(np.uint8, width=2)
        self._halves = Column(np.uint8, width=DIMENSIONS // 2)
        self._cells = Column(np.uint8)
        self._hulls = Column(np.float32, width=3)

    def __len__(self) -> int:
        """Prints, dead ones included."""
        return len(self._prints)

    @property
    def minutiae(self) -> int:
        """Minutiae of all prints."""
        return len(self._turns)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return sum(column.nbytes for _, column in self._columns())

    def append(self, reference: int, prepared: PreparedTemplate, sketch: Sketch) -> None:
        """Keep the print of a reference whose number is higher than all before."""
        box, cells = _cropped(prepared.cells)
        entry = (
            self._append_minutiae(prepared),
            self._cells.append(cells.ravel()),
            self._hulls.append(prepared.hull.T),
            len(prepared),
            prepared.hull.shape[1],
            prepared.cells.shape[1:],
            box,
            prepared.key[1],
        )
        self._sketches.append(sketch[None])
        self._references.append(np.array([reference], np.int32))
        self._entries.append(np.full(reference - len(self._entries), -1, np.int32))
        self._entries.append(np.array([len(self)], np.int32))
        self._prints.append(np.array([entry], _PRINT))

    def _append_minutiae(self, prepared: PreparedTemplate) -> int:
        minutiae = prepared.minutiae
        turns = np.arctan2(minutiae[SIN], minutiae[COS]).astype(np.float64) * (_TURNS / (2.0 * np.pi))
        self._turns.append(np.mod(np.rint(turns), _TURNS).astype(np.uint16))
        weights = np.rint(100.0 * minutiae[WEIGHT])
        self._marks.append(np.stack([weights, prepared.order], axis=1).astype(np.uint8))
        self._halves.append(halved(quantise(prepared.descriptors)))
        return self._places.append(minutiae[[X, Y]].T.astype(np.int16))

    def sketches(self) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
        """The sketch of each print, int8[n, SKETCH_SIZE], and the number of its reference, int32[n]."""
        return self._sketches.all(), self._references.all()

    def entries(self, references: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which print each reference has: int64, -1 where it has none."""
        known = references < len(self._entries)
        found = np.full(len(references), -1, np.int64)
        found[known] = self._entries.all()[references[known]]
        return found

    def packed(self, entries: NDArray[np.int64]) -> PackedTemplates:
        """Some prints, ready to be compared with many probes' fingers in one compiled call."""
        chosen = self._prints.all()[entries]
        counts, edges = chosen["minutiae"].astype(np.int64), chosen["edges"].astype(np.int64)
        sizes, boxes = chosen["size"].astype(np.int64), chosen["box"].astype(np.int64)
        lengths = np.stack([5 * counts, DIMENSIONS * counts, 2 * sizes.prod(axis=1), 3 * edges], axis=1)
        ends = lengths.cumsum(axis=0)
        total = ends[-1].tolist() if len(ends) else [0, 0, 0, 0]
        minutiae, descriptors = np.empty(total[0], np.float32), np.empty(total[1], np.float32)
        cells, hulls = np.empty(total[2], np.uint8), np.empty(total[3], np.float32)
        kept = self._places.all(), self._turns.all(), self._marks.all(), self._halves.all()
        unpack_minutiae(chosen["row"].copy(), counts, kept, _DIRECTIONS, _LEVELS, minutiae, descriptors)
        unpack_cells(chosen["cell"].copy(), sizes, boxes, self._cells.all(), cells)
        unpack_hulls(chosen["edge"].copy(), edges, self._hulls.all(), hulls)
        return PackedTemplates(
            arrays=(minutiae, descriptors, cells, hulls),
            bounds=np.concatenate([ends - lengths, counts[:, None], sizes], axis=1),
            has_field=sizes[:, 0] > 0,
            keys=np.stack([counts, chosen["key"].astype(np.int64)], axis=1),
        )

    def get(self, reference: int) -> PreparedTemplate | None:
        """The print of a reference, ready to be compared."""
        entry = int(self.entries(np.array([reference]))[0])
        if entry < 0:
            return None
        packed = self.packed(np.array([entry]))
        minutiae, descriptors, cells, hull = packed.arrays
        *_, count, rows, columns = packed.bounds[0].tolist()
        first = int(self._prints.rows(entry, 1)["row"][0])
        return PreparedTemplate(
            minutiae=minutiae.reshape(5, count),
            descriptors=descriptors.reshape(count, DIMENSIONS),
            cells=cells.reshape(2, rows, columns),
            hull=hull.reshape(3, -1),
            order=self._marks.rows(first, count)[:, 1].astype(np.int16),
            key=(count, int(packed.keys[0, 1])),
        )

    def state(self) -> State:
        """Every column by name; views that stay as they are while prints are added."""
        return {name.lstrip("_"): column.all() for name, column in self._columns()}

    @classmethod
    def restored(cls, state: State, alive: NDArray[np.bool_]) -> Prints:
        """Prints from their `state`. alive: bool[references]. Raises KeyError or ValueError for another's."""
        prints = cls()
        for name, column in prints._columns():
            column.adopt(state[name.lstrip("_")])
        prints.dead = len(prints) - int(np.count_nonzero(alive[prints._references.all()]))
        return prints

    def _columns(self) -> list[tuple[str, Column]]:
        return [(name, column) for name, column in vars(self).items() if isinstance(column, Column)]

    def lose(self, reference: int) -> None:
        """Count the print of a reference, if it has one, as dead."""
        self.dead += int(self.entries(np.array([reference]))[0] >= 0)

    def kept(self, alive: NDArray[np.bool_]) -> Prints:
        """A copy without the prints of dead references; references keep their numbers."""
        references, prints = self._references.all(), self._prints.all()
        keep = alive[references]
        rows = np.repeat(keep, prints["minutiae"])
        copy = Prints()
        copy._enter(prints[keep], references[keep])
        copy._sketches.append(self._sketches.all()[keep])
        for name in ("_places", "_turns", "_marks", "_halves"):
            getattr(copy, name).append(getattr(self, name).all()[rows])
        copy._cells.append(self._cells.all()[np.repeat(keep, _cell_bytes(prints))])
        copy._hulls.append(self._hulls.all()[np.repeat(keep, prints["edges"])])
        return copy

    def _enter(self, prints: NDArray[Any], references: NDArray[np.int32]) -> None:
        """Take over prints of other columns: sizes stay, where they begin follows from them."""
        sizes = {"row": prints["minutiae"], "cell": _cell_bytes(prints), "edge": prints["edges"]}
        for begin, size in sizes.items():
            prints[begin] = np.cumsum(size, dtype=np.int64) - size
        entries = np.full(references[-1] + 1 if len(references) else 0, -1, np.int32)
        entries[references] = np.arange(len(references), dtype=np.int32)
        self._entries.append(entries)
        self._references.append(references)
        self._prints.append(prints)


def _cropped(cells: NDArray[np.uint8]) -> tuple[tuple[int, int, int, int], NDArray[np.uint8]]:
    """The smallest box with all the foreground (first row and column, rows, columns), and the cells in it."""
    rows, columns = (np.flatnonzero(cells[COHERENCE].any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return (0, 0, 0, 0), cells[:, :0, :0]
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return (top, left, bottom - top, right - left), cells[:, top:bottom, left:right]


def _cell_bytes(prints: NDArray[Any]) -> NDArray[np.int64]:
    """Bytes of each print's kept cells."""
    return np.asarray(2 * prints["box"][:, 2].astype(np.int64) * prints["box"][:, 3], np.int64)
