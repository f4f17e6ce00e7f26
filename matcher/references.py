"""What a shard holds: reference ids by number, and prints by finger position."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.candidates import ReferenceId
from matcher.codes import FINGERS, FingerPosition
from matcher.columns import Column
from matcher.prepared import PreparedTemplate
from matcher.prints import Prints

_THUMBS = {
    FingerPosition.RIGHT_THUMB: FingerPosition.PLAIN_RIGHT_THUMB,
    FingerPosition.LEFT_THUMB: FingerPosition.PLAIN_LEFT_THUMB,
}
_SINGLE = (FingerPosition.UNKNOWN, *FINGERS, *_THUMBS.values())


#: A person's fingers, each prepared once.
PreparedTenprint: TypeAlias = Mapping[FingerPosition, PreparedTemplate]


def comparable(position: FingerPosition) -> Sequence[FingerPosition]:
    """Positions whose prints may come from the finger of a probe at `position`: like with like.

    A print of unknown position is compared with all, and all with it.
    """
    if position is FingerPosition.UNKNOWN:
        return _SINGLE
    plain = {thumb: finger for finger, thumb in _THUMBS.items()} | _THUMBS
    return (position, *((plain[position],) if position in plain else ()), FingerPosition.UNKNOWN)


class References:
    """References by number (ids, alive or not) and their prints by position.

    Not locked: `matcher.shard` lets searches run together and changes alone.
    """

    def __init__(self, scanned_rows: int) -> None:
        self._scanned_rows = scanned_rows
        self.ids: list[ReferenceId] = []
        self.numbers: dict[ReferenceId, int] = {}
        self.alive = Column(np.bool_)
        self.prints: dict[FingerPosition, Prints] = {}

    @property
    def dead(self) -> int:
        """References that were removed but still take room."""
        return len(self.ids) - len(self.numbers)

    def append(self, reference_id: ReferenceId, tenprint: PreparedTenprint) -> None:
        """Hold one reference more; its id must not be alive."""
        number = len(self.ids)
        for position, finger in tenprint.items():
            if position not in self.prints:
                self.prints[position] = Prints(self._scanned_rows)
            self.prints[position].append(number, finger)
        self.ids.append(reference_id)
        self.numbers[reference_id] = number
        self.alive.append(np.array([True]))

    def kill(self, reference_id: ReferenceId) -> bool:
        """Never return a reference again; False if it is unknown."""
        number = self.numbers.pop(reference_id, None)
        if number is None:
            return False
        self.alive.rows(number, 1)[0] = False
        return True

    def reclaimed(self) -> References:
        """A copy without the dead."""
        alive = self.alive.rows(0, len(self.ids))
        copy = References(self._scanned_rows)
        copy.ids = list(self.numbers)
        copy.numbers = {reference_id: number for number, reference_id in enumerate(copy.ids)}
        copy.alive.append(np.ones(len(copy.ids), np.bool_))
        copy.prints = {position: prints.kept(alive) for position, prints in self.prints.items()}
        for prints in copy.prints.values():
            if prints.index.outgrown:
                prints.index.adopt(prints.index.arranged())
        return copy

    def allowed(
        self, within: Collection[ReferenceId] | None, exclude: Collection[ReferenceId]
    ) -> NDArray[np.bool_]:
        """The references a search is over: bool[references]."""
        if within is None:
            allowed: NDArray[np.bool_] = self.alive.rows(0, len(self.ids)).copy()
        else:
            allowed = np.zeros(len(self.ids), np.bool_)
            allowed[[self.numbers[each] for each in within if each in self.numbers]] = True
        allowed[[self.numbers[each] for each in exclude if each in self.numbers]] = False
        return allowed

    def prints_for(self, position: FingerPosition) -> Iterator[Prints]:
        """The prints that a probe finger at `position` is compared with."""
        return (self.prints[each] for each in comparable(position) if each in self.prints)
