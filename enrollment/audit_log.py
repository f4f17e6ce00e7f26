"""The append-only record of who asked what, why, and what came back.

Rows are numbered without gaps and chained by a keyed hash, so that a row changed, removed or slipped in
behind the service's back is found (`enrollment.audit_checkpoints`). Ids in it are keyed hashes: it
outlives erasure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any

from sqlalchemy import Connection, Text, cast, func, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError

from enrollment.audit_seal import AuditSeal, as_text, canonical
from enrollment.database import audit_seal_of, order_changes
from enrollment.encounter import utc_now
from enrollment.errors import AuditUnavailable
from enrollment.tables import audit_log

_LAST = select(audit_log.c.sequence, audit_log.c.mac).order_by(audit_log.c.sequence.desc()).limit(1)
_INSERT = insert(audit_log)
_NAMES = tuple(each.name for each in audit_log.c)
_JSON = frozenset({"asked", "returned"})
_WORDS = tuple(name for name in _NAMES if name not in _JSON | {"sequence", "at", "mac"})
#: How `canonical` writes a row, its names in order.
_TEMPLATE = (
    "{" + ",".join(f'"{each}":%({each})s' for each in sorted(_NAMES) if each != "mac") + "}"
).replace("%(at)s", '"%(at)s"')


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act, written in the same transaction as the act, before its answer leaves.

    actor: the key's or person's id; role: what they acted as; action: a verb ("enroll", "verify", "erase"…).
    outcome: one word ("done", "refused", "match"…). authority, purpose, legal_basis, file_number: as given.
    asked: what was asked, ids and numbers only. returned: ids that left. Never prints, templates or names.
    Ids of persons, encounters and probes are stored, and come back, as `AuditSeal.pseudonym` makes them.
    software, mac, sequence: set by the store.
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
    software: str | None = None
    mac: str | None = None
    sequence: int = 0


def append(tx: Connection, entry: AuditEntry) -> int:
    """Write the entry; gives its sequence number. `AuditUnavailable` where it cannot be written."""
    seal = audit_seal_of(tx)
    try:
        order_changes(tx)  # the chain has one end: whoever extends it waits for whoever does so now
        before = tx.execute(_LAST).one_or_none()
        row = _row(entry, seal, 1 if before is None else before.sequence + 1)
        previous = "" if before is None or before.mac is None else before.mac
        tx.execute(_INSERT, row | {"mac": seal.chain(previous, canonical(row))})
    except SQLAlchemyError as fault:
        raise AuditUnavailable(
            "the audit log cannot be written: nothing was done, nothing is answered"
        ) from fault
    return int(row["sequence"])


def entries(
    tx: Connection,
    *,
    after: int = 0,
    limit: int = 1000,
    file_number: str | None = None,
    about: str | None = None,
) -> Sequence[AuditEntry]:
    """At most `limit` entries with a sequence above `after`, oldest first.

    about: only those that name this person, encounter or reference number (the id itself, not its hash).
    """
    query = select(audit_log).where(audit_log.c.sequence > after)
    if file_number is not None:
        query = query.where(audit_log.c.file_number == file_number)
    if about is not None:
        name = audit_seal_of(tx).pseudonym(about)
        query = query.where(
            or_(*(cast(column, Text).contains(name) for column in (audit_log.c.asked, audit_log.c.returned)))
        )
    rows = tx.execute(query.order_by(audit_log.c.sequence).limit(limit)).mappings()
    return [AuditEntry(**{**row, "returned": tuple(row["returned"])}) for row in rows]


def last_sequence(tx: Connection) -> int:
    """The number of the newest row; 0 when there is none."""
    return int(tx.execute(select(func.coalesce(func.max(audit_log.c.sequence), 0))).scalar_one())


def leaf_of(row: Mapping[Any, Any]) -> bytes:
    """A stored row as the entry of the hash tree: everything but the MAC, which only we can check."""
    return canonical({name: value for name, value in row.items() if name != "mac"})


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it lies there. quick: its `leaf`, put together from texts without parsing them.

    quick is the leaf only where the stored JSON is written as `canonical` writes it; whether it is, the MAC
    tells. It costs a third.
    """

    sequence: int
    mac: str | None
    quick: bytes
    cells: Mapping[str, Any]

    @property
    def leaf(self) -> bytes:
        """The entry of the hash tree, whatever way the JSON is written."""
        cells = dict(self.cells)
        return canonical(cells | {name: json.loads(cells[name]) for name in ("asked", "returned")})


def stored_rows(tx: Connection) -> Iterator[StoredRow]:
    """Every row, oldest first."""
    columns = (cast(each, Text).label(each.name) if each.name in _JSON else each for each in audit_log.c)
    query = select(*columns).order_by(audit_log.c.sequence).execution_options(yield_per=1000)
    for row in tx.execute(query):
        cells = dict(zip(_NAMES, row, strict=True))
        mac = cells.pop("mac")
        yield StoredRow(cells["sequence"], mac, _quick(cells), cells)


def _quick(cells: Mapping[str, Any]) -> bytes:
    """`canonical` of a row, its JSON taken as it is written."""
    texts = {name: "null" if (cell := cells[name]) is None else encode_basestring(cell) for name in _WORDS}
    texts |= {"asked": cells["asked"], "returned": cells["returned"], "sequence": cells["sequence"]}
    return (_TEMPLATE % (texts | {"at": as_text(cells["at"])})).encode()


def _row(entry: AuditEntry, seal: AuditSeal, sequence: int) -> dict[str, Any]:
    """The columns as they will be read back: JSON has no tuples, its keys are sorted texts."""
    asked: dict[str, Any] = json.loads(json.dumps(seal.hidden(entry.asked), sort_keys=True))
    return {
        "sequence": sequence,
        "at": entry.at,
        "actor": entry.actor,
        "role": entry.role,
        "action": str(entry.action),
        "outcome": str(entry.outcome),
        "authority": entry.authority,
        "purpose": entry.purpose,
        "legal_basis": entry.legal_basis,
        "file_number": entry.file_number,
        "asked": asked,
        "returned": [seal.pseudonym(each) for each in entry.returned],
        "software": seal.software,
    }
