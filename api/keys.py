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
HINT = "Send `Authorization: Bearer KEY` with a key made by `tenprint keys create --role ROLE`."


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

    @property
    def principal(self) -> Principal:
        """Who holds the key."""
        return Principal(self.name, self.prefix, self.role)

    def state(self, now: datetime) -> str:
        """One word: "valid", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "valid"


def create(
    tx: Connection, role: Role, name: str | None, *, now: datetime, expires_at: datetime | None = None
) -> str:
    """Make and store a key; the return value is the only time it is seen. A key without a name gets one."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    key = f"{_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    tx.execute(
        insert(api_keys).values(
            key_id=new_id(),
            role=role.value,
            name=name or role.value,
            prefix=prefix,
            sha256=_digest(key),
            created_at=now,
            expires_at=expires_at,
        )
    )
    return key


def find(tx: Connection, authorization: str | None) -> KeyRecord:
    """The key in this `Authorization` header, usable or not; `NotAuthenticated` when it is none of ours."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotAuthenticated(f"The request carries no API key. {HINT}")
    digest = _digest(key.strip())
    row = tx.execute(select(api_keys).where(api_keys.c.sha256 == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.sha256, digest):
        raise NotAuthenticated(f"The API key is not known here. {HINT}")
    return _record(row)


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


def prefix_of(key: str) -> str:
    """The part of a key that may be shown."""
    return key.split("_")[1]


def _record(row: Row[tuple[object, ...]]) -> KeyRecord:
    return KeyRecord(
        row.key_id, Role(row.role), row.name, row.prefix, row.created_at, row.expires_at, row.revoked_at
    )


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
