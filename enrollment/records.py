"""Encounters: append, read, erase. The store is the truth; every index is a view of it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from enrollment import audit_log, change_log
from enrollment.audit_log import AuditEntry
from enrollment.audit_seal import AuditSeal
from enrollment.blobs import BlobStore
from enrollment.change_log import Operation
from enrollment.database import Database, after_commit, insert_if_absent, order_changes
from enrollment.encounter import Encounter, EncounterStatus, check_galleries, check_identifier, utc_now
from enrollment.envelope import DataKey, Envelope
from enrollment.errors import ConflictingRecord, HeldRecord, MalformedRecord, UnknownRecord
from enrollment.fresh_prints import FreshPrint, FreshPrints
from enrollment.key_provider import KeyProvider
from enrollment.record_reader import RecordReader
from enrollment.record_rows import encounter_row, prepared_row, template_row
from enrollment.record_writer import (
    Amendment,
    KeptPicture,
    KeptPictures,
    Sealed,
    add_person,
    amended_columns,
    amended_particulars,
    count_of,
    drop_person_without_encounters,
    insert_galleries,
    insert_parts,
    replace_prepared,
)
from enrollment.released import is_held, release_exports, remove_exports
from enrollment.tables import encounter_galleries, encounters, images, released_blobs, templates
from enrollment.traits import traits_told
from matcher.codes import FingerPosition
from matcher.errors import FingerprintError
from matcher.prepared_prints import encode
from matcher.references import PreparedTenprint

#: An orphaned blob may belong to an enrolment still under way; none takes a day.
ORPHAN_AGE_S = 24 * 3600

#: Where a picture's bytes lie; those from before sealing lie under the SHA-256 of the picture itself.
ADDRESS = func.coalesce(images.c.blob, images.c.sha256)
_INSERT = insert(encounters)
_NO_PICTURES: Mapping[FingerPosition, bytes] = MappingProxyType({})
_log = logging.getLogger(__name__)
T = TypeVar("T")


class Records(RecordReader):
    """The durable store of encounters. Methods that take `tx` do all of their work in that transaction."""

    def __init__(
        self, database: Database, blobs: BlobStore, keyring: KeyProvider, *, software: str = "tenprint"
    ) -> None:
        super().__init__(blobs, Envelope(keyring))
        #: What was just added here; whoever follows the store in this process looks here first.
        self.fresh = FreshPrints()
        self._database = database
        database.audit = AuditSeal(keyring.secret("audit"), software)

    def keep_pictures(self, encounter_id: str, pictures: Mapping[FingerPosition, bytes]) -> KeptPictures:
        """Seal the pictures of an encounter that is to come, and put them on disk.

        Those whose encounter is never added are removed by `discard`, or a day later by `sweep_orphans`.
        """
        key = DataKey.new(encounter_id)
        held: dict[FingerPosition, KeptPicture] = {}
        file = bytearray()
        for position, data in pictures.items():
            sha256 = hashlib.sha256(data).hexdigest()
            held[position] = KeptPicture(len(file), len(data), sha256)
            file += key.seal_picture(int(position), sha256, data)
        return KeptPictures(key, self.blobs.put(bytes(file)) if file else None, held)

    def keep_beside(
        self, encounter_id: str, pictures: Mapping[FingerPosition, bytes], work: Callable[[], T]
    ) -> tuple[T, KeptPictures]:
        """Keep the pictures while `work` runs in this thread; gives what both give.

        What `work` raises is raised, and the pictures are deleted: nothing will name them.
        """
        with ThreadPoolExecutor(1) as beside:
            keeping = beside.submit(self.keep_pictures, encounter_id, pictures)
            try:
                return work(), keeping.result()
            except BaseException:
                if keeping.exception() is None:
                    self.discard(keeping.result())
                raise

    def seal_beside(
        self, encounter: Encounter, kept: KeptPictures, prepared: PreparedTenprint, work: Callable[[], T]
    ) -> tuple[T, Sealed]:
        """`seal` while `work` runs in this thread; gives what both give. The pictures stay in any case."""
        with ThreadPoolExecutor(1) as beside:
            sealing = beside.submit(self.seal, encounter, kept, prepared)
            return work(), sealing.result()

    def discard(self, kept: KeptPictures) -> None:
        """Delete the pictures of an encounter that will not be added."""
        if kept.blob is not None:
            self.blobs.delete(kept.blob)

    def seal(
        self,
        encounter: Encounter,
        pictures: Mapping[FingerPosition, bytes] | KeptPictures = _NO_PICTURES,
        prepared: PreparedTenprint | None = None,
    ) -> Sealed:
        """Seal an encounter's parts before the transaction, so that it stays short.

        `pictures` holds the bytes of every entry of `encounter.images`, or is what `keep_pictures` made of
        them. `prepared`: the prints of its templates as they are stored (`template_v1.as_stored`), where
        somebody prepared them; otherwise every gallery that follows does.
        """
        if isinstance(pictures, KeptPictures):
            kept = pictures
        else:
            kept = self.keep_pictures(encounter.encounter_id, pictures)
        try:
            kept.check(encounter.images)
        except MalformedRecord:
            if kept is not pictures:
                self.discard(kept)
            raise
        key = kept.key
        encoded = None if prepared is None else encode(prepared)
        return Sealed(
            pictures=kept,
            templates=[template_row(*entry, key) for entry in encounter.tenprint.items()],
            prepared=None if encoded is None else prepared_row(encoded, key),
            encoded=encoded,
        )

    def add(
        self,
        tx: Connection,
        encounter: Encounter,
        parts: Mapping[FingerPosition, bytes] | Sealed = _NO_PICTURES,
    ) -> int:
        """Store a new encounter, its templates and pictures; gives its change-log sequence.

        `parts`: what `seal` gave for this encounter, or its pictures, to be sealed here. A person not yet
        known is created. An encounter id that exists, under whichever person, is a `ConflictingRecord`.
        """
        order_changes(tx)
        if self.exists(tx, encounter.encounter_id):
            raise ConflictingRecord(
                f"the encounter {encounter.encounter_id} exists already: choose another id"
            )
        sealed = parts if isinstance(parts, Sealed) else self.seal(encounter, parts)
        key = sealed.pictures.key
        if key.encounter_id != encounter.encounter_id:
            raise ValueError("these parts were sealed for another encounter")
        now = utc_now()
        add_person(tx, encounter.person_id)
        tx.execute(_INSERT, {**encounter_row(encounter, key), "created_at": now, "updated_at": now})
        self.envelope.keep(tx, key, encounter.category)
        insert_parts(tx, encounter, sealed)
        operation = _operation(encounter.status)
        sequence = change_log.append(tx, operation, encounter.encounter_id)
        if sealed.encoded is not None and operation is Operation.ADD:
            fresh = FreshPrint(encounter.encounter_id, sealed.encoded, traits_told(encounter))
            after_commit(tx, partial(self.fresh.put, sequence, fresh))
        return sequence

    def keep_prepared(self, made: Mapping[str, bytes]) -> None:
        """Store the prepared prints of encounters, for the next gallery; what cannot be stored is missing.

        made: encoded, by `matcher.prepared_prints`. Encounters erased since are left out, and those of a
        store from before sealing that has not sealed them.
        """
        try:
            with self._database.transaction() as tx:
                order_changes(tx)
                keys = self.envelope.keys_of(tx, made)
                replace_prepared(tx, [prepared_row(made[name], key) for name, key in keys.items() if key])
        except (OSError, SQLAlchemyError, FingerprintError) as fault:
            _log.warning("prepared prints are not kept, will be made again: %s", type(fault).__name__)

    def amend(self, tx: Connection, encounter_id: str, amendment: Amendment) -> int:
        """Change an encounter; gives the change-log sequence as of which the gallery knows."""
        order_changes(tx)
        known = self._known(tx, encounter_id)
        if amendment.person_id is not None:
            add_person(tx, check_identifier(amendment.person_id, "person id"))
        columns = amended_columns(amendment) | amended_particulars(tx, self.envelope, known, amendment)
        tx.execute(
            update(encounters)
            .where(encounters.c.encounter_id == encounter_id)
            .values(**columns, updated_at=utc_now())
        )
        if amendment.galleries is not None:
            check_galleries(amendment.galleries)
            tx.execute(delete(encounter_galleries).where(encounter_galleries.c.encounter_id == encounter_id))
            insert_galleries(tx, encounter_id, amendment.galleries)
        drop_person_without_encounters(tx, known.person_id)
        status = amendment.status or EncounterStatus(known.status)
        # The gallery knows galleries, category, sex and year of birth too: searches are narrowed by them.
        narrowing = (amendment.galleries, amendment.category, amendment.biographic)
        narrowed = any(each is not None for each in narrowing)
        if status.value == known.status and not narrowed:
            return change_log.last_sequence(tx)
        return change_log.append(tx, _operation(status), encounter_id)

    def erase(self, tx: Connection, encounter_id: str, proof: AuditEntry | None = None) -> int:
        """Remove an encounter, its templates and pictures; gives its change-log sequence.

        Links, judgements and queue entries go with it; the change log keeps the id; the audit log keeps
        `proof` (who and why), completed with what was erased. Pictures and exported copies are deleted once
        this is committed. A legal hold refuses it as `HeldRecord`.
        """
        order_changes(tx)
        known = self._known(tx, encounter_id)
        if is_held(tx, encounter_id):
            raise HeldRecord(f"a legal hold keeps encounter {encounter_id}: lift it first")
        erased = {"encounter_id": encounter_id, "person_id": known.person_id}
        erased |= {table.name: count_of(tx, table, encounter_id) for table in (templates, images)}
        addresses = select(ADDRESS).where(images.c.encounter_id == encounter_id).distinct()
        for address in tx.execute(addresses).scalars().all():
            insert_if_absent(tx, released_blobs, {"sha256": address})
        release_exports(tx, encounter_id)
        tx.execute(delete(encounters).where(encounters.c.encounter_id == encounter_id))
        drop_person_without_encounters(tx, known.person_id)
        proof = proof or AuditEntry(actor="system", role="system", action="erase", outcome="done")
        audit_log.append(tx, replace(proof, asked={**proof.asked, "erased": erased}))
        after_commit(tx, partial(self.fresh.drop, encounter_id))
        after_commit(tx, self._sweep_quietly)
        return change_log.append(tx, Operation.REMOVE, encounter_id)

    def erase_person(self, tx: Connection, person_id: str, proof: AuditEntry | None = None) -> int:
        """Erase every encounter of a person, and the person; gives the last change-log sequence."""
        order_changes(tx)
        return [self.erase(tx, each, proof) for each in self.encounter_ids_of(tx, person_id)][-1]

    def sweep_released(self) -> int:
        """Delete pictures whose last row was erased; gives how many. Runs after each erasure and at start."""
        with self._database.transaction() as tx:
            order_changes(tx)  # no `add` may rely on a picture while we judge whether anyone does
            addresses = tx.execute(select(released_blobs.c.sha256)).scalars().all()
            free = [address for address in addresses if not _is_referenced(tx, address)]
            for address in free:
                self.blobs.delete(address)
            tx.execute(delete(released_blobs).where(released_blobs.c.sha256.in_(addresses)))
            remove_exports(tx)
        self._database.settle()  # the erased data keys are still in the journal
        return len(free)

    def sweep_orphans(self, older_than: float | None = None) -> int:
        """Delete pictures no row names, written before `older_than` (seconds since 1970; a day ago)."""
        limit = time.time() - ORPHAN_AGE_S if older_than is None else older_than
        with self._database.transaction() as tx:
            order_changes(tx)
            orphans = [
                each for each in self.blobs.addresses(older_than=limit) if not _is_referenced(tx, each)
            ]
            for address in orphans:
                self.blobs.delete(address)
        return len(orphans) + self.blobs.sweep_partials(limit)

    def _sweep_quietly(self) -> None:
        """Sweep after a commit; what fails now is tried again after the next erasure and at start."""
        try:
            self.sweep_released()
        except (OSError, SQLAlchemyError) as error:
            _log.warning("erased pictures are still on disk, will be tried again: %s", type(error).__name__)

    def _known(self, tx: Connection, encounter_id: str) -> Any:
        """The encounter's row, or `UnknownRecord`."""
        query = select(encounters)
        known = tx.execute(query.where(encounters.c.encounter_id == encounter_id)).one_or_none()
        if known is None:
            raise UnknownRecord(f"there is no encounter {encounter_id}")
        return known


def _operation(status: EncounterStatus) -> Operation:
    """What the gallery does with an encounter of this status."""
    return Operation.ADD if status is EncounterStatus.ACTIVE else Operation.REMOVE


def _is_referenced(tx: Connection, address: str) -> bool:
    """Whether any encounter still has this picture."""
    received = images.c.blob.is_(None) & (images.c.sha256 == address)
    named = select(images.c.encounter_id).where((images.c.blob == address) | received)
    return tx.execute(named.limit(1)).first() is not None
