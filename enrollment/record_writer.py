"""The statements of `enrollment.records`: what is inserted, amended and counted of an encounter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from enrollment.database import insert_if_absent
from enrollment.encounter import Encounter, EncounterStatus, StoredImage, utc_now
from enrollment.envelope import DataKey, Envelope
from enrollment.errors import MalformedRecord
from enrollment.record_rows import finger_row, image_row, particulars_columns, particulars_of
from enrollment.tables import (
    encounter_galleries,
    encounters,
    fingers,
    images,
    persons,
    prepared_prints,
    templates,
)
from matcher.codes import FingerPosition

# Made once: to put a statement together takes longer than to run it.
_INSERT_GALLERIES, _INSERT_FINGERS, _INSERT_TEMPLATES = map(insert, (encounter_galleries, fingers, templates))
_INSERT_PREPARED, _INSERT_IMAGES = insert(prepared_prints), insert(images)


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


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture that is on disk: where it begins in its file, its size and SHA-256 as received."""

    at: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class KeptPictures:
    """Pictures of an encounter, sealed under its key and on disk in one file; blob: its address."""

    key: DataKey
    blob: str | None
    held: Mapping[FingerPosition, KeptPicture]

    def check(self, images: Mapping[FingerPosition, StoredImage]) -> None:
        """Refuse pictures that nothing describes, and descriptions without pictures."""
        if self.held.keys() != images.keys():
            raise MalformedRecord("each picture of an encounter needs its description, and the reverse")
        for position, kept in self.held.items():
            if (kept.size_bytes, kept.sha256) != (images[position].size_bytes, images[position].sha256):
                raise MalformedRecord(f"the picture of position {int(position)} is not the one described")


@dataclass(frozen=True, slots=True, eq=False)
class Sealed:
    """What of an encounter is sealed before its transaction, so that this stays short.

    templates, prepared: rows. encoded: what `prepared` seals, for this process's own gallery.
    """

    pictures: KeptPictures
    templates: Sequence[Mapping[str, Any]]
    prepared: Mapping[str, Any] | None
    encoded: bytes | None = field(default=None, repr=False)


def add_person(tx: Connection, person_id: str) -> None:
    """Make sure the person is there."""
    insert_if_absent(tx, persons, {"person_id": person_id, "created_at": utc_now()})


def drop_person_without_encounters(tx: Connection, person_id: str) -> None:
    """Keep no file on somebody of whom nothing is kept."""
    kept = select(encounters.c.encounter_id).where(encounters.c.person_id == person_id)
    if tx.execute(kept.limit(1)).first() is None:
        tx.execute(delete(persons).where(persons.c.person_id == person_id))


def insert_parts(tx: Connection, encounter: Encounter, sealed: Sealed) -> None:
    """Insert galleries, fingers, templates, prepared prints and pictures of an encounter."""
    name = encounter.encounter_id
    insert_galleries(tx, name, encounter.galleries)
    blob, held = sealed.pictures.blob or "", sealed.pictures.held
    for statement, rows in (
        (_INSERT_FINGERS, [finger_row(name, outcome) for outcome in encounter.fingers.values()]),
        (_INSERT_TEMPLATES, list(sealed.templates)),
        (_INSERT_PREPARED, [] if sealed.prepared is None else [sealed.prepared]),
        (
            _INSERT_IMAGES,
            [image_row(name, image, blob, held[position].at) for position, image in encounter.images.items()],
        ),
    ):
        if rows:
            tx.execute(statement, rows)


def replace_prepared(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put these rows of `prepared_prints` in the place of what is there."""
    names = [row["encounter_id"] for row in rows]
    tx.execute(delete(prepared_prints).where(prepared_prints.c.encounter_id.in_(names)))
    if rows:
        tx.execute(_INSERT_PREPARED, rows)


def insert_galleries(tx: Connection, encounter_id: str, galleries: Collection[str]) -> None:
    """Insert the encounter's galleries."""
    tx.execute(_INSERT_GALLERIES, [{"encounter_id": encounter_id, "gallery": name} for name in galleries])


def amended_columns(amendment: Amendment) -> dict[str, Any]:
    """The columns an amendment sets."""
    names = ("status", "person_id", "encounter_type", "category", "purpose")
    values = {name: getattr(amendment, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def amended_particulars(tx: Connection, envelope: Envelope, row: Any, amendment: Amendment) -> dict[str, Any]:
    """The columns that hold what is said of the person, where the amendment of a row changes any of it."""
    held = {name: getattr(amendment, name) for name in ("biographic", "contextual", "client_data")}
    changes = {name: value for name, value in held.items() if value is not None}
    if not changes:
        return {}
    key = envelope.keys_of(tx, [row.encounter_id])[row.encounter_id]
    return changes if key is None else particulars_columns(replace(particulars_of(row, key), **changes), key)


def count_of(tx: Connection, table: Any, encounter_id: str) -> int:
    """How many rows of the table hang on the encounter."""
    query = select(func.count()).select_from(table).where(table.c.encounter_id == encounter_id)
    return int(tx.execute(query).scalar_one())
