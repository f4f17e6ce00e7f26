"""The ordered list of what entered and left the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, func, insert, select

from enrollment.database import order_changes
from enrollment.encounter import utc_now
from enrollment.tables import change_log

# Made once: to put a statement together takes longer than to run it.
_APPEND = insert(change_log).returning(change_log.c.sequence)
_AFTER = (
    select(change_log.c.sequence, change_log.c.operation, change_log.c.encounter_id)
    .where(change_log.c.sequence > bindparam("after"))
    .order_by(change_log.c.sequence)
    .limit(bindparam("most"))
)


class Operation(StrEnum):
    """What happened to an encounter, as the gallery sees it."""

    ADD = "ADD"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class Change:
    """One row. sequence: rising in order of commit, with gaps. A REMOVE may name what was never added."""

    sequence: int
    operation: Operation
    encounter_id: str


def append(tx: Connection, operation: Operation, encounter_id: str) -> int:
    """Write a change; gives its sequence, above that of every change committed before."""
    order_changes(tx)
    row = {"operation": operation.value, "encounter_id": encounter_id, "created_at": utc_now()}
    return int(tx.execute(_APPEND, row).scalar_one())


def changes(tx: Connection, after: int, limit: int) -> Sequence[Change]:
    """At most `limit` changes with a sequence above `after`, in order."""
    rows = tx.execute(_AFTER, {"after": after, "most": limit})
    return [Change(row.sequence, Operation(row.operation), row.encounter_id) for row in rows]


def last_sequence(tx: Connection) -> int:
    """The sequence of the newest change; 0 when there is none."""
    return int(tx.execute(select(func.coalesce(func.max(change_log.c.sequence), 0))).scalar_one())
