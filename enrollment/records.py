"""Encounters: append, read, erase. The store is the truth; every index is a view of it."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from enrollment import audit_log, change_log
from enrollment.audit_log import AuditEntry
from enrollment.blobs import BlobStore
from enrollment.change_log import Change, Operation
from enrollment.database import Database, after_commit, insert_if_absent, order_changes
from enrollment.encounter import Encounter, EncounterStatus, utc_now
from enrollment.errors import ConflictingRecord, MalformedRecord, UnknownRecord
from enrollment.record_rows import (
    decode_template,
    encounter_row,
    finger_row,
    image_row,
    read_encounters,
    template_row,
)
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
from matcher.template import Template, Tenprint

#: An orphaned blob may belong to an enrolment still under way; none takes a day.
ORPHAN_AGE_S = 24 * 3600

_NO_IMAGES: Mapping[FingerPosition, bytes] = MappingProxyType({})
_log = logging.getLogger(__name__)


class Records:
    """The durable store of encounters. Methods that take `tx` do all of their work in that transaction."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self._database = database
        self._blobs = blobs

    # Writing

    def keep_images(self, images_: Mapping[FingerPosition, bytes]) -> None:
        """Put pictures on disk before the transaction begins, so that it stays short. Optional: `add` checks.

        Pictures whose transaction never commits are removed a day later by `sweep_orphans`.
        """
        for data in images_.values():
            self._blobs.put(data)

    def add(
        self,
        tx: Connection,
        encounter: Encounter,
        images_: Mapping[FingerPosition, bytes] = _NO_IMAGES,
    ) -> int:
        """Store a new encounter, its templates and pictures; gives its change-log sequence.

        `images_` holds the bytes of every entry of `encounter.images`. A person not yet known is created.
        An encounter id that exists, under whichever person, is a `ConflictingRecord`.
        """
        order_changes(tx)
        if self.exists(tx, encounter.encounter_id):
            raise ConflictingRecord(f"the encounter {encounter.encounter_id} exists already: choose another id")
        self._store_images(encounter, images_)
        now = utc_now()
        insert_if_absent(tx, persons, {"person_id": encounter.person_id, "created_at": now})
        tx.execute(
            insert(encounters).values(**encounter_row(encounter), created_at=now, updated_at=now)
        )
        self._insert_parts(tx, encounter)
        return change_log.append(tx, _operation(encounter.status), encounter.encounter_id)

    def update(
        self,
        tx: Connection,
        encounter_id: str,
        *,
        status: EncounterStatus | None = None,
        galleries: Collection[str] | None = None,
        person_id: str | None = None,
        **details: Any,
    ) -> int:
        """Change what may change of an encounter: never its prints. None leaves a value as it is.

        details: `encounter_type`, `client_data`, `biographic`, `contextual`, `category`, `purpose`.
        person_id: moves it to another person (merge and move are workflow's to justify).
        Gives the change-log sequence as of which the gallery knows.
        """
        order_changes(tx)
        known = tx.execute(
            select(encounters.c.person_id, encounters.c.status).where(
                encounters.c.encounter_id == encounter_id
            )
        ).one_or_none()
        if known is None:
            raise UnknownRecord(f"there is no encounter {encounter_id}")
        values = {name: value for name, value in details.items() if value is not None}
        if person_id is not None:
            insert_if_absent(tx, persons, {"person_id": person_id, "created_at": utc_now()})
            values["person_id"] = person_id
        if status is not None:
            values["status"] = status.value
        tx.execute(
            update(encounters)
            .where(encounters.c.encounter_id == encounter_id)
            .values(**values, updated_at=utc_now())
        )
        if galleries is not None:
            _replace_galleries(tx, encounter_id, galleries)
        if person_id is not None:
            _drop_empty_person(tx, known.person_id)
        if status is None or status.value == known.status:
            return change_log.last_sequence(tx)
        return change_log.append(tx, _operation(status), encounter_id)
