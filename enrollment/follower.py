"""The gallery follows the store: filled from it at start, then change by change."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from enrollment.change_log import Operation
from enrollment.database import Database
from enrollment.record_reader import EncodedTenprint
from enrollment.records import Records
from matcher.candidates import ReferenceId
from matcher.gallery import Gallery

#: Receives (encounters done, encounters in all) while the gallery is filled at start.
Progress = Callable[[int, int], None]

#: Changes read and applied at once.
BATCH = 500
#: Encounters whose preparation may wait in the queue at start: bounds memory.
QUEUE = 512


class GalleryFollower:
    """Keeps one gallery equal to the active encounters of the store. Safe to call from many threads."""

    def __init__(
        self, database: Database, records: Records, gallery: Gallery, *, threads: int | None = None
    ) -> None:
        self._database = database
        self._records = records
        self._gallery = gallery
        self._threads = threads or min(8, os.cpu_count() or 1)
        self._one_applier = threading.Lock()
        self._applied: int | None = None

    @property
    def applied(self) -> int | None:
        """The sequence up to which the gallery equals the store; None before it was filled."""
        return self._applied

    def catch_up(self, progress: Progress | None = None) -> int:
        """Apply every change committed before this call; gives the sequence reached.

        Call it after a commit, so that the next search finds what was enrolled, and before a search, so
        that it sees what other processes enrolled. The first call fills the gallery and reports `progress`.
        One thread applies; the others wait, since what they wait for may be among what it applies.
        """
        with self._one_applier:
            if self._applied is None:
                self._applied = self._fill(progress)
            while self._apply_batch():
                pass
            return self._applied

    def _fill(self, progress: Progress | None) -> int:
        """Add every encounter of one snapshot of the store, several at a time; gives its last sequence."""
        with self._database.reading() as tx, ThreadPoolExecutor(self._threads) as pool:
            as_of = self._records.last_sequence(tx)
            total = self._records.count_searchable(tx)
            encounters = self._records.all_templates(tx)
            for done, _ in enumerate(_bounded(pool, self._add, encounters), start=1):
                if progress is not None:
                    progress(done, total)
        self._gallery.advance(as_of)
        return as_of

    def _add(self, encounter: EncodedTenprint) -> None:
        """Prepare one encounter and add it."""
        self._gallery.add(ReferenceId(encounter.encounter_id), encounter.decode())

    def _apply_batch(self) -> bool:
        """Apply the next changes; False when there were none."""
        applied = self._applied or 0
        with self._database.reading() as tx:
            changes = self._records.changes(tx, applied, BATCH)
            added = {each.encounter_id for each in changes if each.operation is Operation.ADD}
            tenprints = self._records.tenprints(tx, added)
        for change in changes:
            reference_id = ReferenceId(change.encounter_id)
            if change.operation is Operation.REMOVE:
                self._gallery.remove(reference_id, sequence=change.sequence)
            elif change.encounter_id in tenprints:
                self._gallery.add(reference_id, tenprints[change.encounter_id], sequence=change.sequence)
            else:  # no template, or gone again by a later change
                self._gallery.advance(change.sequence)
            self._applied = change.sequence
        return bool(changes)


def _bounded(
    pool: ThreadPoolExecutor, work: Callable[[EncodedTenprint], None], items: Iterable[EncodedTenprint]
) -> Iterable[None]:
    """Do the work on every item in the pool, never with more than `QUEUE` waiting; raises what it raises."""
    waiting: deque[Future[None]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= QUEUE:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
