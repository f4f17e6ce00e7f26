"""The audit log only grows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from stored_people import CAPTURED_AT

from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from enrollment.audit_seal import AuditSeal
from enrollment.database import Database
from enrollment.sealing import new_key
from enrollment.tables import audit_log as table

ENTRY = AuditEntry(
    actor="key-7",
    role="police",
    action="verify",
    outcome="match",
    authority="Federal police, Brussels",
    purpose="identity check",
    legal_basis="Art. 7",
    file_number="BR.12.3/2026",
    asked={"person_id": "p-1", "fingers": [2, 7]},
    returned=("p-1", "e-1"),
    at=CAPTURED_AT,
)


def test_entry_comes_back_whole(database: Database) -> None:
    """Every field is kept as given, ids as their keyed hashes."""
    with database.transaction() as tx:
        sequence = audit_log.append(tx, ENTRY)
    with database.reading() as tx:
        (read,) = audit_log.entries(tx)
    seal = database.audit
    assert seal is not None
    assert read == replace(
        ENTRY,
        asked={"person_id": seal.pseudonym("p-1"), "fingers": [2, 7]},
        returned=(seal.pseudonym("p-1"), seal.pseudonym("e-1")),
        software="tenprint",
        mac=read.mac,
        sequence=sequence,
    )


def test_entries_are_in_order_and_paged(database: Database) -> None:
    """A page begins after the given sequence and holds at most its limit."""
    with database.transaction() as tx:
        sequences = [audit_log.append(tx, ENTRY) for _ in range(5)]
    assert sequences == sorted(sequences)
    with database.reading() as tx:
        page = audit_log.entries(tx, after=sequences[1], limit=2)
        assert audit_log.entries(tx, file_number="elsewhere") == []
        assert len(audit_log.entries(tx, file_number="BR.12.3/2026")) == 5
    assert [entry.sequence for entry in page] == sequences[2:4]


@pytest.mark.parametrize(
    "tampering", [update(table).values(outcome="no match"), delete(table)], ids=["update", "delete"]
)
def test_tampering_is_refused_by_the_database(database: Database, tampering: object) -> None:
    """Neither an UPDATE nor a DELETE gets through, whoever sends it."""
    with database.transaction() as tx:
        audit_log.append(tx, ENTRY)
    with pytest.raises(DBAPIError, match="append-only"), database.transaction() as tx:
        tx.execute(tampering)  # type: ignore[call-overload]
    with database.reading() as tx:
        assert [entry.outcome for entry in audit_log.entries(tx)] == ["match"]


def test_truncating_is_refused_too(postgresql_url: str) -> None:
    """PostgreSQL's TRUNCATE passes by row triggers; a statement trigger stops it."""
    with Database.open(postgresql_url) as database:
        database.audit = AuditSeal(new_key())
        with database.transaction() as tx:
            audit_log.append(tx, ENTRY)
        with pytest.raises(DBAPIError, match="append-only"), database.transaction() as tx:
            tx.execute(text("TRUNCATE audit_log"))


def test_entry_of_a_failed_act_is_not_kept(database: Database) -> None:
    """The entry lives and dies with its transaction: what never happened is not logged as done."""
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:  # noqa: PT012 - that is the claim
        audit_log.append(tx, ENTRY)
        raise ZeroDivisionError
    with database.reading() as tx:
        assert audit_log.entries(tx) == []
