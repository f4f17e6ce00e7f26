"""A follower that remembers the last sequence it saw never misses a change."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import insert

from enrollment import change_log
from enrollment.change_log import Change, Operation
from enrollment.database import Database
from enrollment.encounter import utc_now
from enrollment.tables import change_log as table


def test_changes_are_read_in_order_after_a_sequence(database: Database) -> None:
    """Pages begin above the sequence given."""
    with database.transaction() as tx:
        first = change_log.append(tx, Operation.ADD, "e-1")
        second = change_log.append(tx, Operation.REMOVE, "e-1")
        assert change_log.last_sequence(tx) == second
    with database.reading() as tx:
        assert change_log.changes(tx, 0, 10) == [
            Change(first, Operation.ADD, "e-1"),
            Change(second, Operation.REMOVE, "e-1"),
        ]
        assert change_log.changes(tx, first, 10) == [Change(second, Operation.REMOVE, "e-1")]
        assert change_log.changes(tx, 0, 1) == [Change(first, Operation.ADD, "e-1")]
        assert change_log.changes(tx, second, 10) == []


def test_sequences_are_never_used_twice(database: Database) -> None:
    """A number that was rolled back or deleted may be skipped, never given to another change."""
    with database.transaction() as tx:
        first = change_log.append(tx, Operation.ADD, "e-1")
    with database.transaction() as tx:
        tx.execute(table.delete())
        second = change_log.append(tx, Operation.ADD, "e-2")
    assert second > first


def test_second_writer_waits_so_that_no_number_commits_late(database: Database) -> None:
    """While one transaction holds a number, another gets none: what a follower sees has no hole behind it."""
    entered, seen = threading.Event(), list[int]()

    def write_second() -> None:
        entered.set()
        with database.transaction() as tx:
            seen.append(change_log.append(tx, Operation.ADD, "second"))

    with database.transaction() as tx:
        first = change_log.append(tx, Operation.ADD, "first")
        other = threading.Thread(target=write_second)
        other.start()
        entered.wait()
        time.sleep(0.2)
        assert not seen, "the second writer got its number before the first committed"
        with database.reading() as reader:
            assert change_log.changes(reader, 0, 10) == []
    other.join()
    with database.reading() as tx:
        assert [change.encounter_id for change in change_log.changes(tx, 0, 10)] == ["first", "second"]
    assert seen[0] > first


def test_without_the_lock_postgresql_would_skip_a_change(postgresql_url: str) -> None:
    """The control: numbers taken without the lock do commit out of order, and the follower misses one."""
    row = {"operation": "ADD", "created_at": utc_now()}
    with Database.open(postgresql_url) as database:
        with database.transaction() as early:
            early.execute(insert(table), row | {"encounter_id": "early"})
            with database.transaction() as late:
                late.execute(insert(table), row | {"encounter_id": "late"})
            with database.reading() as reader:
                (followed,) = change_log.changes(reader, 0, 10)
        with database.reading() as reader:
            missed = change_log.changes(reader, followed.sequence, 10)
            everything = change_log.changes(reader, 0, 10)
    assert followed.encounter_id == "late"
    assert missed == []
    assert [change.encounter_id for change in everything] == ["early", "late"]


@pytest.mark.parametrize("operation", ["add", "MERGE", ""])
def test_only_known_operations_are_stored(database: Database, operation: str) -> None:
    """The database refuses what no follower understands."""
    row = {"operation": operation, "encounter_id": "e-1", "created_at": utc_now()}
    with pytest.raises(Exception, match="ck_change_log_operation"), database.transaction() as tx:
        tx.execute(insert(table), row)


def test_empty_log_has_reached_nothing(database: Database) -> None:
    """Sequences begin above zero, so that a follower who knows nothing asks for what comes after zero."""
    with database.transaction() as tx:
        assert change_log.last_sequence(tx) == 0
        assert change_log.append(tx, Operation.ADD, "e-1") > 0


def test_changes_come_in_order_though_they_lie_otherwise(database: Database) -> None:
    """Rows of a table have no order of their own."""
    with database.transaction() as tx:
        for sequence in (30, 10, 20):
            row = {"sequence": sequence, "operation": "ADD", "encounter_id": f"e-{sequence}"}
            tx.execute(insert(table).values(**row, created_at=utc_now()))
        assert [each.sequence for each in change_log.changes(tx, 0, 2)] == [10, 20]
        assert [each.sequence for each in change_log.changes(tx, 10, 9)] == [20, 30]
