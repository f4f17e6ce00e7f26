"""The gallery follows the store: filled from it at start, then change by change."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection

from enrollment.change_log import Operation
from enrollment.database import Database
from enrollment.gallery_checkpoint import GalleryCheckpoint, Progress
from enrollment.record_reader import EncodedTenprint
from enrollment.records import Records
from enrollment.traits import traits_of
from matcher.candidates import ReferenceId
from matcher.gallery import Gallery, Traits

Item = TypeVar("Item")

#: Changes read and applied at once.
BATCH = 500
#: Encounters whose preparation may wait in the queue at start: bounds memory.
QUEUE = 512


class GalleryFollower:
    """Keeps one gallery equal to the active encounters of the store. Safe to call from many threads."""

    def __init__(
        self,
        database: Database,
        records: Records,
        gallery: Gallery,
        *,
        threads: int | None = None,
        checkpoint: GalleryCheckpoint | None = None,
    ) -> None:
        self._database = database
        self._records = records
        self._gallery = gallery
        self._threads = threads or min(8, os.cpu_count() or 1)
        self._checkpoint = checkpoint
        self._kept: int | None = None
        self._one_keeper = threading.Lock()
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

    def keep(self) -> bool:
        """Write the gallery down for the next start, if it has changed; False when there was no need.

        Searches and changes go on meanwhile.
        """
        with self._one_keeper:
            checkpoint, applied = self._checkpoint, self._applied
            if checkpoint is None or applied is None or applied == self._kept:
                return False
            checkpoint.save(self._gallery)
            self._kept = applied
        return True

    def _fill(self, progress: Progress | None) -> int:
        """Take over the checkpoint, else every encounter of one snapshot of the store; gives its sequence."""
        if self._checkpoint is not None:
            with self._database.reading() as tx:
                newest = self._records.last_sequence(tx)
            self._kept = self._checkpoint.load(self._gallery, newest, progress)
            if self._kept is not None:
                return self._kept
        return self._fill_from_store(progress)

    def _fill_from_store(self, progress: Progress | None) -> int:
        """Add every encounter, several at a time."""
        with self._database.reading() as tx, ThreadPoolExecutor(self._threads) as pool:
            as_of = self._records.last_sequence(tx)
            total = self._records.count_searchable(tx)
            encounters = _with_traits(tx, self._records)
            for done, _ in enumerate(_bounded(pool, self._add, encounters), start=1):
                if progress is not None:
                    progress(done, total)
        self._gallery.advance(as_of)
        return as_of

    def _add(self, known: tuple[EncodedTenprint, Traits | None]) -> None:
        """Prepare one encounter and add it."""
        encounter, traits = known
        self._gallery.add(ReferenceId(encounter.encounter_id), encounter.decode(), traits=traits)

    def _apply_batch(self) -> bool:
        """Apply the next changes; False when there were none."""
        applied = self._applied or 0
        with self._database.reading() as tx:
            changes = self._records.changes(tx, applied, BATCH)
            added = {each.encounter_id for each in changes if each.operation is Operation.ADD}
            tenprints = self._records.tenprints(tx, added)
            traits = traits_of(tx, tenprints, self._records.envelope)
        for change in changes:
            reference_id = ReferenceId(change.encounter_id)
            if change.operation is Operation.REMOVE:
                self._gallery.remove(reference_id, sequence=change.sequence)
            elif change.encounter_id in tenprints:
                self._gallery.add(
                    reference_id,
                    tenprints[change.encounter_id],
                    sequence=change.sequence,
                    traits=traits.get(change.encounter_id),
                )
            else:  # no template, or gone again by a later change
                self._gallery.advance(change.sequence)
            self._applied = change.sequence
        return bool(changes)


def _with_traits(tx: Connection, records: Records) -> Iterator[tuple[EncodedTenprint, Traits | None]]:
    """Encounters beside their traits, a batch in memory at a time."""
    remaining = records.all_templates(tx)
    while batch := list(islice(remaining, BATCH)):
        traits = traits_of(tx, [each.encounter_id for each in batch], records.envelope)
        yield from ((each, traits.get(each.encounter_id)) for each in batch)


def _bounded(pool: ThreadPoolExecutor, work: Callable[[Item], None], items: Iterable[Item]) -> Iterable[None]:
    """Do the work on every item in the pool, never with more than `QUEUE` waiting; raises what it raises."""
    waiting: deque[Future[None]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= QUEUE:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
