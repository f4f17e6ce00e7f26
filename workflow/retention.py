"""Retention: what is due is erased on its day, what is held is not, and the proof stays.

An erasure removes rows, data key, pictures, index entry, queue entry and exported copies; the audit log keeps
who, when and by which rule, with keyed hashes of the ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from enrollment.audit_log import AuditEntry
from enrollment.database import Database
from enrollment.encounter import new_id
from enrollment.errors import UnknownRecord
from enrollment.records import Records
from enrollment.released import is_held
from enrollment.tables import encounters, export_queue, legal_holds
from workflow import audit
from workflow.audit import Action, Actor
from workflow.retention_rules import RULES, Rule, last_day

#: Receives (done, total).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Due:
    """An encounter that may no longer be kept. last_day: the last on which it might. held: by a hold."""

    encounter_id: str
    rule: Rule
    last_day: date
    held: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold. lifted_at: None while it stands."""

    hold_id: str
    encounter_id: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_at: datetime | None


def due(tx: Connection, today: date) -> Sequence[Due]:
    """Everything whose last day is over, oldest first. Encounters without a rule are never due."""
    found: list[Due] = []
    for rule in RULES:
        # A year has at least 365 days: whatever is due is among these.
        latest = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(days=365 * rule.years)
        query = _counted_from().where(encounters.c.category == rule.category, latest > _MOMENT)
        for encounter_id, moment in tx.execute(query):
            if (day := last_day(rule, moment)) < today:
                found.append(Due(encounter_id, rule, day, is_held(tx, encounter_id)))
    return sorted(found, key=lambda each: (each.last_day, each.encounter_id))


def erase_due(
    database: Database, records: Records, *, actor: Actor, at: datetime, progress: Progress
) -> Sequence[Due]:
    """Erase what is due today and not held, one transaction each; gives what was erased. Interruptible."""
    today = at.astimezone(UTC).date()
    with database.reading() as tx:
        waiting = [each for each in due(tx, today) if not each.held]
    erased: list[Due] = []
    for done, each in enumerate(waiting, start=1):
        with database.transaction() as tx:
            if _still_due(tx, each, today):
                records.erase(tx, each.encounter_id, _proof(each, actor, at))
                erased.append(each)
        progress(done, len(waiting))
    return erased


def hold(tx: Connection, encounter_id: str, reason: str, *, actor: Actor, at: datetime) -> str:
    """Keep an encounter from being erased, by rule or by hand, until the hold is lifted; gives its id."""
    known = select(encounters.c.encounter_id).where(encounters.c.encounter_id == encounter_id)
    if tx.execute(known).first() is None:
        raise UnknownRecord(f"there is no encounter {encounter_id}")
    hold_id = new_id()
    row = {"hold_id": hold_id, "encounter_id": encounter_id, "reason": reason}
    tx.execute(insert(legal_holds).values(**row, placed_by=actor.name, placed_at=at))
    asked = {"encounter_id": encounter_id, "hold": hold_id}
    audit.record(tx, actor, Action.HOLD, "placed", at=at, asked=asked)
    return hold_id


def lift(tx: Connection, hold_id: str, *, actor: Actor, at: datetime) -> str:
    """Lift a hold; gives the encounter it was on, which goes with the next run where it is due."""
    standing = (legal_holds.c.hold_id == hold_id) & legal_holds.c.lifted_at.is_(None)
    found = tx.execute(select(legal_holds.c.encounter_id).where(standing)).scalar_one_or_none()
    if found is None:
        raise UnknownRecord(f"there is no standing hold {hold_id}")
    tx.execute(update(legal_holds).where(standing).values(lifted_by=actor.name, lifted_at=at))
    asked = {"encounter_id": found, "hold": hold_id}
    audit.record(tx, actor, Action.HOLD, "lifted", at=at, asked=asked)
    return str(found)


def holds(tx: Connection) -> Sequence[Hold]:
    """Every hold on what is still there, oldest first."""
    columns = (legal_holds.c[name] for name in Hold.__slots__)
    query = select(*columns).order_by(legal_holds.c.placed_at, legal_holds.c.hold_id)
    return [Hold(*row) for row in tx.execute(query)]


#: Article 29 counts from the transmission. What was never sent counts from its capture, which is earlier.
_MOMENT = func.coalesce(
    export_queue.c.exported_at, encounters.c.captured_at, type_=encounters.c.captured_at.type
)


def _counted_from() -> Select[Any]:
    """Encounter id, and the moment its retention counts from."""
    together = export_queue.c.encounter_id == encounters.c.encounter_id
    return select(encounters.c.encounter_id, _MOMENT).outerjoin(export_queue, together)


def _still_due(tx: Connection, each: Due, today: date) -> bool:
    """Whether nothing came between: a hold, an erasure, a later transmission, another category."""
    mine = (encounters.c.encounter_id == each.encounter_id) & (encounters.c.category == each.rule.category)
    row = tx.execute(_counted_from().where(mine)).one_or_none()
    return row is not None and last_day(each.rule, row[1]) < today and not is_held(tx, each.encounter_id)


def _proof(each: Due, actor: Actor, at: datetime) -> AuditEntry:
    return AuditEntry(
        actor=actor.name,
        role=actor.role,
        action=Action.ERASE,
        outcome="retention",
        legal_basis=each.rule.source,
        asked={"category": each.rule.category, "last_day": each.last_day.isoformat()},
        at=at,
    )
