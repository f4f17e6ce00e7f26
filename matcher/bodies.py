"""Where the bodies of prints lie: what an exact comparison needs of them, some 1.7 kB each.

In memory (`HeldBodies`), or wherever else somebody keeps bytes: `enrollment.sealed_prints` has them encrypted
on disk, where memory is too small for all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.columns import Column

Bytes: TypeAlias = NDArray[np.uint8]
Integers: TypeAlias = NDArray[np.int64]


class Bodies(Protocol):
    """Bodies of many prints, each of a multiple of 4 bytes, by where they lie. Reading may be concurrent."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""

    def put(self, joined: Bytes, sizes: Integers) -> Integers:
        """Keep bodies of these sizes, end to end in `joined`; gives where each lies, int64[n].

        Raises OSError where there is no room.
        """

    def take(self, places: Integers, sizes: Integers) -> tuple[Bytes, Integers]:
        """Bytes with the bodies at these places, and where in them each begins; -1 for one not readable."""

    def lose(self, place: int, size: int) -> None:
        """A body is not wanted any more; whoever still reads it may get -1 for it."""

    def fresh(self) -> Bodies:
        """An empty place of the same kind."""


#: Makes the place for the bodies of one more position.
NewBodies: TypeAlias = Callable[[], Bodies]


class HeldBodies:
    """Bodies in memory, end to end. Lost ones stay until those that are wanted are copied elsewhere."""

    def __init__(self) -> None:
        self._bytes = Column(np.uint8)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._bytes.nbytes

    def put(self, joined: Bytes, sizes: Integers) -> Integers:
        """Append; into an empty place without a copy."""
        if not len(self._bytes) and len(joined):
            self._bytes.adopt(joined)
            return begins_of(sizes)
        return self._bytes.append(joined) + begins_of(sizes)

    def take(self, places: Integers, sizes: Integers) -> tuple[Bytes, Integers]:  # noqa: ARG002 - as the seam asks
        """All there is, not copied."""
        return self._bytes.all(), places

    def lose(self, place: int, size: int) -> None:
        """Nothing: a checkpoint under way may still write it down."""

    def fresh(self) -> HeldBodies:
        """An empty one."""
        return HeldBodies()


def begins_of(sizes: Integers) -> Integers:
    """Where bodies of these sizes begin when they lie end to end."""
    begins: Integers = np.cumsum(sizes, dtype=np.int64) - sizes
    return begins
