"""Is the store whole? Each check looks at one promise and tells what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DatabaseError

from enrollment.change_log import Operation
from enrollment.database import Database
from enrollment.encounter import EncounterStatus
from enrollment.record_reader import EncodedTenprint, templates_with_keys
from enrollment.record_rows import open_picture, particulars_of
from enrollment.records import ADDRESS, Records
from enrollment.tables import (
    change_log,
    data_keys,
    encounters,
    fingers,
    images,
    prepared_prints,
    released_blobs,
    templates,
)
from matcher.errors import FingerprintError
from matcher.prepared_prints import decode

#: Receives (check, items done), for a progress bar.
Progress = Callable[[str, int], None]


class Severity(StrEnum):
    """FAULT: something stored is lost or wrong. NOTICE: nothing is lost; `tenprint` mends it by itself."""

    FAULT = "fault"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `subject` is an id or an address, never a name or a print."""

    check: str
    severity: Severity
    subject: str
    detail: str


def _silent(_check: str, _done: int) -> None:
    """Report to nobody."""


def examine(database: Database, records: Records, progress: Progress = _silent) -> Iterator[Finding]:
    """Every finding about a store, check by check. Reads every template and every picture.

    A damaged database file is the only finding: nothing read from it could be believed.
    """
    with database.reading() as tx:
        progress("file", 0)
        damage = list(check_file(tx))
        if damage:
            yield from damage
            return
        for check in (check_references, check_fingers, check_change_log):
            progress(check.__name__.removeprefix("check_"), 0)
            yield from check(tx)
        for opening in (check_templates, check_prepared_prints, check_particulars, check_pictures):
            progress(opening.__name__.removeprefix("check_"), 0)
            yield from opening(tx, records, progress)


def check_file(tx: Connection) -> Iterator[Finding]:
    """SQLite's own examination of its file; PostgreSQL verifies its pages' checksums as it reads them."""
    if tx.dialect.name != "sqlite":
        return
    try:
        verdicts = tx.execute(text("PRAGMA integrity_check")).scalars().all()
    except DatabaseError as error:
        verdicts = [str(error.orig)]
    for verdict in verdicts:
        if verdict != "ok":
            yield _fault("file", "database", f"{verdict}: restore the store from a backup")


def check_references(tx: Connection) -> Iterator[Finding]:
    """Every reference between tables leads to a row; PostgreSQL checks them at every write."""
    if tx.dialect.name != "sqlite":
        return
    for row in tx.execute(text("PRAGMA foreign_key_check")):
        yield _fault("references", str(row[0]), f"row {row[1]} refers to a row of {row[2]} that is gone")


def check_fingers(tx: Connection) -> Iterator[Finding]:
    """Every finger that became a template has it; no failure has one."""
    together = (fingers.c.encounter_id == templates.c.encounter_id) & (
        fingers.c.position == templates.c.position
    )
    query = select(fingers.c.encounter_id, fingers.c.position, fingers.c.reason).select_from(
        fingers.outerjoin(templates, together)
    )
    for row in tx.execute(query.where(fingers.c.reason.is_(None) == templates.c.data.is_(None))):
        problem = "has no template" if row.reason is None else "is a failure, yet has a template"
        yield _fault("fingers", row.encounter_id, f"position {row.position} {problem}")


def check_templates(tx: Connection, records: Records, progress: Progress = _silent) -> Iterator[Finding]:
    """Every stored template opens and can be read."""
    rows = tx.execute(templates_with_keys().execution_options(yield_per=5000))
    for done, row in enumerate(rows, start=1):
        try:
            EncodedTenprint(row.encounter_id, [row], records.envelope).decode()
        except FingerprintError as error:
            yield _fault("templates", row.encounter_id, f"position {row.position}: {error}")
        progress("templates", done)


def check_prepared_prints(
    tx: Connection, records: Records, progress: Progress = _silent
) -> Iterator[Finding]:
    """Every prepared print opens; one that does not is made again of its template."""
    together = data_keys.c.encounter_id == prepared_prints.c.encounter_id
    query = select(prepared_prints, data_keys.c.key_id, data_keys.c.wrapped).join(data_keys, together)
    for done, row in enumerate(tx.execute(query.execution_options(yield_per=500)), start=1):
        try:
            decode([records.envelope.unwrap(row).open_prepared(row.made_by, row.data)])
        except (FingerprintError, ValueError) as error:
            detail = f"{error}; the next start makes them again"
            yield Finding("prepared prints", Severity.NOTICE, row.encounter_id, detail)
        progress("prepared prints", done)


def check_particulars(tx: Connection, records: Records, progress: Progress = _silent) -> Iterator[Finding]:
    """What is said of each person opens; every encounter has its data key."""
    together = data_keys.c.encounter_id == encounters.c.encounter_id
    query = select(encounters, data_keys.c.key_id, data_keys.c.wrapped).outerjoin(data_keys, together)
    for done, row in enumerate(tx.execute(query.execution_options(yield_per=1000)), start=1):
        try:
            particulars_of(row, records.envelope.key_beside(row))
        except FingerprintError as error:
            yield _fault("particulars", row.encounter_id, str(error))
        progress("particulars", done)


def check_change_log(tx: Connection) -> Iterator[Finding]:
    """The newest change of each encounter agrees with its status, so that followers hold who they should."""
    newest = (
        select(change_log.c.encounter_id, func.max(change_log.c.sequence).label("sequence"))
        .group_by(change_log.c.encounter_id)
        .subquery()
    )
    last = (
        select(change_log.c.encounter_id, change_log.c.operation)
        .join(newest, newest.c.sequence == change_log.c.sequence)
        .subquery()
    )
    known = select(encounters.c.encounter_id, encounters.c.status, last.c.operation).select_from(
        encounters.outerjoin(last, last.c.encounter_id == encounters.c.encounter_id)
    )
    for row in tx.execute(known):
        active = row.status == EncounterStatus.ACTIVE.value
        if row.operation != (Operation.ADD if active else Operation.REMOVE).value:
            yield _fault("change log", row.encounter_id, f"is {row.status}, last change: {row.operation}")
    unknown = (
        select(last.c.encounter_id)
        .outerjoin(encounters, encounters.c.encounter_id == last.c.encounter_id)
        .where(encounters.c.encounter_id.is_(None), last.c.operation == Operation.ADD.value)
    )
    for encounter_id in tx.execute(unknown).scalars():
        yield _fault("change log", encounter_id, "was added, never removed, and is not there")


def check_pictures(tx: Connection, records: Records, progress: Progress = _silent) -> Iterator[Finding]:
    """Every picture is there, unchanged, and opens; nothing else lies beside them."""
    together = data_keys.c.encounter_id == images.c.encounter_id
    query = select(images, ADDRESS.label("address"), data_keys.c.key_id, data_keys.c.wrapped)
    query = query.outerjoin(data_keys, together).order_by(images.c.encounter_id, images.c.position)
    named: set[str] = set()
    read, stored = "", b""
    for done, row in enumerate(tx.execute(query).all(), start=1):
        named.add(row.address)
        try:
            if row.address != read:  # the pictures of an encounter lie together
                read, stored = row.address, records.blobs.get(row.address)
            open_picture(row, records.envelope.key_beside(row), stored)
        except (FingerprintError, OSError) as error:
            yield _fault("pictures", row.encounter_id, f"position {row.position}: {error}")
        progress("pictures", done)
    released = set(tx.execute(select(released_blobs.c.sha256)).scalars())
    for address in released - named:
        yield Finding("pictures", Severity.NOTICE, address, "erased, and still to be deleted from the disk")
    for address in set(records.blobs.addresses()) - named - released:
        yield Finding("pictures", Severity.NOTICE, address, "belongs to no encounter; deleted after a day")


def _fault(check: str, subject: str, detail: str) -> Finding:
    """Something stored is lost or wrong."""
    return Finding(check, Severity.FAULT, subject, detail)
