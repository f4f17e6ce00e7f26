"""Transactions: all or nothing, durable, one writer, snapshots."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from stored_people import CAPTURED_AT

from enrollment.blobs import BlobStore
from enrollment.database import Database, after_commit, insert_if_absent
from enrollment.encounter import utc_now
from enrollment.tables import encounters, persons


def _person(name: str) -> dict[str, object]:
    return {"person_id": name, "created_at": utc_now()}


def _people(database: Database) -> int:
    with database.reading() as tx:
        return int(tx.execute(select(func.count()).select_from(persons)).scalar_one())


def test_committed_work_is_seen_by_the_next_reader(database: Database) -> None:
    """What a transaction wrote is there when it returns."""
    with database.transaction() as tx:
        tx.execute(insert(persons), _person("p"))
    assert _people(database) == 1


def test_failed_transaction_leaves_nothing(database: Database) -> None:
    """An exception inside the block takes back all of it."""
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:  # noqa: PT012 - that is the claim
        tx.execute(insert(persons), _person("p"))
        raise ZeroDivisionError
    assert _people(database) == 0


def test_reading_refuses_to_write(database: Database) -> None:
    """A reader cannot write by mistake, and the next writer is not hindered by the attempt."""
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), database.reading() as tx:
        tx.execute(insert(persons), _person("p"))
    with database.transaction() as tx:
        tx.execute(insert(persons), _person("p"))
    assert _people(database) == 1


def test_reading_sees_one_snapshot(database: Database) -> None:
    """What commits while a reader reads does not change what it sees."""
    count = select(func.count()).select_from(persons)
    with database.reading() as reader:
        before = reader.execute(count).scalar_one()
        with database.transaction() as writer:
            writer.execute(insert(persons), _person("p"))
        assert reader.execute(count).scalar_one() == before == 0
    assert _people(database) == 1


def test_many_threads_lose_no_write(database: Database) -> None:
    """Writers queue; none fails, none overwrites."""

    def write(number: int) -> None:
        with database.transaction() as tx:
            known = tx.execute(select(func.count()).select_from(persons)).scalar_one()
            insert_if_absent(tx, persons, _person(f"p{number}-{known}"))

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(write, range(60)))
    assert _people(database) == 60


def test_hooks_run_after_commit_only(database: Database) -> None:
    """A hook may rely on the commit; a rolled back transaction calls none."""
    called: list[int] = []
    with database.transaction() as tx:
        tx.execute(insert(persons), _person("p"))
        after_commit(tx, lambda: called.append(_people(database)))
        assert not called
    assert called == [1]
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:  # noqa: PT012 - that is the claim
        after_commit(tx, lambda: called.append(0))
        raise ZeroDivisionError
    with database.transaction():
        pass
    assert called == [1]


def test_insert_if_absent_keeps_the_first(database: Database) -> None:
    """The second row with the same key changes nothing."""
    with database.transaction() as tx:
        assert insert_if_absent(tx, persons, {"person_id": "p", "created_at": CAPTURED_AT})
        assert not insert_if_absent(tx, persons, _person("p"))
        assert tx.execute(select(persons.c.created_at)).scalar_one() == CAPTURED_AT


def test_references_are_enforced(database: Database) -> None:
    """An encounter of nobody is refused by the database itself."""
    row = dict.fromkeys(("encounter_id", "person_id", "purpose", "encounter_type"), "x")
    times = dict.fromkeys(("captured_at", "created_at", "updated_at"), CAPTURED_AT)
    with pytest.raises(IntegrityError), database.transaction() as tx:
        tx.execute(insert(encounters).values(**row, **times, status="ACTIVE", biographic={}, contextual={}))


def test_times_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    """A stored time means the same on both databases, whatever zone it came from."""
    with pytest.raises(Exception, match="time zone"), database.transaction() as tx:
        tx.execute(insert(persons), {"person_id": "p", "created_at": CAPTURED_AT.replace(tzinfo=None)})
    with database.transaction() as tx:
        tx.execute(insert(persons), {"person_id": "p", "created_at": CAPTURED_AT})
    with database.reading() as tx:
        stored = tx.execute(select(persons.c.created_at)).scalar_one()
    assert stored == CAPTURED_AT
    assert stored.utcoffset() is not None
    assert stored.utcoffset().total_seconds() == 0


def test_one_thread_does_not_write_twice_at_once(tmp_path: Path) -> None:
    """A writer that opens another transaction is told so, instead of waiting for itself."""
    with Database.open(tmp_path) as database, database.transaction():  # noqa: SIM117 - order matters
        with pytest.raises(RuntimeError, match="pass its connection on"), database.transaction():
            pass  # pragma: no cover - never reached


def test_sqlite_is_durable_and_careful(tmp_path: Path) -> None:
    """Every connection carries the settings that make an acknowledgement survive a power cut."""
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "secure_delete": 1,
        "busy_timeout": 60_000,
        "integrity_check": "ok",
    }
    with Database.open(tmp_path) as database, database.transaction() as tx:
        found = {name: tx.execute(text(f"PRAGMA {name}")).scalar() for name in expected}
    assert found == expected


def test_two_processes_worth_of_writers_share_a_file(tmp_path: Path) -> None:
    """Two databases on one folder, as service and command line have: both write, neither fails."""
    with Database.open(tmp_path) as one, Database.open(tmp_path) as other:
        start = threading.Barrier(2)

        def write(database: Database, name: str) -> None:
            start.wait()
            for number in range(15):
                with database.transaction() as tx:
                    tx.execute(insert(persons), _person(f"{name}{number}"))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, (one, other), ("a", "b")))
        assert _people(one) == _people(other) == 30


def test_disk_full_is_an_error_and_the_store_recovers(tmp_path: Path) -> None:
    """When the file may not grow, the writer hears of it; once it may, writing works again."""
    with Database.open(tmp_path) as database:
        with pytest.raises(OperationalError, match="full"), database.transaction() as tx:  # noqa: PT012
            pages = tx.execute(text("PRAGMA page_count")).scalar()
            tx.execute(text(f"PRAGMA max_page_count={pages}"))
            for number in range(10_000):
                tx.execute(insert(persons), _person(f"p{number}"))
        assert _people(database) == 0
        with database.transaction() as tx:
            tx.execute(text("PRAGMA max_page_count=1073741823"))
            tx.execute(insert(persons), _person("p"))
        assert _people(database) == 1


def test_close_gives_every_connection_back(tmp_path: Path) -> None:
    """After closing, the folder can be removed and opened again: nothing holds its files."""
    database = Database.open(tmp_path)
    with database.transaction() as tx:
        tx.execute(insert(persons), _person("p"))
    database.close()
    assert not (tmp_path / "tenprint.sqlite3-wal").exists()
    assert database.dialect == "sqlite"


def test_only_the_owner_may_read_the_store(tmp_path: Path) -> None:
    """Prints of people are nobody else's business on a shared machine."""
    with Database.open(tmp_path / "some" / "data") as database, database.transaction():
        BlobStore(tmp_path / "some" / "data" / "blobs").put(b"ridges")
        modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "some").rglob("*")}
    assert modes == {0}


def test_postgresql_that_acknowledges_too_early_is_overruled(postgresql_url: str) -> None:
    """A server or address that says `synchronous_commit = off` does not make an enrolment less durable."""
    careless = f"{postgresql_url}?options=-csynchronous_commit%3Doff"
    with Database.open(careless) as database, database.transaction() as tx:
        assert tx.execute(text("SHOW synchronous_commit")).scalar() == "on"


def test_errors_do_not_quote_what_was_to_be_stored(database: Database) -> None:
    """The text of a database error may be logged: it names the statement, not the person."""
    row = _person("p") | {"created_at": CAPTURED_AT}
    with pytest.raises(DBAPIError) as caught, database.transaction() as tx:
        tx.execute(text("SELECT :secret FROM nowhere"), {"secret": "Jane Doe", **row})
    assert "nowhere" in str(caught.value)
    assert "Jane Doe" not in str(caught.value)
