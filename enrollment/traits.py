"""What the store knows of encounters that a search may be narrowed by: category, galleries, sex, birth year.

Sex and date of birth are what the particulars say under `gender` (or `sex`) and `dateOfBirth`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, select

from enrollment.envelope import DataKey
from enrollment.errors import DamagedRecord
from enrollment.record_reader import batches
from enrollment.tables import encounter_galleries, encounters
from matcher.gallery import Traits

_KNOWN: Final = select(
    encounters.c.encounter_id, encounters.c.category, encounters.c.sealed, encounters.c.biographic
)
#: Words for a sex, in capitals, and the letter a filter asks for.
_SEXES: Final = {"M": "M", "MALE": "M", "F": "F", "FEMALE": "F"}


def traits_of(tx: Connection, keys: Mapping[str, DataKey | None]) -> Mapping[str, Traits]:
    """The traits of the encounters with these keys (`Envelope.keys_of`); those unknown are left out."""
    galleries: dict[str, set[str]] = defaultdict(set)
    found: dict[str, Traits] = {}
    for batch in batches(keys):
        listed = select(encounter_galleries.c.encounter_id, encounter_galleries.c.gallery)
        for encounter_id, gallery in tx.execute(listed.where(encounter_galleries.c.encounter_id.in_(batch))):
            galleries[encounter_id].add(gallery)
        for row in tx.execute(_KNOWN.where(encounters.c.encounter_id.in_(batch))):
            biographic = _biographic(row, keys[row.encounter_id])
            found[row.encounter_id] = Traits(
                sex=sex_of(biographic),
                birth_year=_birth_year(biographic),
                category=row.category,
                galleries=frozenset(galleries[row.encounter_id]),
            )
    return found


def sex_of(biographic: Mapping[str, Any]) -> str | None:
    """M or F; None where it is unknown or another."""
    held = biographic.get("gender") or biographic.get("sex")
    return _SEXES.get(held.strip().upper()) if isinstance(held, str) else None


def _birth_year(biographic: Mapping[str, Any]) -> int | None:
    held = biographic.get("dateOfBirth")
    try:
        return date.fromisoformat(held).year if isinstance(held, str) else None
    except ValueError:
        return None


def _biographic(row: Any, key: DataKey | None) -> Mapping[str, Any]:
    """What is said of the person; nothing where it is damaged: prints can be searched all the same."""
    try:
        return row.biographic if key is None else key.open_particulars(row.sealed or b"").biographic
    except DamagedRecord:
        return {}
