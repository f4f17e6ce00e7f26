"""Erasure reaches what was exported: the file of an erased encounter goes, and its line of the manifest."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection, delete, select, update

from enrollment.database import Database, order_changes
from enrollment.durable import write_durably
from enrollment.released import remove_exports
from enrollment.tables import export_batches, released_exports
from workflow.eurodac import MANIFEST


def forget_erased(database: Database) -> int:
    """Remove exported copies of erased encounters, and their lines; gives how many. Does so until it is done.

    The folder may be elsewhere by now, for instance moved to whoever sends the batch: what is not found there
    is not ours to remove, and the note of it ends.
    """
    with database.transaction() as tx:
        order_changes(tx)
        remove_exports(tx)
        released = tx.execute(select(released_exports)).all()
        for batch in {row.batch for row in released}:
            names = {row.file_name for row in released if row.batch == batch}
            folder = next(row.folder for row in released if row.batch == batch)
            _mend_manifest(tx, batch, Path(folder), names)
        tx.execute(delete(released_exports))
    return len(released)


def _mend_manifest(tx: Connection, batch: str, folder: Path, names: set[str]) -> None:
    path = folder / MANIFEST
    if not path.exists():
        return
    table = pq.read_table(path)
    kept = table.filter(pc.invert(pc.is_in(table["file_name"], pa.array(sorted(names)))))
    about = {**(table.schema.metadata or {}), b"file_count": str(kept.num_rows).encode()}
    sink = io.BytesIO()
    pq.write_table(kept.replace_schema_metadata(about), sink, compression="zstd")
    write_durably(path, sink.getvalue())
    digest = hashlib.sha256(sink.getvalue()).hexdigest()
    values = {"manifest_sha256": digest, "file_count": kept.num_rows}
    tx.execute(update(export_batches).where(export_batches.c.batch == batch).values(**values))
