"""The tables' history: Alembic steps, found beside this file wherever the package is installed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from enrollment.errors import ConflictingRecord

#: The step this version of the code works with.
HEAD = "0007"
#: Every step up to HEAD; a store at any other step was made by a newer version.
STEPS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")


def migrate(connection: Connection) -> None:
    """Bring the tables up to `HEAD` inside the given transaction: all steps, or none."""
    current = revision(connection)
    if current == HEAD:
        return
    if current is not None and current not in STEPS:
        raise ConflictingRecord(
            f"the store is at step {current}, made by a newer tenprint; this one knows {HEAD}: upgrade it"
        )
    # Imported only when there is work: Alembic takes a third of a second to load.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def revision(connection: Connection) -> str | None:
    """The step the store is at; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
