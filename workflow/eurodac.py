"""The EURODAC-style export: queued encounters become files, once, whatever interrupts it.

EURODAC-style, simulated endpoint, not conformant to the non-public interface document.

1. Open a batch (or take up the one left open).   2. Write each encounter's file: temporary, fsync, rename.
3. Write the manifest the same way, last.         4. One transaction: queue rows, batch, audit row.
A run that is killed is finished by the next: files are the same bytes again, and nobody is sent twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from enrollment.database import Database
from enrollment.durable import sync_folder, write_durably
from enrollment.errors import DamagedRecord, MalformedImage, MalformedRecord, UnknownRecord
from enrollment.records import Records
from enrollment.sandbox import DecoderSandbox
from workflow import audit, eurodac_queue
from workflow.audit import Action, Actor
from workflow.errors import ExportRefused
from workflow.eurodac_files import ExportFile, ManifestRow, manifest, transaction_of
from workflow.eurodac_profile import PROFILE, Profile
from workflow.eurodac_queue import Batch, QueueEntry, Written

MANIFEST = "manifest.parquet"
_LOCK = ".export.lock"
#: Files of one batch; what waits beyond goes into the next.
BATCH_SIZE = 1000
#: Refusals that concern one encounter: it is set aside with the reason, the batch goes on.
_SET_ASIDE = (MalformedImage, MalformedRecord, DamagedRecord, UnknownRecord)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Exporter:
    """What an export needs."""

    database: Database
    records: Records
    sandbox: DecoderSandbox
    profile: Profile


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did. batch is None where nothing waited; failed: (reference number, reason)."""

    batch: str | None
    folder: Path | None
    files: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    manifest_sha256: str | None


def no_progress(done: int, total: int) -> None:
    """Report to nobody."""


def export(
    exporter: Exporter,
    folder: Path,
    *,
    actor: Actor,
    now: Callable[[], datetime],
    limit: int = BATCH_SIZE,
    progress: Progress = no_progress,
) -> ExportReport:
    """Write one batch into `folder/BATCH`. Call again until `batch` is None to empty the queue."""
    _prepare(folder)
    try:
        with FileLock(folder / _LOCK, timeout=0):
            with exporter.database.transaction() as tx:
                batch = eurodac_queue.open_batch(tx, at=now(), limit=limit)
            if batch is None:
                return ExportReport(None, None, (), (), None)
            return _export_batch(exporter, batch, folder, actor=actor, now=now, progress=progress)
    except Timeout:
        raise ExportRefused("another export writes into this folder: wait until it is done") from None


def _export_batch(
    exporter: Exporter,
    batch: Batch,
    folder: Path,
    *,
    actor: Actor,
    now: Callable[[], datetime],
    progress: Progress,
) -> ExportReport:
    target = _prepare(folder / batch.name)
    while True:
        rows, failed = _write_files(exporter, batch, target, progress)
        _remove_strangers(target, {row.name for row in rows})
        table = manifest(batch, rows)
        write_durably(target / MANIFEST, table)
        digest = hashlib.sha256(table).hexdigest()
        if _close(exporter, batch, target, rows, failed, digest, actor=actor, at=now()):
            break  # else an encounter was erased meanwhile: what was written of it goes, in a second pass
    return ExportReport(
        batch=batch.name,
        folder=target,
        files=tuple(row.name for row in rows),
        failed=tuple((entry.reference_number, reason) for entry, reason in failed),
        manifest_sha256=digest,
    )


def _write_files(
    exporter: Exporter, batch: Batch, target: Path, progress: Progress
) -> tuple[list[ManifestRow], list[tuple[QueueEntry, str]]]:
    """Write the file of every encounter of the batch, one in memory at a time."""
    with exporter.database.reading() as tx:
        waiting = eurodac_queue.entries(tx, batch=batch.name, limit=1_000_000)
    rows: list[ManifestRow] = []
    failed: list[tuple[QueueEntry, str]] = []
    for done, entry in enumerate(waiting, start=1):
        try:
            file = _build(exporter, batch, entry)
        except _SET_ASIDE as refusal:
            failed.append((entry, str(refusal)))
        else:
            if file is not None:
                write_durably(target / file.name, file.data)
                rows.append(ManifestRow(entry, file.name, len(file.data), file.sha256, file.images))
        progress(done, len(waiting))
    return rows, failed


def _build(exporter: Exporter, batch: Batch, entry: QueueEntry) -> ExportFile | None:
    """None for an encounter erased since it was queued."""
    with exporter.database.reading() as tx:
        if not exporter.records.exists(tx, entry.encounter_id):
            return None
        return transaction_of(tx, exporter.records, exporter.sandbox, exporter.profile, batch, entry)


def _close(
    exporter: Exporter,
    batch: Batch,
    target: Path,
    rows: Sequence[ManifestRow],
    failed: Sequence[tuple[QueueEntry, str]],
    manifest_sha256: str,
    *,
    actor: Actor,
    at: datetime,
) -> bool:
    written = [Written(row.entry.sequence, row.name, row.sha256) for row in rows]
    aside = [(entry.sequence, reason) for entry, reason in failed]
    with exporter.database.transaction() as tx:
        closed = eurodac_queue.close_batch(
            tx, batch, written, aside, manifest_sha256=manifest_sha256, at=at, folder=target
        )
        if not closed:
            return False
        asked = {
            "batch": batch.name,
            "profile": PROFILE,
            "files": len(rows),
            "failed": [entry.reference_number for entry, _ in failed],
            "manifest_sha256": manifest_sha256,
        }
        returned = [row.entry.reference_number for row in rows]
        audit.record(tx, actor, Action.EXPORT, "done", at=at, asked=asked, returned=returned)
    return True


def _prepare(target: Path) -> Path:
    try:
        target.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as fault:
        raise ExportRefused(f"the folder {target.name} cannot be made: name another export folder") from fault
    sync_folder(target.parent)
    return target


def _remove_strangers(target: Path, names: set[str]) -> None:
    """Leave nothing of an encounter erased while the batch was open, nor of an interrupted write."""
    for path in target.iterdir():
        if path.name not in names and path.name != MANIFEST:
            path.unlink()
    sync_folder(target)
