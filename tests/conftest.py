"""What every test may ask for: a store on each database, emptied between tests."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Connection, create_engine, make_url, text

from enrollment.audit_seal import AuditSeal
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.keyring import Keyring
from enrollment.records import Records
from enrollment.sealing import new_key
from enrollment.tables import metadata

# Speed never fails a unit test: the first example of a property may compile a loop. The gate must judge the
# change, not the luck of a draw: it tries the same examples each time; everywhere else new ones are tried.
settings.register_profile("here", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "here")

#: The address of a PostgreSQL server on which tests may create databases; see tests/postgres.py.
POSTGRESQL = os.environ.get("TENPRINT_TEST_DATABASE_URL")


@contextmanager
def _administrator() -> Iterator[Connection]:
    """A connection to the test server that creates and drops databases."""
    engine = create_engine(
        make_url(str(POSTGRESQL)).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _address_of(name: str) -> str:
    """The address of another database of the test server."""
    return make_url(str(POSTGRESQL)).set(database=name).render_as_string(hide_password=False)


def _emptied(name: str) -> str:
    """The address of a database after all its rows are removed: faster than a new one for each test."""
    engine = create_engine(make_url(_address_of(name)).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # the audit log's trigger
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return _address_of(name)


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose tables are there and empty: copied for each test, so that each starts quickly."""
    folder = tmp_path_factory.mktemp("migrated")
    Database.open(folder).close()
    return folder


@pytest.fixture(scope="session")
def migrated_postgresql() -> Iterator[str]:
    """The name of a PostgreSQL database with all tables: emptied for each test, and copied for some."""
    name = f"tenprint_test_{secrets.token_hex(6)}"
    with _administrator() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        Database.open(_address_of(name)).close()
        yield name
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a PostgreSQL database of the test's own, with empty tables."""
    if POSTGRESQL is None:
        pytest.skip("TENPRINT_TEST_DATABASE_URL names no PostgreSQL: run through `python tests/postgres.py`")
    template = request.getfixturevalue("migrated_postgresql")
    _emptied(template)
    name = f"tenprint_test_{secrets.token_hex(6)}"
    with _administrator() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield _address_of(name)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql", marks=pytest.mark.skipif(POSTGRESQL is None, reason="no TENPRINT_TEST_DATABASE_URL")
        ),
    ]
)
def database_place(request: pytest.FixtureRequest, tmp_path: Path, migrated_folder: Path) -> str:
    """Where `Database.open` finds an empty store: a folder, or an address."""
    if request.param == "postgresql":
        return _emptied(request.getfixturevalue("migrated_postgresql"))
    folder = tmp_path / "data"
    shutil.copytree(migrated_folder, folder)
    return str(folder)


@pytest.fixture
def database(database_place: str) -> Iterator[Database]:
    """An empty store on SQLite, then on PostgreSQL where there is one."""
    with Database.open(database_place) as opened:
        opened.audit = AuditSeal(new_key())
        yield opened


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    """An empty store of pictures."""
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    """A new keyring."""
    return Keyring.open(tmp_path / "keys")


@pytest.fixture
def records(database: Database, blobs: BlobStore, keyring: Keyring) -> Records:
    """Records over `database`, `blobs` and `keyring`."""
    return Records(database, blobs, keyring)
