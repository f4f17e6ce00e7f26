"""The gallery follows the store: filled from it at start, then change by change."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from enrollment.change_log import Change, Operation
from enrollment.database import Database
from enrollment.fresh_prints import FreshPrint
from enrollment.gallery_checkpoint import GalleryCheckpoint, Progress
from enrollment.record_reader import EncodedTenprint
from enrollment.records import Records
from enrollment.traits import traits_of
from matcher.candidates import ReferenceId
from matcher.gallery import Gallery
from matcher.prepared_prints import encode
from matcher.references import prepare_tenprint

#: Changes read and applied at once; encounters added at once at the start.
BATCH, PAGE = 500, 200


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
            while self._apply_batch() == BATCH:
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
        """Take over the checkpoint, else every encounter of the store; gives the sequence reached."""
        if self._checkpoint is not None:
            with self._database.reading() as tx:
                newest = self._records.last_sequence(tx)
            self._kept = self._checkpoint.load(self._gallery, newest, progress)
            if self._kept is not None:
                return self._kept
        return self._fill_from_store(progress)

    def _fill_from_store(self, progress: Progress | None) -> int:
        """Add every encounter, a batch at a time; gives the sequence that the store stood at before.

        Changes committed meanwhile may or may not be among them; they are all in the change log after it.
        """
        with self._database.reading() as tx:
            as_of = self._records.last_sequence(tx)
            total = self._records.count_searchable(tx)
        self._gallery.clear()  # an earlier attempt may have stopped half-way, and somebody been erased since
        last, done = "", 0
        with ThreadPoolExecutor(self._threads) as pool:
            while added := self._add_page(last, pool):
                last, done = added[-1], done + len(added)
                if progress is not None:
                    progress(done, max(done, total))
        self._gallery.advance(as_of)
        return as_of

    def _add_page(self, after: str, pool: ThreadPoolExecutor) -> Sequence[str]:
        """Add the next encounters by id; prints that nobody prepared are prepared now, and kept."""
        with self._database.reading() as tx:
            ids = self._records.searchable(tx, after=after, limit=PAGE)
            keys = self._records.envelope.keys_of(tx, ids)
            encoded = dict(self._records.prepared(tx, keys))
            missing = list(self._records.encoded(tx, [each for each in ids if each not in encoded]))
            traits = traits_of(tx, keys)
        made = dict(zip((each.encounter_id for each in missing), pool.map(_prepared, missing), strict=True))
        encoded |= made
        known = [ReferenceId(each) for each in encoded]
        self._gallery.extend(known, list(encoded.values()), [traits[each] for each in encoded])
        if made:
            self._records.keep_prepared(made)
        return ids

    def _apply_batch(self) -> int:
        """Apply the next changes, at most `BATCH`; gives how many."""
        applied = self._applied or 0
        with self._database.reading() as tx:
            changes = self._records.changes(tx, applied, BATCH)
            if not changes:
                return 0
            fresh = self._fresh(changes)
            added = {each.encounter_id for each in changes if each.operation is Operation.ADD} - fresh.keys()
            encoded = {name: each.encoded for name, each in fresh.items()}
            traits = {name: each.traits for name, each in fresh.items()}
            if added:
                keys = self._records.envelope.keys_of(tx, added)
                encoded |= self._records.prepared(tx, keys)
                missing = list(self._records.encoded(tx, added - encoded.keys()))
                encoded |= {each.encounter_id: _prepared(each) for each in missing}
                traits |= traits_of(tx, keys)
        for change in changes:
            name, sequence = change.encounter_id, change.sequence
            if change.operation is Operation.REMOVE:
                self._gallery.remove(ReferenceId(name), sequence=sequence)
            elif name in encoded:
                self._gallery.extend([ReferenceId(name)], [encoded[name]], [traits[name]], sequence=sequence)
            else:  # no template, or gone again by a later change
                self._gallery.advance(sequence)
            self._applied = sequence
        return len(changes)

    def _fresh(self, changes: Sequence[Change]) -> Mapping[str, FreshPrint]:
        """Of the encounters that these changes add, those that this process has just stored itself.

        Only where the change is the newest that the store knew of its encounter: that is, nothing has been
        changed of it since, and it is what the store holds.
        """
        held = self._records.fresh
        last = {each.encounter_id: each for each in changes} if len(changes) < BATCH else {}
        found = {name: held.take(each.sequence, name) for name, each in last.items()}
        held.drop_until(changes[-1].sequence)
        return {name: fresh for name, fresh in found.items() if fresh is not None}


def _prepared(encounter: EncodedTenprint) -> bytes:
    return encode(prepare_tenprint(encounter.decode()))
