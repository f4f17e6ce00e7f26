"""Reading encounters: one by one for people, in bulk for the gallery."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, exists, func, select

from enrollment import change_log
from enrollment.blobs import BlobStore
from enrollment.change_log import Change
from enrollment.encounter import Encounter, EncounterStatus
from enrollment.envelope import DataKey, Envelope
from enrollment.errors import DamagedRecord, UnknownRecord
from enrollment.record_rows import decode_template, open_picture, read_encounters
from enrollment.tables import (
    data_keys,
    encounter_galleries,
    encounters,
    images,
    persons,
    prepared_prints,
    templates,
)
from matcher.codes import FingerPosition
from matcher.prepared_prints import made_by
from matcher.template import Tenprint

_log = logging.getLogger(__name__)
#: Ids in one `IN (…)`: far below what either database takes.
BATCH = 500


class RecordReader:
    """The reading half of `Records`. Every method reads in the transaction it is given."""

    def __init__(self, blobs: BlobStore, envelope: Envelope) -> None:
        self.blobs = blobs
        self.envelope = envelope

    def get(self, tx: Connection, encounter_id: str) -> Encounter:
        """One encounter, or `UnknownRecord`."""
        found = read_encounters(tx, [encounter_id], self.envelope)
        if not found:
            raise UnknownRecord(f"there is no encounter {encounter_id}")
        return found[0]

    def encounters_of(self, tx: Connection, person_id: str) -> Sequence[Encounter]:
        """A person's encounters, oldest first, or `UnknownRecord`."""
        return read_encounters(tx, self.encounter_ids_of(tx, person_id), self.envelope)

    def encounter_ids_of(self, tx: Connection, person_id: str) -> Sequence[str]:
        """The ids of a person's encounters, oldest first, or `UnknownRecord`."""
        found = tx.execute(_OF_PERSON, {"named": person_id}).scalars().all()
        if not found:
            raise UnknownRecord(f"there is no person {person_id}")
        return found

    def exists(self, tx: Connection, encounter_id: str) -> bool:
        """Whether the encounter is in the store."""
        return tx.execute(_NAMED, {"named": encounter_id}).first() is not None

    def person_exists(self, tx: Connection, person_id: str) -> bool:
        """Whether the person is in the store."""
        return tx.execute(_PERSON, {"named": person_id}).first() is not None

    def persons_of(self, tx: Connection, encounter_ids: Collection[str]) -> Mapping[str, str]:
        """Encounter id → person id; unknown encounters are left out."""
        found: dict[str, str] = {}
        for batch in batches(encounter_ids):
            rows = tx.execute(_PERSONS_OF, {"names": batch})
            found.update((row.encounter_id, row.person_id) for row in rows)
        return found

    def image(self, tx: Connection, encounter_id: str, position: FingerPosition) -> bytes:
        """A picture's bytes as received, verified, or `UnknownRecord`."""
        query = select(images).where(
            images.c.encounter_id == encounter_id, images.c.position == int(position)
        )
        row = tx.execute(query).one_or_none()
        if row is None:
            raise UnknownRecord(f"encounter {encounter_id} has no picture of position {int(position)}")
        key = self.envelope.keys_of(tx, [encounter_id])[encounter_id]
        return open_picture(row, key, self.blobs.get(row.blob or row.sha256))

    def changes(self, tx: Connection, after: int, limit: int = 1000) -> Sequence[Change]:
        """At most `limit` changes with a sequence above `after`, in order of commit."""
        return change_log.changes(tx, after, limit)

    def last_sequence(self, tx: Connection) -> int:
        """The sequence of the newest change; 0 when there is none."""
        return change_log.last_sequence(tx)

    def in_galleries(self, tx: Connection, names: Collection[str]) -> set[str]:
        """The ids of active encounters that belong to at least one of the galleries."""
        query = (
            select(encounter_galleries.c.encounter_id)
            .join(encounters, encounters.c.encounter_id == encounter_galleries.c.encounter_id)
            .where(encounter_galleries.c.gallery.in_(names), _ACTIVE)
        )
        return set(tx.execute(query).scalars())

    def galleries(self, tx: Connection) -> Mapping[str, int]:
        """Every gallery's name with how many encounters belong to it."""
        query = select(encounter_galleries.c.gallery, func.count()).group_by(encounter_galleries.c.gallery)
        return {name: count for name, count in tx.execute(query)}  # noqa: C416 - rows are not pairs to mypy

    def count(self, tx: Connection) -> int:
        """How many encounters are in the store."""
        return int(tx.execute(select(func.count()).select_from(encounters)).scalar_one())

    def encounter_ids(self, tx: Connection, *, after: str = "", limit: int = 1000) -> Sequence[str]:
        """A page of all encounter ids, in order of id, beginning above `after`."""
        query = select(encounters.c.encounter_id).where(encounters.c.encounter_id > after)
        return tx.execute(query.order_by(encounters.c.encounter_id).limit(limit)).scalars().all()

    def tenprints(self, tx: Connection, encounter_ids: Collection[str]) -> Mapping[str, Tenprint]:
        """The templates of these encounters; those unknown, inactive or without a template are left out."""
        return {each.encounter_id: each.decode() for each in self.encoded(tx, encounter_ids)}

    def encoded(self, tx: Connection, encounter_ids: Collection[str]) -> Iterator[EncodedTenprint]:
        """The templates of these encounters, still encoded."""
        for batch in batches(encounter_ids):
            chosen = _templates().where(templates.c.encounter_id.in_(batch))
            rows = tx.execute(chosen.order_by(templates.c.encounter_id, templates.c.position)).all()
            for encounter_id, group in groupby(rows, key=lambda row: str(row.encounter_id)):
                yield EncodedTenprint(encounter_id, list(group), self.envelope)

    def count_searchable(self, tx: Connection) -> int:
        """How many encounters `searchable` will give."""
        return int(tx.execute(select(func.count()).select_from(encounters).where(_SEARCHABLE)).scalar_one())

    def searchable(self, tx: Connection, *, after: str = "", limit: int = BATCH) -> Sequence[str]:
        """A page of the ids of active encounters that have templates, in order of id, above `after`."""
        query = select(encounters.c.encounter_id).where(_SEARCHABLE, encounters.c.encounter_id > after)
        return tx.execute(query.order_by(encounters.c.encounter_id).limit(limit)).scalars().all()

    def prepared(self, tx: Connection, keys: Mapping[str, DataKey | None]) -> Mapping[str, bytes]:
        """The prepared prints of the encounters with these keys, as `matcher.prepared_prints` writes them.

        Left out: unknown and inactive ones, prints made by another version, and damaged ones, which can be
        made again of their templates.
        """
        found: dict[str, bytes] = {}
        maker = made_by()
        sealing = {name: key for name, key in keys.items() if key is not None}
        for batch in batches(sealing):
            for row in tx.execute(_PREPARED, {"maker": maker, "names": batch}):
                try:
                    found[row.encounter_id] = sealing[row.encounter_id].open_prepared(maker, row.data)
                except DamagedRecord as fault:
                    _log.warning("prepared prints are made again: %s", fault)
        return found


@dataclass(frozen=True, slots=True)
class EncodedTenprint:
    """An encounter's templates as stored: opening and decoding is left to whoever has a thread for it."""

    encounter_id: str
    rows: Sequence[Row[Any]]
    envelope: Envelope

    def decode(self) -> Tenprint:
        """The templates, by position."""
        key = self.envelope.key_beside(self.rows[0])
        return {FingerPosition(row.position): decode_template(row, key) for row in self.rows}


# Made once: to put a statement together takes longer than to run it.
_NAMES: BindParameter[Any] = bindparam("names", expanding=True)
_NAMED = select(encounters.c.encounter_id).where(encounters.c.encounter_id == bindparam("named"))
_PERSON = select(persons.c.person_id).where(persons.c.person_id == bindparam("named"))
_OF_PERSON = (
    select(encounters.c.encounter_id)
    .where(encounters.c.person_id == bindparam("named"))
    .order_by(encounters.c.created_at, encounters.c.encounter_id)
)
_PERSONS_OF = select(encounters.c.encounter_id, encounters.c.person_id).where(
    encounters.c.encounter_id.in_(_NAMES)
)
_ACTIVE = encounters.c.status == EncounterStatus.ACTIVE.value
_SEARCHABLE = _ACTIVE & exists().where(templates.c.encounter_id == encounters.c.encounter_id)
_PREPARED = (
    select(prepared_prints.c.encounter_id, prepared_prints.c.data)
    .join(encounters, encounters.c.encounter_id == prepared_prints.c.encounter_id)
    .where(
        _ACTIVE,
        prepared_prints.c.made_by == bindparam("maker"),
        prepared_prints.c.encounter_id.in_(_NAMES),
    )
)


def templates_with_keys() -> Select[Any]:
    """Templates, each beside the data key of its encounter."""
    together = data_keys.c.encounter_id == templates.c.encounter_id
    return select(templates, data_keys.c.key_id, data_keys.c.wrapped).outerjoin(data_keys, together)


def _templates() -> Select[Any]:
    """Those of active encounters."""
    active = templates_with_keys().join(encounters, encounters.c.encounter_id == templates.c.encounter_id)
    return active.where(_ACTIVE)


def batches(ids: Collection[str]) -> Iterator[list[str]]:
    """The ids in lists short enough for one query."""
    remaining = iter(ids)
    while batch := list(islice(remaining, BATCH)):
        yield batch
