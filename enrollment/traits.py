"""What the store knows of encounters that a search may be narrowed by: category, galleries, sex, birth year.

Sex and date of birth are what the particulars say under `gender` (or `sex`) and `dateOfBirth`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, bindparam, select

from enrollment.encounter import Encounter
from enrollment.envelope import DataKey
from enrollment.errors import DamagedRecord
from enrollment.record_reader import batches
from enrollment.tables import encounter_galleries, encounters
from matcher.gallery import Traits

# Made once: to put a statement together takes longer than to run it.
_NAMES: Final[BindParameter[Any]] = bindparam("names", expanding=True)
_KNOWN: Final = select(
    encounters.c.encounter_id, encounters.c.category, encounters.c.sealed, encounters.c.biographic
).where(encounters.c.encounter_id.in_(_NAMES))
_LISTED: Final = select(encounter_galleries.c.encounter_id, encounter_galleries.c.gallery).where(
    encounter_galleries.c.encounter_id.in_(_NAMES)
)
#: Words for a sex, in capitals, and the letter a filter asks for.
_SEXES: Final = {"M": "M", "MALE": "M", "F": "F", "FEMALE": "F"}


def traits_of(tx: Connection, keys: Mapping[str, DataKey | None]) -> Mapping[str, Traits]:
    """The traits of the encounters with these keys (`Envelope.keys_of`); those unknown are left out."""
    galleries: dict[str, set[str]] = defaultdict(set)
    found: dict[str, Traits] = {}
    for batch in batches(keys):
        for encounter_id, gallery in tx.execute(_LISTED, {"names": batch}):
            galleries[encounter_id].add(gallery)
        for row in tx.execute(_KNOWN, {"names": batch}):
            biographic = _biographic(row, keys[row.encounter_id])
            found[row.encounter_id] = _traits(biographic, row.category, galleries[row.encounter_id])
    return found


def traits_told(encounter: Encounter) -> Traits:
    """The traits of an encounter that is being stored: those that `traits_of` will read of it."""
    return _traits(encounter.biographic, encounter.category, encounter.galleries)


def sex_of(biographic: Mapping[str, Any]) -> str | None:
    """M or F; None where it is unknown or another."""
    held = biographic.get("gender") or biographic.get("sex")
    return _SEXES.get(held.strip().upper()) if isinstance(held, str) else None


def _traits(biographic: Mapping[str, Any], category: str | None, galleries: Collection[str]) -> Traits:
    return Traits(
        sex=sex_of(biographic),
        birth_year=_birth_year(biographic),
        category=category,
        galleries=frozenset(galleries),
    )


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
