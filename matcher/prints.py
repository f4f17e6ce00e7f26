"""The prints of one finger position as columns: sketches to scan, and what an exact comparison needs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matcher.bodies import Bodies, Bytes, HeldBodies, begins_of
from matcher.columns import Column, State
from matcher.descriptors import DIMENSIONS, MOST_STEPS
from matcher.kernels_prints import TURNS, join, unpack_cells, unpack_minutiae
from matcher.pairing import ROWS
from matcher.prepared import PackedTemplates, PreparedTemplate
from matcher.print_rows import (
    DESCRIPTOR_BYTES,
    PLACE_BYTES,
    PRINT_ROW,
    body_bytes,
    row_and_body,
)
from matcher.sketches import SKETCH_SIZE, Sketch

#: Prints copied at once.
_COPIED: Final = 16_384


def _directions() -> NDArray[np.float32]:
    angles = (np.arange(TURNS) * (2.0 * np.pi / TURNS)).astype(np.float32)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


_DIRECTIONS: Final = _directions()
_LEVELS: Final = (np.arange(16) - (MOST_STEPS + 1)).astype(np.float32)


class Prints:
    """Prints by reference number; a reference has at most one.

    In columns what every search or many look at: 256 bytes of sketch and 28 more. Beside them bodies, 33
    bytes a minutia and one a cell of the field, of which a search reads those it compares. A print whose
    template has been stored comes back as it was, so that a search gives the scores that a verification
    gives: directions are kept in the steps of `enrollment.formats.template_v1`. Not locked: see
    `matcher.shard`.
    """

    def __init__(self, bodies: Bodies | None = None) -> None:
        #: Prints whose reference is dead.
        self.dead = 0
        self._entries = Column(np.int32)
        self._prints = Column(PRINT_ROW)
        self._references = Column(np.int32)
        self._sketches = Column(np.int8, width=SKETCH_SIZE)
        self._bodies: Bodies = HeldBodies() if bodies is None else bodies

    @classmethod
    def over(cls, rows: NDArray[Any], sketches: NDArray[np.int8], joined: Bytes) -> Prints:
        """Prints to copy from: their rows say where in `joined` their bodies begin. Of no references."""
        prints = cls(HeldBodies())
        prints._bodies.put(joined, np.array([len(joined)]))
        prints._sketches.adopt(sketches)
        prints._prints.adopt(rows)
        return prints

    def __len__(self) -> int:
        """Prints, dead ones included."""
        return len(self._prints)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return sum(column.nbytes for _, column in self._columns()) + self._bodies.nbytes

    def append(self, reference: int, prepared: PreparedTemplate, sketch: Sketch) -> None:
        """Keep the print of a reference whose number is higher than all before.

        Raises OSError where its body finds no room; then nothing is kept.
        """
        row, body = row_and_body(prepared)
        row["at"] = self._bodies.put(body, np.array([len(body)]))
        self._sketches.append(sketch[None])
        self._enter(row, np.array([reference], np.int32))

    def _enter(self, prints: NDArray[Any], references: NDArray[np.int32]) -> None:
        """Take prints into the columns; their sketches are there already."""
        if not len(references):
            return
        self._entries.append(np.full(int(references[-1]) + 1 - len(self._entries), -1, np.int32))
        self._entries.all()[references] = np.arange(len(self), len(self) + len(prints), dtype=np.int32)
        self._references.append(references)
        self._prints.append(prints)

    def extend(self, other: Prints, entries: NDArray[np.int64], references: NDArray[np.int32]) -> None:
        """Keep copies of some of the other's prints under these numbers, which rise from above all before."""
        for first in range(0, len(entries), _COPIED):
            chosen = entries[first : first + _COPIED]
            prints = other._prints.all()[chosen]
            sizes = body_bytes(prints)
            joined = np.empty(int(sizes.sum()), np.uint8)
            join(*other._bodies.take(prints["at"].copy(), sizes), sizes, joined)
            prints["at"] = self._bodies.put(joined, sizes)
            self._sketches.append(other._sketches.all()[chosen])
            self._enter(prints, references[first : first + _COPIED])

    def sketches(self) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
        """The sketch of each print, int8[n, SKETCH_SIZE], and the number of its reference, int32[n]."""
        return self._sketches.all(), self._references.all()

    def entries(self, references: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which print each reference has: int64, -1 where it has none."""
        known = references < len(self._entries)
        found = np.full(len(references), -1, np.int64)
        found[known] = self._entries.all()[references[known]]
        return found

    def packed(self, entries: NDArray[np.int64]) -> tuple[PackedTemplates, NDArray[np.bool_]]:
        """Some prints, ready to be compared with many probes' fingers in one compiled call.

        And which of them could be read, bool[n]: the others come empty.
        """
        chosen = self._prints.all()[entries]
        kept, begins = self._bodies.take(chosen["at"].copy(), body_bytes(chosen))
        read = begins >= 0
        chosen[~read] = np.zeros((), PRINT_ROW)
        counts, edges = chosen["minutiae"].astype(np.int64), chosen["edges"].astype(np.int64)
        sizes, boxes = chosen["size"].astype(np.int64), chosen["box"].astype(np.int64)
        lengths = np.stack([ROWS * counts, DIMENSIONS * counts, sizes.prod(axis=1), 3 * edges], axis=1)
        ends = lengths.cumsum(axis=0)
        total = ends[-1].tolist() if len(ends) else [0, 0, 0, 0]
        minutiae, descriptors = np.empty(total[0], np.float32), np.empty(total[1], np.float32)
        cells, hulls = np.empty(total[2], np.uint8), np.empty(total[3], np.float32)
        unpack_minutiae(
            kept, begins, counts, edges, DESCRIPTOR_BYTES, _DIRECTIONS, _LEVELS, minutiae, descriptors, hulls
        )
        unpack_cells(kept, begins + (PLACE_BYTES + DESCRIPTOR_BYTES) * counts + edges, sizes, boxes, cells)
        packed = PackedTemplates(
            arrays=(minutiae, descriptors, cells, hulls),
            bounds=np.concatenate([ends - lengths, counts[:, None], sizes], axis=1),
            has_field=sizes[:, 0] > 0,
            keys=np.stack([counts, chosen["key"].astype(np.int64)], axis=1),
        )
        return packed, read

    def get(self, reference: int) -> PreparedTemplate | None:
        """The print of a reference, ready to be compared; None where it has none, or none to be read."""
        entry = self.entries(np.array([reference]))
        if entry[0] < 0:
            return None
        packed, (read,) = self.packed(entry)
        if not read:
            return None
        minutiae, descriptors, cells, hull = packed.arrays
        *_, count, rows, columns = packed.bounds[0].tolist()
        return PreparedTemplate(
            minutiae=minutiae.reshape(ROWS, count),
            descriptors=descriptors.reshape(count, DIMENSIONS),
            cells=cells.reshape(rows, columns),
            hull=hull.reshape(3, -1),
            order=self._order(int(entry[0])),
            key=(count, int(packed.keys[0, 1])),
        )

    def _order(self, entry: int) -> NDArray[np.int16]:
        chosen = self._prints.rows(entry, 1)
        kept, (at,) = self._bodies.take(chosen["at"].copy(), body_bytes(chosen))
        count = int(chosen["minutiae"][0])
        first = int(at) + (PLACE_BYTES - 1) * count
        return kept[first : first + count].astype(np.int16)

    def state(self) -> State:
        """Every column by name, and the bodies end to end: they stay as they are while prints are added."""
        prints = self._prints.all().copy()
        sizes = body_bytes(prints)
        bodies, begins = self._bodies.take(prints["at"].copy(), sizes)
        prints["at"] = begins_of(sizes)
        if len(bodies) != sizes.sum() or not np.array_equal(begins, prints["at"]):
            kept, bodies = bodies, np.empty(int(sizes.sum()), np.uint8)
            join(kept, begins, sizes, bodies)
        columns = {name.lstrip("_"): column.all() for name, column in self._columns()}
        return {**columns, "prints": prints, "bodies": bodies}

    @classmethod
    def restored(cls, state: State, alive: NDArray[np.bool_], bodies: Bodies | None = None) -> Prints:
        """Prints from their `state`. alive: bool[references]. Raises KeyError or ValueError for another's."""
        prints = cls(bodies)
        for name, column in prints._columns():
            column.adopt(state[name.lstrip("_")])
        rows = prints._prints.all().copy()
        sizes = body_bytes(rows)
        if int(sizes.sum()) != len(state["bodies"]) or not np.array_equal(rows["at"], begins_of(sizes)):
            raise ValueError("the bodies of prints are not as long as their prints say")
        rows["at"] = prints._bodies.put(state["bodies"], sizes)
        prints._prints.adopt(rows)
        prints.dead = len(prints) - int(np.count_nonzero(alive[prints._references.all()]))
        return prints

    def _columns(self) -> list[tuple[str, Column]]:
        return [(name, column) for name, column in vars(self).items() if isinstance(column, Column)]

    def lose(self, reference: int) -> None:
        """Count the print of a reference, if it has one, as dead; its body may go at once."""
        (entry,) = self.entries(np.array([reference]))
        if entry >= 0:
            self.dead += 1
            chosen = self._prints.rows(int(entry), 1)
            self._bodies.lose(int(chosen["at"][0]), int(body_bytes(chosen)[0]))

    def kept(self, alive: NDArray[np.bool_]) -> Prints:
        """A copy without the prints of dead references; references keep their numbers."""
        references = self._references.all()
        entries = np.flatnonzero(alive[references])
        copy = Prints(self._bodies.fresh())
        copy.extend(self, entries, references[entries])
        return copy
