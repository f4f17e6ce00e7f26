"""A key for each encounter: it seals templates, pictures and particulars, and dies with the encounter.

encounter → data key (random, row of `data_keys`, wrapped) → key-encryption key (keyring) → root key (file).
Erasing the encounter deletes the only copy of its data key in the store; see docs/security.md for backups.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from enrollment.encounter import Encounter, utc_now
from enrollment.errors import DamagedRecord, KeyUnavailable
from enrollment.key_provider import KeyProvider
from enrollment.keyring import Keyring
from enrollment.sealing import Sealer, associated_data, new_key
from enrollment.tables import data_keys, encounters

_KEEP = insert(data_keys)
_KEYS_OF = (
    select(encounters.c.encounter_id, data_keys.c.key_id, data_keys.c.wrapped)
    .outerjoin(data_keys, data_keys.c.encounter_id == encounters.c.encounter_id)
    .where(encounters.c.encounter_id.in_(bindparam("names", expanding=True)))
)
_CATEGORY = re.compile(r"[0-9]")


@dataclass(frozen=True, slots=True, eq=False)
class DataKey:
    """The key of one encounter, unwrapped. Every method names the place, so nothing opens elsewhere."""

    encounter_id: str
    key: bytes
    sealer: Sealer

    @classmethod
    def new(cls, encounter_id: str) -> DataKey:
        """A fresh key; nothing is stored yet."""
        return cls.of(encounter_id, new_key())

    @classmethod
    def of(cls, encounter_id: str, key: bytes) -> DataKey:
        """The key with its cipher."""
        return cls(encounter_id, key, Sealer(key))

    def __repr__(self) -> str:
        return f"DataKey({self.encounter_id!r})"  # a key is never printed

    def seal_template(self, position: int, codec: str, data: bytes) -> bytes:
        """An encoded template as its row holds it."""
        return self.sealer.seal(data, associated_data("templates", self.encounter_id, position, codec))

    def open_template(self, position: int, codec: str, data: bytes) -> bytes:
        """The reverse."""
        return self.sealer.open(data, associated_data("templates", self.encounter_id, position, codec))

    def seal_prepared(self, made_by: str, data: bytes) -> bytes:
        """Encoded prepared prints as their row holds them."""
        return self.sealer.seal(data, associated_data("prepared_prints", self.encounter_id, made_by))

    def open_prepared(self, made_by: str, data: bytes) -> bytes:
        """The reverse."""
        return self.sealer.open(data, associated_data("prepared_prints", self.encounter_id, made_by))

    def seal_picture(self, position: int, sha256: str, data: bytes) -> bytes:
        """A picture as its file holds it; sha256: of the picture."""
        return self.sealer.seal(data, associated_data("images", self.encounter_id, position, sha256))

    def open_picture(self, position: int, sha256: str, data: bytes) -> bytes:
        """The reverse."""
        return self.sealer.open(data, associated_data("images", self.encounter_id, position, sha256))

    def seal_particulars(self, particulars: Particulars) -> bytes:
        """Names and other details as their row holds them."""
        return self.sealer.seal(particulars.encode(), associated_data("encounters", self.encounter_id))

    def open_particulars(self, sealed: bytes) -> Particulars:
        """The reverse."""
        return Particulars.decode(self.sealer.open(sealed, associated_data("encounters", self.encounter_id)))


@dataclass(frozen=True, slots=True)
class Particulars:
    """What an encounter says of the person in words; see `Encounter`."""

    biographic: Mapping[str, Any]
    contextual: Mapping[str, Any]
    client_data: bytes | None

    @classmethod
    def of(cls, encounter: Encounter) -> Particulars:
        """Those of an encounter."""
        return cls(encounter.biographic, encounter.contextual, encounter.client_data)

    def encode(self) -> bytes:
        """As JSON; client data in hexadecimal."""
        client_data = None if self.client_data is None else self.client_data.hex()
        return json.dumps([dict(self.biographic), dict(self.contextual), client_data]).encode()

    @classmethod
    def decode(cls, data: bytes) -> Particulars:
        """The reverse."""
        biographic, contextual, client_data = json.loads(data)
        return cls(biographic, contextual, None if client_data is None else bytes.fromhex(client_data))


class Envelope:
    """Data keys in their rows, wrapped by the keyring."""

    def __init__(self, keyring: KeyProvider) -> None:
        self._keyring = keyring

    def keep(self, tx: Connection, key: DataKey, category: str | None) -> None:
        """Store the key of an encounter that is being stored; wrapped under this month's key of its category.

        Called by whoever holds the order of changes: a rotation relies on that.
        """
        period = period_of(utc_now(), category)
        key_id, wrapped = self._keyring.wrap(period, key.key, _place(key.encounter_id))
        row = {"encounter_id": key.encounter_id, "key_id": key_id, "wrapped": wrapped}
        tx.execute(_KEEP, row)

    def keys_of(self, tx: Connection, encounter_ids: Collection[str]) -> Mapping[str, DataKey | None]:
        """The keys of these encounters, as `key_beside` gives them; unknown ones are left out."""
        rows = tx.execute(_KEYS_OF, {"names": list(encounter_ids)})
        return {row.encounter_id: self.key_beside(row) for row in rows}

    def unwrap(self, row: Any) -> DataKey:
        """The key of a row with `encounter_id`, `key_id`, `wrapped`."""
        key = self._keyring.unwrap(row.key_id, row.wrapped, _place(row.encounter_id))
        return DataKey.of(row.encounter_id, key)

    def rewrap(self, row: Any) -> tuple[str, bytes]:
        """The key of a row under the newest key of its period: (key id, wrapped)."""
        period = row.key_id.rpartition("/")[0]
        return self._keyring.wrap(period, self.unwrap(row).key, _place(row.encounter_id))

    def key_beside(self, row: Any) -> DataKey | None:
        """The key of a row from an outer join with `data_keys`.

        None only in a store from before sealing, while some of it is not sealed yet; else `DamagedRecord`: to
        drop a key must not make plaintext acceptable.
        """
        if row.wrapped is not None:
            return self.unwrap(row)
        if not self._keyring.plaintext:
            raise DamagedRecord(f"encounter {row.encounter_id} lost its data key: restore it from a backup")
        return None


def adopt_keyring(tx: Connection, keyring: Keyring) -> None:
    """Refuse a keyring that lacks keys of the store; tell a new one whether the store is older."""
    named = set(tx.execute(select(data_keys.c.key_id).distinct()).scalars())
    if missing := named - set(keyring.key_ids()):
        raise KeyUnavailable(
            f"the keyring lacks {len(missing)} keys of this store ({min(missing)}): put the right one back"
        )
    if keyring.is_new:
        older = select(encounters.c.encounter_id).where(
            encounters.c.encounter_id.not_in(select(data_keys.c.encounter_id))
        )
        keyring.allow_plaintext(tx.execute(older.limit(1)).first() is not None)


def period_of(moment: datetime, category: str | None) -> str:
    """The retention period a key-encryption key serves: month and category, `2026-11.1`; `-` for no digit."""
    digit = category if category is not None and _CATEGORY.fullmatch(category) else "-"
    return f"{moment:%Y-%m}.{digit}"


def _place(encounter_id: str) -> bytes:
    return associated_data("data_keys", encounter_id)
