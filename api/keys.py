"""API keys: made once, shown once, kept only as a hash.

A key reads `tp_PREFIX_SECRET`: eight letters that may appear in lists and logs, and 256 random bits that may
not. A plain SHA-256 is enough for the store: nobody can guess 256 random bits, so a slow hash would only slow
down every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from api.errors import NotAuthenticated
from api.roles import Principal, Role
from enrollment.encounter import new_id
from enrollment.errors import UnknownRecord
from enrollment.tables import api_keys

_MARK = "tp"
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_HINT = "Send `Authorization: Bearer KEY` with a key made by `tenprint keys create --role ROLE`."


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is kept of a key. `prefix` names it in lists; the key itself cannot be recovered."""

    key_id: str
    role: Role
    name: str
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def usable(self, now: datetime) -> bool:
        """Say whether the key opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def create(
    tx: Connection, role: Role, name: str, *, now: datetime, expires_at: datetime | None = None
) -> str:
    """Make and store a key; the return value is the only time it is seen."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    key = f"{_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    tx.execute(
        insert(api_keys).values(
            key_id=new_id(),
            role=role.value,
            name=name,
            prefix=prefix,
            sha256=_digest(key),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return key


def authenticate(tx: Connection, authorization: str | None, *, now: datetime) -> Principal:
    """Who sends this `Authorization` header; `NotAuthenticated` says what is missing."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotAuthenticated(f"The request carries no API key. {_HINT}")
    digest = _digest(key.strip())
    row = tx.execute(select(api_keys).where(api_keys.c.sha256 == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.sha256, digest):
        raise NotAuthenticated(f"The API key is not known here. {_HINT}")
    record = _record(row)
    if not record.usable(now):
        state = "revoked" if record.revoked_at else "expired"
        raise NotAuthenticated(f"The API key {record.prefix} is {state}. {_HINT}")
    return Principal(record.key_id, record.name, record.role)


def listing(tx: Connection) -> Sequence[KeyRecord]:
    """Every key ever made, oldest first."""
    return [
        _record(row)
        for row in tx.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id))
    ]


def revoke(tx: Connection, prefix: str, *, now: datetime) -> KeyRecord:
    """Close a key for good; a second revocation changes nothing."""
    row = tx.execute(select(api_keys).where(api_keys.c.prefix == prefix)).one_or_none()
    if row is None:
        raise UnknownRecord(f"There is no key {prefix}: `tenprint keys list` shows them.")
    if row.revoked_at is None:
        tx.execute(update(api_keys).where(api_keys.c.key_id == row.key_id).values(revoked_at=now))
        row = tx.execute(select(api_keys).where(api_keys.c.key_id == row.key_id)).one()
    return _record(row)


def _record(row: Row[tuple[object, ...]]) -> KeyRecord:
    return KeyRecord(
        row.key_id, Role(row.role), row.name, row.prefix, row.created_at, row.expires_at, row.revoked_at
    )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
