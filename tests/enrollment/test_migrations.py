"""The steps build exactly the tables the code uses, from wherever it is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import enrollment.migrations
from enrollment.database import Database
from enrollment.errors import ConflictingRecord
from enrollment.migrations import HEAD, STEPS, revision
from enrollment.tables import metadata


def test_migrated_store_equals_the_tables(database: Database) -> None:
    """No table, column, index or constraint differs between the steps and `enrollment.tables`."""
    with database.reading() as tx:
        differences = compare_metadata(MigrationContext.configure(tx), metadata)
        names = set(inspect(tx).get_table_names())
    assert differences == []
    assert names == set(metadata.tables) | {"alembic_version"}


def test_the_steps_named_are_the_steps_there_are() -> None:
    """`STEPS` lists every step in order and `HEAD` is the last."""
    config = Config()
    config.set_main_option("script_location", str(Path(enrollment.migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)
    assert [step.revision for step in script.walk_revisions()][::-1] == list(STEPS)
    assert script.get_current_head() == HEAD == STEPS[-1]


@pytest.mark.parametrize("place", ["sqlite", "postgresql"])
def test_store_of_a_newer_version_is_left_alone(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """An unknown step means newer code made it: refused with what to do."""
    address = tmp_path if place == "sqlite" else request.getfixturevalue("postgresql_url")
    with Database.open(address) as database, database.transaction() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConflictingRecord, match=r"made by a newer tenprint.*upgrade"):
        Database.open(address)


def test_interrupted_migration_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps are one transaction: a store is at the old step or at the new one, also on SQLite."""

    def migrate_and_fail(connection: object) -> None:
        enrollment.migrations.migrate(connection)  # type: ignore[arg-type]
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("enrollment.database.migrate", migrate_and_fail)
        with pytest.raises(ZeroDivisionError):
            Database.open(tmp_path)
        patch.setattr("enrollment.database.migrate", lambda connection: None)
        with Database.open(tmp_path) as database, database.reading() as tx:
            assert inspect(tx).get_table_names() == []
            assert revision(tx) is None
    Database.open(tmp_path).close()


def test_opening_does_not_depend_on_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps are found beside the package; a relative data folder is made where one stands."""
    monkeypatch.chdir(tmp_path)
    with Database.open("some/data") as database, database.reading() as tx:
        assert revision(tx) == HEAD
    assert (tmp_path / "some" / "data" / "tenprint.sqlite3").exists()
