"""The same request twice does its work once: key and answer live in the work's own transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, update

from enrollment.database import insert_if_absent
from enrollment.encounter import utc_now
from enrollment.errors import ConflictingRecord
from enrollment.tables import idempotency_keys

# Made once: to put a statement together takes longer than to run it.
_REMEMBER = update(idempotency_keys).where(idempotency_keys.c.key == bindparam("claimed"))


def claim(tx: Connection, key: str, request_hash: str) -> bytes | None:
    """Take the key for this transaction: None when the work is to be done, else the answer given before.

    key: at most 200 characters; prefix it with who calls, so that callers cannot meet each other's.
    request_hash: hex SHA-256 of the request; another request under the same key is a `ConflictingRecord`.
    A second caller of a running request waits here until the first one commits or fails.
    """
    row = {"key": key, "request_hash": request_hash, "created_at": utc_now()}
    if insert_if_absent(tx, idempotency_keys, row):
        return None
    known = tx.execute(select(idempotency_keys).where(idempotency_keys.c.key == key)).one()
    if known.request_hash != request_hash:
        raise ConflictingRecord("this idempotency key was used for another request: use a new key")
    if known.answer is None:
        raise ConflictingRecord("this idempotency key was claimed and never answered: use a new key")
    return bytes(known.answer)


def remember(tx: Connection, key: str, answer: bytes) -> None:
    """Keep the answer under the key claimed in this transaction."""
    tx.execute(_REMEMBER, {"claimed": key, "answer": answer})


def forget(tx: Connection, before: datetime) -> int:
    """Drop keys older than `before`; gives how many. A repeat after that is a new request."""
    return tx.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before)).rowcount
