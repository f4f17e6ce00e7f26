"""One door to SQLite and PostgreSQL: explicit transactions, durable when they return."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Self, cast

from sqlalchemy import Connection, Engine, Table, create_engine, event, literal_column, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from enrollment.audit_seal import AuditSeal
from enrollment.data_folder import require_local
from enrollment.durable import make_folder, sync_file
from enrollment.errors import ConflictingRecord
from enrollment.migrations import migrate

#: The file inside a data folder.
SQLITE_FILE = "tenprint.sqlite3"
#: How long one writer waits for another, seconds. Enrolments take milliseconds; a bulk load takes seconds.
BUSY_TIMEOUT_S = 60
#: How long erasing waits for readers before it leaves the journal to the next erasure, milliseconds.
_SETTLE_MS = 200
#: Threads that may use the store at once, per process; the others wait.
POOL_SIZE = 8
POOL_OVERFLOW = 24

#: JSON without spaces: how the audit log signs it (`enrollment.audit_log`).
_to_json = partial(json.dumps, separators=(",", ":"))

#: Key of the PostgreSQL advisory lock that orders the change log; any constant of our own.
_CHANGE_LOCK = 0x7E9_0001
_ORDER_CHANGES = text("SELECT pg_advisory_xact_lock(:key)")

_MODE = "tenprint_mode"
_AFTER_COMMIT = "tenprint_after_commit"
_AUDIT = "tenprint_audit"
_ORDERED = "tenprint_ordered"


class Database:
    """The store's connection. Threads share one; processes may share one file or server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{_MODE: "read"}, **_snapshot(engine))
        #: Chains the rows of the audit log; set before the first is written (`enrollment.records`).
        self.audit: AuditSeal | None = None
        self._writer_lock = threading.Lock()
        self._writer_thread: int | None = None

    @classmethod
    def open(cls, place: str | Path) -> Database:
        """Open a data folder (SQLite inside it) or a database address, and bring its tables up to date.

        An address is `postgresql://…` or `sqlite:///…`; anything without "://" is a folder, made if absent.
        """
        engine = _engine(place)
        try:
            with engine.execution_options(**{_MODE: "migrate"}).begin() as connection:
                if connection.dialect.name == "postgresql":
                    order_changes(connection)
                migrate(connection)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @property
    def dialect(self) -> str:
        """Which database it is: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write: all of it, on disk, when the block ends; nothing of it when the block raises."""
        with self._one_writer(), self._engine.connect() as connection:
            hooks: list[Callable[[], None]] = []
            connection.info[_AFTER_COMMIT] = hooks
            connection.info[_AUDIT] = self.audit
            connection.info[_ORDERED] = False
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.info.pop(_ORDERED, None)
        for hook in hooks:
            hook()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read one consistent snapshot; writing is refused."""
        with self._reader.connect() as connection, connection.begin() as snapshot:
            connection.info[_AUDIT] = self.audit
            yield connection
            snapshot.rollback()

    def settle(self) -> None:
        """Have what was overwritten leave SQLite's journal too, as far as no reader still needs it.

        PostgreSQL keeps its own journal for its own backups: what leaves it when is the server's setting.
        """
        if self.dialect != "sqlite":
            return
        with self._one_writer(), self._engine.execution_options(**{_MODE: "settle"}).connect() as connection:
            for pragma in (
                f"busy_timeout={_SETTLE_MS}",
                "wal_checkpoint(TRUNCATE)",
                f"busy_timeout={BUSY_TIMEOUT_S}000",
            ):
                connection.exec_driver_sql(f"PRAGMA {pragma}").close()

    def copy_to(self, file: Path) -> None:
        """Copy one moment of a SQLite store into a file, while others read and write it."""
        if self.dialect != "sqlite":
            raise ConflictingRecord("PostgreSQL is backed up by its own tools: see docs/security.md")
        file.unlink(missing_ok=True)
        with self._reader.connect() as connection, closing(sqlite3.connect(file)) as copy:
            cast("sqlite3.Connection", connection.connection.driver_connection).backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file; opening it as a store sets WAL again
        file.chmod(0o600)
        sync_file(file)

    def close(self) -> None:
        """Close every idle connection; those in use close when they are given back."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Queue this process's writers on a lock: SQLite's own waiting is a sleep loop, and unfair."""
        if self.dialect != "sqlite":
            yield
            return
        if self._writer_thread == threading.get_ident():
            raise RuntimeError("this thread already writes: pass its connection on, do not open another")
        with self._writer_lock:
            self._writer_thread = threading.get_ident()
            try:
                yield
            finally:
                self._writer_thread = None


def after_commit(tx: Connection, hook: Callable[[], None]) -> None:
    """Have `hook` called once the transaction is durable, never when it is rolled back. It must not raise."""
    cast("list[Callable[[], None]]", tx.info[_AFTER_COMMIT]).append(hook)


def audit_seal_of(tx: Connection) -> AuditSeal:
    """What chains the audit log of this connection's store."""
    seal = tx.info.get(_AUDIT)
    if seal is None:
        raise RuntimeError("the store has no audit key: open it with its keyring")
    return cast("AuditSeal", seal)


def order_changes(tx: Connection) -> None:
    """Hold back other writers of the change log until this transaction ends.

    PostgreSQL hands out sequence numbers before commit, so a follower could see 8, remember it, and never
    see the 7 that commits later. One lock, taken before the number is, makes numbers commit in order.
    SQLite has one writer by nature. Asked for again in one transaction, it costs nothing.
    """
    if tx.dialect.name != "postgresql" or tx.info.get(_ORDERED):
        return
    tx.execute(_ORDER_CHANGES, {"key": _CHANGE_LOCK})
    if _ORDERED in tx.info:  # only a `Database.transaction` also says when it ends
        tx.info[_ORDERED] = True


def insert_if_absent(tx: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is there; True when it was inserted.

    On PostgreSQL this waits for a concurrent transaction that inserts the same key.
    """
    return tx.execute(_unless_there(tx.dialect.name, table), row).first() is not None


@cache
def _unless_there(dialect: str, table: Table) -> Any:
    """Made once a table: to put a statement together takes longer than to run it."""
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing().returning(literal_column("1"))


def is_disk_full(fault: BaseException) -> bool:
    """Whether an exception of the store, or of a file beside it, says that there is no room left."""
    if isinstance(fault, OSError):
        return fault.errno in (errno.ENOSPC, errno.EDQUOT)
    cause = fault.orig if isinstance(fault, DBAPIError) else None
    full = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return full or getattr(cause, "sqlstate", None) == "53100"  # PostgreSQL's disk_full


def _engine(place: str | Path) -> Engine:
    """Make the engine an address or a folder asks for."""
    if "://" not in str(place):
        file = Path(place).absolute() / SQLITE_FILE
        make_folder(file.parent)
        require_local(file.parent)
        file.touch(mode=0o600)  # only the owner reads it; SQLite gives its other files the same mode
        place = f"sqlite:///{file}"
    url = make_url(str(place))
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            connect_args={"timeout": BUSY_TIMEOUT_S},
            json_serializer=_to_json,
            hide_parameters=True,  # an error's text ends in a log: it must not quote names and prints
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_pre_ping=True,
        json_serializer=_to_json,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _snapshot(engine: Engine) -> dict[str, Any]:
    """What makes a transaction a read-only snapshot; SQLite's deferred BEGIN is one."""
    if engine.dialect.name == "sqlite":
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Durability and safety settings of each new SQLite connection."""
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it too late
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL loses acknowledged commits in a power cut
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "secure_delete=ON",  # erased templates are overwritten, not only unlinked
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once when we mean to write: no deadlock between two readers who then write."""
    mode = connection.get_execution_options().get(_MODE, "write")
    if mode == "settle":
        return  # a checkpoint runs outside transactions
    # Past SQLAlchemy, which takes longer than these: they touch no file, so that they cannot fail.
    bare = cast("sqlite3.Connection", connection.connection.driver_connection)
    bare.execute(f"PRAGMA query_only={'ON' if mode == 'read' else 'OFF'}").close()
    # A migration rebuilds tables under their references, hence unchecked until it ends.
    bare.execute(f"PRAGMA foreign_keys={'OFF' if mode == 'migrate' else 'ON'}").close()
    connection.exec_driver_sql("BEGIN" if mode == "read" else "BEGIN IMMEDIATE")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    """Refuse a server default that acknowledges before the disk has it."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchone()[0] == "off":
            cursor.execute("SET synchronous_commit TO on")
    connection.commit()
