"""What an erasure leaves to be removed from the disk once it is committed: exported copies."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from enrollment.database import insert_if_absent
from enrollment.durable import sync_folder
from enrollment.tables import export_batches, export_queue, legal_holds, released_exports


def is_held(tx: Connection, encounter_id: str) -> bool:
    """Whether a legal hold that was not lifted keeps the encounter from being erased."""
    standing = (legal_holds.c.encounter_id == encounter_id) & legal_holds.c.lifted_at.is_(None)
    return tx.execute(select(legal_holds.c.hold_id).where(standing).limit(1)).first() is not None


def release_exports(tx: Connection, encounter_id: str) -> int:
    """Note the exported copies of an encounter that is being erased; gives how many."""
    together = export_batches.c.batch == export_queue.c.batch
    query = (
        select(export_queue.c.batch, export_queue.c.file_name, export_batches.c.folder)
        .join(export_batches, together)
        .where(
            export_queue.c.encounter_id == encounter_id,
            export_queue.c.file_name.is_not(None),
            export_batches.c.folder.is_not(None),
        )
    )
    rows = tx.execute(query).mappings().all()
    for row in rows:
        insert_if_absent(tx, released_exports, dict(row))
    return len(rows)


def remove_exports(tx: Connection) -> None:
    """Remove every exported copy noted. The notes stay until the manifest is mended too."""
    for row in tx.execute(select(released_exports)):
        copy = Path(row.folder, row.file_name)
        if copy.exists():
            copy.unlink()
            sync_folder(copy.parent)
