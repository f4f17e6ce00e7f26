"""Prints that this process has just committed: its gallery need not read them back from the store."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from matcher.gallery import Traits

#: Encounters held at most, some 25 kB each; the gallery follows at once, so that more than a few are stale.
MOST = 16


@dataclass(frozen=True, slots=True, eq=False)
class FreshPrint:
    """What a gallery holds of an encounter. encoded: by `matcher.prepared_prints`."""

    encounter_id: str
    encoded: bytes
    traits: Traits

    def __repr__(self) -> str:
        return f"FreshPrint({self.encounter_id!r})"  # prints are never printed


class FreshPrints:
    """By the sequence of the change that added them. Safe to use from many threads.

    Nothing here says that an encounter exists: the change log does. What is put here was committed before
    (`enrollment.database.after_commit`), so that a number that was rolled back is never found here.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[int, FreshPrint] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def put(self, sequence: int, fresh: FreshPrint) -> None:
        """Hold what the change of this number has added; the oldest goes where there are too many."""
        with self._lock:
            self._held[sequence] = fresh
            while len(self._held) > MOST:
                self._held.popitem(last=False)

    def take(self, sequence: int, encounter_id: str) -> FreshPrint | None:
        """What this change has added, held no longer; None where it is not here, or of another encounter."""
        with self._lock:
            fresh = self._held.pop(sequence, None)
        return fresh if fresh is not None and fresh.encounter_id == encounter_id else None

    def drop(self, encounter_id: str) -> None:
        """Hold nothing of an encounter any more: it was erased."""
        with self._lock:
            gone = [each for each, fresh in self._held.items() if fresh.encounter_id == encounter_id]
            for sequence in gone:
                del self._held[sequence]

    def drop_until(self, sequence: int) -> None:
        """Hold nothing of this change and those before: whoever follows has them."""
        with self._lock:
            for known in [each for each in self._held if each <= sequence]:
                del self._held[known]
