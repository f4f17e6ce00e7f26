"""What a shard holds: reference ids and traits by number, and prints by finger position."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.bodies import HeldBodies, NewBodies
from matcher.candidates import ReferenceId
from matcher.codes import FINGERS, FingerPosition
from matcher.columns import Column, State
from matcher.prepared import PreparedTemplate, prepare
from matcher.prints import Prints
from matcher.sketches import Sketch, sketch_of
from matcher.template import Template, Tenprint
from matcher.traits import Filter, TraitColumns, Traits

_THUMBS = {
    FingerPosition.RIGHT_THUMB: FingerPosition.PLAIN_RIGHT_THUMB,
    FingerPosition.LEFT_THUMB: FingerPosition.PLAIN_LEFT_THUMB,
}
_SINGLE = (FingerPosition.UNKNOWN, *FINGERS, *_THUMBS.values())


@dataclass(frozen=True, slots=True, eq=False)
class PreparedFinger:
    """A print ready for both stages of a search."""

    prepared: PreparedTemplate
    sketch: Sketch


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Prints of one position to copy.

    chosen: int64[n], which of `prints`. owners: int64[n], rising, for which of the references to be held.
    """

    prints: Prints
    chosen: NDArray[np.int64]
    owners: NDArray[np.int64]


#: A person's fingers, each prepared once.
PreparedTenprint: TypeAlias = Mapping[FingerPosition, PreparedFinger]


def prepare_tenprint(tenprint: Tenprint | PreparedTenprint) -> PreparedTenprint:
    """Make ready every finger that is not."""
    return {position: _ready(each) for position, each in tenprint.items()}


def _ready(finger: Template | PreparedFinger) -> PreparedFinger:
    if isinstance(finger, PreparedFinger):
        return finger
    prepared = prepare(finger)
    return PreparedFinger(prepared, sketch_of(prepared))


def comparable(position: FingerPosition) -> Sequence[FingerPosition]:
    """Positions whose prints may come from the finger of a probe at `position`: like with like.

    A print of unknown position is compared with all, and all with it.
    """
    if position is FingerPosition.UNKNOWN:
        return _SINGLE
    plain = {thumb: finger for finger, thumb in _THUMBS.items()} | _THUMBS
    return (position, *((plain[position],) if position in plain else ()), FingerPosition.UNKNOWN)


def _below(prefix: str, state: State) -> State:
    """The arrays of one part."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


class References:
    """References by number (ids, alive or not) and their prints by position.

    A number is never given twice. Not locked: `matcher.shard` lets searches run together and changes alone.
    """

    def __init__(self, new_bodies: NewBodies = HeldBodies) -> None:
        self._new_bodies = new_bodies
        #: By number; None once dead.
        self.ids: list[ReferenceId | None] = []
        self.numbers: dict[ReferenceId, int] = {}
        self.alive = Column(np.bool_)
        self.traits = TraitColumns()
        self.prints: dict[FingerPosition, Prints] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of memory of all prints."""
        return sum(prints.nbytes for prints in self.prints.values())

    def append(self, reference_id: ReferenceId, tenprint: PreparedTenprint, traits: Traits) -> None:
        """Hold one reference more; its id must not be alive.

        Raises OSError where its prints find no room; then it is not held.
        """
        number = len(self.ids)
        self.ids.append(reference_id)
        self.numbers[reference_id] = number
        self.alive.append(np.array([True]))
        self.traits.append(traits)
        try:
            for position, finger in tenprint.items():
                if position not in self.prints:
                    self.prints[position] = Prints(self._new_bodies())
                self.prints[position].append(number, finger.prepared, finger.sketch)
        except OSError:
            self.kill(reference_id)
            raise

    def extend(
        self,
        ids: Sequence[ReferenceId],
        copies: Mapping[FingerPosition, Copies],
        traits: Sequence[Traits] | None = None,
    ) -> None:
        """Hold many references more, none of them alive, with copies of prints; without `traits` of none.

        Raises OSError where their prints find no room; then none of them is held.
        """
        first = len(self.ids)
        numbers = np.arange(first, first + len(ids), dtype=np.int32)
        self.ids.extend(ids)
        self.numbers.update(zip(ids, numbers.tolist(), strict=True))
        self.alive.append(np.ones(len(ids), np.bool_))
        if traits is None:
            self.traits.extend(len(ids))
        for each in traits or ():
            self.traits.append(each)
        try:
            for position, copied in copies.items():
                if position not in self.prints:
                    self.prints[position] = Prints(self._new_bodies())
                self.prints[position].extend(copied.prints, copied.chosen, numbers[copied.owners])
        except OSError:
            for reference_id in ids:
                self.kill(reference_id)
            raise

    def kill(self, reference_id: ReferenceId) -> bool:
        """Never return a reference again; False if it is unknown."""
        number = self.numbers.pop(reference_id, None)
        if number is None:
            return False
        self.ids[number] = None
        self.alive.rows(number, 1)[0] = False
        for prints in self.prints.values():
            prints.lose(number)
        return True

    def state(self) -> State:
        """Everything, as arrays by name. Take it under the lock; the arrays stay as they are after."""
        ids = "\n".join(reference_id or "" for reference_id in self.ids).encode()
        state = {"ids": np.frombuffer(ids, np.uint8), "alive": self.alive.all().copy()}
        state |= {f"traits/{name}": column for name, column in self.traits.state().items()}
        for position, prints in self.prints.items():
            state |= {f"prints/{position.value}/{name}": column for name, column in prints.state().items()}
        return state

    @classmethod
    def restored(cls, state: State, new_bodies: NewBodies = HeldBodies) -> References:
        """References from their `state`. Raises KeyError or ValueError where it is another's."""
        references = cls(new_bodies)
        alive = state["alive"]
        names = state["ids"].tobytes().decode().split("\n") if len(alive) else []
        references.ids = [ReferenceId(name) if name else None for name in names]
        references.numbers = {each: number for number, each in enumerate(references.ids) if each is not None}
        references.alive.adopt(alive)
        references.traits = TraitColumns.restored(_below("traits/", state))
        for position in FingerPosition:
            own = _below(f"prints/{position.value}/", state)
            if own:
                references.prints[position] = Prints.restored(own, alive, new_bodies())
        return references

    def allowed(
        self, within: Collection[ReferenceId] | None, exclude: Collection[ReferenceId], only: Filter
    ) -> NDArray[np.bool_]:
        """The references a search is over: bool[references]."""
        allowed: NDArray[np.bool_] = self.alive.all() & self.traits.passing(only)
        if within is not None:
            chosen = np.zeros(len(self.ids), np.bool_)
            chosen[[self.numbers[each] for each in within if each in self.numbers]] = True
            allowed &= chosen
        allowed[[self.numbers[each] for each in exclude if each in self.numbers]] = False
        return allowed

    def prints_for(self, position: FingerPosition) -> Iterator[Prints]:
        """The prints that a probe finger at `position` is compared with."""
        return (self.prints[each] for each in comparable(position) if each in self.prints)
