"""The append-only record of who asked what, why, and what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from enrollment.encounter import utc_now
from enrollment.tables import audit_log


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act, written in the same transaction as the act, before its answer leaves.

    actor: the key's or person's id; role: what they acted as; action: a verb ("enroll", "verify", "erase"…).
    outcome: one word ("done", "refused", "match"…). authority, purpose, legal_basis, file_number: as given.
    asked: what was asked, ids and numbers only. returned: ids that left. Never prints, templates or names.
    sequence: set by the store; 0 before.
    """

    actor: str
    role: str
    action: str
    outcome: str
    authority: str | None = None
    purpose: str | None = None
    legal_basis: str | None = None
    file_number: str | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    returned: Sequence[str] = ()
    at: datetime = field(default_factory=utc_now)
    sequence: int = 0


def append(tx: Connection, entry: AuditEntry) -> int:
    """Write the entry; gives its sequence number."""
    row = {
        "at": entry.at,
        "actor": entry.actor,
        "role": entry.role,
        "action": entry.action,
        "outcome": entry.outcome,
        "authority": entry.authority,
        "purpose": entry.purpose,
        "legal_basis": entry.legal_basis,
        "file_number": entry.file_number,
        "asked": dict(entry.asked),
        "returned": list(entry.returned),
    }
    return int(tx.execute(insert(audit_log).values(row).returning(audit_log.c.sequence)).scalar_one())


def entries(
    tx: Connection, *, after: int = 0, limit: int = 1000, file_number: str | None = None
) -> Sequence[AuditEntry]:
    """At most `limit` entries with a sequence above `after`, oldest first."""
    query = select(audit_log).where(audit_log.c.sequence > after)
    if file_number is not None:
        query = query.where(audit_log.c.file_number == file_number)
    rows = tx.execute(query.order_by(audit_log.c.sequence).limit(limit)).mappings()
    return [AuditEntry(**{**row, "returned": tuple(row["returned"])}) for row in rows]
