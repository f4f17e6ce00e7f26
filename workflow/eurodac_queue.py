"""What waits for the EURODAC-style export, and the batches it left in.

    queued (no batch) → queued (batch: being written) → exported
                                                      ↘ failed (with the reason)

A batch is opened before its first file is written and closed after its manifest is. Whatever interrupts a
run, the next one finds the open batch and finishes it; until then nothing of it counts as exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from enrollment.database import order_changes
from enrollment.encounter import Encounter
from enrollment.tables import export_batches, export_queue
from workflow.eurodac_profile import (
    PROFILE,
    Profile,
    old_enough,
    reference_number,
    storable_category,
)
from workflow.eurodac_tags import birth_date

# Made once: to put a statement together takes longer than to run it.
_ENQUEUE = insert(export_queue).returning(export_queue.c.sequence)
_NUMBER = update(export_queue).where(export_queue.c.sequence == bindparam("serial"))


class State(StrEnum):
    """Where a queued encounter stands."""

    QUEUED = "queued"
    EXPORTED = "exported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A row of the queue. sequence: the serial of its reference number."""

    sequence: int
    encounter_id: str
    state: State
    category: str
    reference_number: str
    queued_at: datetime
    exported_at: datetime | None
    batch: str | None
    file_name: str | None
    sha256: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """An export run; `created_at` is the time its files carry, however often it is resumed."""

    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """A file of a batch: name, lower-case hex SHA-256."""

    sequence: int
    file_name: str
    sha256: str


def enqueue(tx: Connection, encounter: Encounter, at: datetime, *, profile: Profile) -> str | None:
    """Queue a stored encounter and give its reference number.

    None where nothing is to be sent: no category, or a child known to be under six.
    """
    if encounter.category is None:
        return None
    taken_on = encounter.captured_at.astimezone(UTC).date()
    category = storable_category(encounter.category, on=taken_on)
    if not old_enough(birth_date(encounter.biographic), taken_on):
        return None
    row = {
        "encounter_id": encounter.encounter_id,
        "state": State.QUEUED,
        "category": category,
        "queued_at": at,
    }
    serial = tx.execute(_ENQUEUE, row).scalar_one()
    number = reference_number(profile.member_state, category, serial)
    tx.execute(_NUMBER, {"serial": serial, "reference_number": number})
    return number


def entries(
    tx: Connection, *, state: State | None = None, batch: str | None = None, after: int = 0, limit: int = 100
) -> Sequence[QueueEntry]:
    """Rows of the queue in the order they were queued, from the one after `after` on."""
    query = select(export_queue).where(export_queue.c.sequence > after)
    if state is not None:
        query = query.where(export_queue.c.state == state)
    if batch is not None:
        query = query.where(export_queue.c.batch == batch)
    return [_entry(row) for row in tx.execute(query.order_by(export_queue.c.sequence).limit(limit))]


def counts(tx: Connection) -> dict[State, int]:
    """How many encounters stand where."""
    rows = tx.execute(select(export_queue.c.state, func.count()).group_by(export_queue.c.state))
    return dict.fromkeys(State, 0) | {State(state): count for state, count in rows}


def open_batch(tx: Connection, *, at: datetime, limit: int) -> Batch | None:
    """The batch that was left open, else a new one of at most `limit` encounters; None where none waits."""
    order_changes(tx)  # one opener at a time
    left = tx.execute(select(export_batches).where(export_batches.c.closed_at.is_(None))).first()
    if left is not None:
        return Batch(left.batch, left.created_at)
    waiting = (
        select(export_queue.c.sequence)
        .where(export_queue.c.state == State.QUEUED)
        .order_by(export_queue.c.sequence)
        .limit(limit)
    )
    chosen = tx.execute(waiting).scalars().all()
    if not chosen:
        return None
    number = tx.execute(select(func.count()).select_from(export_batches)).scalar_one() + 1
    batch = Batch(f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{number:06d}", at)
    tx.execute(insert(export_batches).values(batch=batch.name, profile=PROFILE, created_at=batch.created_at))
    tx.execute(
        update(export_queue)
        .where(export_queue.c.state == State.QUEUED, export_queue.c.sequence <= chosen[-1])
        .values(batch=batch.name)
    )
    return batch


def close_batch(
    tx: Connection,
    batch: Batch,
    written: Sequence[Written],
    failed: Sequence[tuple[int, str]],
    *,
    manifest_sha256: str,
    at: datetime,
    folder: Path | None = None,
) -> bool:
    """Mark everything of the batch as it ended; False where its rows are no longer those that were written.

    An encounter erased since takes its row with it: its file must go, and the manifest be made again.
    folder: where the files are, so that a later erasure finds them.
    """
    order_changes(tx)
    closed = select(export_batches.c.closed_at).where(export_batches.c.batch == batch.name)
    if tx.execute(closed).scalar_one() is not None:
        return True  # another process resumed the same batch, wrote the same bytes, and was first
    rows = select(export_queue.c.sequence).where(export_queue.c.batch == batch.name)
    done = {each.sequence for each in written} | {sequence for sequence, _ in failed}
    if set(tx.execute(rows).scalars()) != done:
        return False
    for file in written:
        values: dict[str, Any] = {
            "state": State.EXPORTED,
            "exported_at": at,
            "file_name": file.file_name,
            "sha256": file.sha256,
        }
        tx.execute(update(export_queue).where(export_queue.c.sequence == file.sequence).values(values))
    for sequence, reason in failed:
        tx.execute(
            update(export_queue)
            .where(export_queue.c.sequence == sequence)
            .values(state=State.FAILED, error=reason)
        )
    tx.execute(
        update(export_batches)
        .where(export_batches.c.batch == batch.name)
        .values(
            closed_at=at,
            file_count=len(written),
            manifest_sha256=manifest_sha256,
            folder=None if folder is None else str(folder.resolve()),
        )
    )
    return True


def requeue(tx: Connection, encounter_id: str) -> None:
    """Let an encounter that failed, or has to be sent again, wait anew under its reference number."""
    tx.execute(
        update(export_queue)
        .where(export_queue.c.encounter_id == encounter_id, export_queue.c.state != State.QUEUED)
        .values(state=State.QUEUED, batch=None, file_name=None, sha256=None, exported_at=None, error=None)
    )


def _entry(row: Row[Any]) -> QueueEntry:
    return QueueEntry(
        sequence=row.sequence,
        encounter_id=row.encounter_id,
        state=State(row.state),
        category=row.category,
        reference_number=row.reference_number,
        queued_at=row.queued_at,
        exported_at=row.exported_at,
        batch=row.batch,
        file_name=row.file_name,
        sha256=row.sha256,
        error=row.error,
    )
