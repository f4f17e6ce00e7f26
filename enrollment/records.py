"""Encounters: append, read, erase. The store is the truth; every index is a view of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from enrollment import audit_log, change_log
from enrollment.audit_log import AuditEntry
from enrollment.blobs import BlobStore
from enrollment.change_log import Operation
from enrollment.database import Database, after_commit, insert_if_absent, order_changes
from enrollment.encounter import Encounter, EncounterStatus, check_galleries, check_identifier, utc_now
from enrollment.errors import ConflictingRecord, MalformedRecord, UnknownRecord
from enrollment.record_reader import RecordReader
from enrollment.record_rows import encounter_row, finger_row, image_row, template_row
from enrollment.tables import (
    encounter_galleries,
    encounters,
    fingers,
    images,
    persons,
    released_blobs,
    templates,
)
from matcher.codes import FingerPosition

#: An orphaned blob may belong to an enrolment still under way; none takes a day.
ORPHAN_AGE_S = 24 * 3600

_NO_PICTURES: Mapping[FingerPosition, bytes] = MappingProxyType({})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Amendment:
    """What may change of an encounter: never its prints. None leaves a value as it is.

    person_id moves the encounter to another person; that this is right is for workflow to say.
    """

    status: EncounterStatus | None = None
    galleries: tuple[str, ...] | None = None
    person_id: str | None = None
    encounter_type: str | None = None
    category: str | None = None
    purpose: str | None = None
    client_data: bytes | None = None
    biographic: Mapping[str, Any] | None = None
    contextual: Mapping[str, Any] | None = None


class Records(RecordReader):
    """The durable store of encounters. Methods that take `tx` do all of their work in that transaction."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        super().__init__(blobs)
        self._database = database

    def keep_images(self, pictures: Mapping[FingerPosition, bytes]) -> None:
        """Put pictures on disk before the transaction begins, so that it stays short. Optional: `add` checks.

        Pictures whose transaction never commits are removed a day later by `sweep_orphans`.
        """
        for data in pictures.values():
            self._blobs.put(data)

    def add(
        self, tx: Connection, encounter: Encounter, pictures: Mapping[FingerPosition, bytes] = _NO_PICTURES
    ) -> int:
        """Store a new encounter, its templates and pictures; gives its change-log sequence.

        `pictures` holds the bytes of every entry of `encounter.images`. A person not yet known is created.
        An encounter id that exists, under whichever person, is a `ConflictingRecord`.
        """
        order_changes(tx)
        if self.exists(tx, encounter.encounter_id):
            raise ConflictingRecord(
                f"the encounter {encounter.encounter_id} exists already: choose another id"
            )
        _check_pictures(encounter, pictures)
        self.keep_images(pictures)
        now = utc_now()
        _add_person(tx, encounter.person_id)
        tx.execute(insert(encounters).values(**encounter_row(encounter), created_at=now, updated_at=now))
        _insert_parts(tx, encounter)
        return change_log.append(tx, _operation(encounter.status), encounter.encounter_id)

    def amend(self, tx: Connection, encounter_id: str, amendment: Amendment) -> int:
        """Change an encounter; gives the change-log sequence as of which the gallery knows."""
        order_changes(tx)
        known = self._known(tx, encounter_id)
        if amendment.person_id is not None:
            _add_person(tx, check_identifier(amendment.person_id, "person id"))
        tx.execute(
            update(encounters)
            .where(encounters.c.encounter_id == encounter_id)
            .values(**_amended_columns(amendment), updated_at=utc_now())
        )
        if amendment.galleries is not None:
            check_galleries(amendment.galleries)
            tx.execute(delete(encounter_galleries).where(encounter_galleries.c.encounter_id == encounter_id))
            _insert_galleries(tx, encounter_id, amendment.galleries)
        _drop_person_without_encounters(tx, known.person_id)
        if amendment.status is None or amendment.status.value == known.status:
            return change_log.last_sequence(tx)
        return change_log.append(tx, _operation(amendment.status), encounter_id)

    def erase(self, tx: Connection, encounter_id: str, proof: AuditEntry | None = None) -> int:
        """Remove an encounter, its templates and pictures; gives its change-log sequence.

        Links, judgements and queue entries go with it; the change log keeps the id; the audit log keeps
        `proof` (who and why), completed with what was erased. Pictures are deleted once this is committed.
        """
        order_changes(tx)
        known = self._known(tx, encounter_id)
        erased = {"encounter_id": encounter_id, "person_id": known.person_id}
        erased |= {table.name: _count(tx, table, encounter_id) for table in (templates, images)}
        addresses = select(images.c.sha256).where(images.c.encounter_id == encounter_id).distinct()
        for address in tx.execute(addresses).scalars().all():
            insert_if_absent(tx, released_blobs, {"sha256": address})
        tx.execute(delete(encounters).where(encounters.c.encounter_id == encounter_id))
        _drop_person_without_encounters(tx, known.person_id)
        proof = proof or AuditEntry(actor="system", role="system", action="erase", outcome="done")
        audit_log.append(tx, replace(proof, asked={**proof.asked, "erased": erased}))
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
                self._blobs.delete(address)
            tx.execute(delete(released_blobs).where(released_blobs.c.sha256.in_(addresses)))
        return len(free)

    def sweep_orphans(self, older_than: float | None = None) -> int:
        """Delete pictures no row names, written before `older_than` (seconds since 1970; a day ago)."""
        limit = time.time() - ORPHAN_AGE_S if older_than is None else older_than
        with self._database.transaction() as tx:
            order_changes(tx)
            orphans = [
                each for each in self._blobs.addresses(older_than=limit) if not _is_referenced(tx, each)
            ]
            for address in orphans:
                self._blobs.delete(address)
        return len(orphans) + self._blobs.sweep_partials(limit)

    def _sweep_quietly(self) -> None:
        """Sweep after a commit; what fails now is tried again after the next erasure and at start."""
        try:
            self.sweep_released()
        except (OSError, SQLAlchemyError) as error:
            _log.warning("erased pictures are still on disk, will be tried again: %s", type(error).__name__)

    def _known(self, tx: Connection, encounter_id: str) -> Any:
        """The encounter's person and status, or `UnknownRecord`."""
        query = select(encounters.c.person_id, encounters.c.status)
        known = tx.execute(query.where(encounters.c.encounter_id == encounter_id)).one_or_none()
        if known is None:
            raise UnknownRecord(f"there is no encounter {encounter_id}")
        return known


def _operation(status: EncounterStatus) -> Operation:
    """What the gallery does with an encounter of this status."""
    return Operation.ADD if status is EncounterStatus.ACTIVE else Operation.REMOVE


def _check_pictures(encounter: Encounter, pictures: Mapping[FingerPosition, bytes]) -> None:
    """Refuse bytes that nothing describes, and descriptions without bytes."""
    if pictures.keys() != encounter.images.keys():
        raise MalformedRecord("each picture of an encounter needs its description, and the reverse")
    for position, data in pictures.items():
        if not encounter.images[position].describes(data):
            raise MalformedRecord(f"the picture of position {int(position)} is not the one described")


def _add_person(tx: Connection, person_id: str) -> None:
    """Make sure the person is there."""
    insert_if_absent(tx, persons, {"person_id": person_id, "created_at": utc_now()})


def _drop_person_without_encounters(tx: Connection, person_id: str) -> None:
    """Keep no file on somebody of whom nothing is kept."""
    kept = select(encounters.c.encounter_id).where(encounters.c.person_id == person_id)
    if tx.execute(kept.limit(1)).first() is None:
        tx.execute(delete(persons).where(persons.c.person_id == person_id))


def _insert_parts(tx: Connection, encounter: Encounter) -> None:
    """Insert galleries, fingers, templates and pictures of an encounter."""
    key = encounter.encounter_id
    _insert_galleries(tx, key, encounter.galleries)
    for table, rows in (
        (fingers, [finger_row(key, outcome) for outcome in encounter.fingers.values()]),
        (templates, [template_row(key, *entry) for entry in encounter.tenprint.items()]),
        (images, [image_row(key, image) for image in encounter.images.values()]),
    ):
        if rows:
            tx.execute(insert(table), rows)


def _insert_galleries(tx: Connection, encounter_id: str, galleries: Collection[str]) -> None:
    """Insert the encounter's galleries."""
    tx.execute(
        insert(encounter_galleries), [{"encounter_id": encounter_id, "gallery": name} for name in galleries]
    )


def _amended_columns(amendment: Amendment) -> dict[str, Any]:
    """The columns an amendment sets."""
    names = (
        "status",
        "person_id",
        "encounter_type",
        "category",
        "purpose",
        "client_data",
        "biographic",
        "contextual",
    )
    values = {name: getattr(amendment, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _count(tx: Connection, table: Any, encounter_id: str) -> int:
    """How many rows of the table hang on the encounter."""
    query = select(func.count()).select_from(table).where(table.c.encounter_id == encounter_id)
    return int(tx.execute(query).scalar_one())


def _is_referenced(tx: Connection, address: str) -> bool:
    """Whether any encounter still has this picture."""
    return tx.execute(select(images.c.sha256).where(images.c.sha256 == address).limit(1)).first() is not None
