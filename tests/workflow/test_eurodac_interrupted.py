"""The EURODAC-style export is finished once, whatever happens to it."""

from __future__ import annotations

import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from export_support import (
    Clock,
    contents,
    queue_people,
    run,
)
from filelock import FileLock
from sqlalchemy import select

from enrollment import durable
from enrollment.database import Database
from enrollment.records import Records
from enrollment.tables import export_batches
from matcher.codes import FingerPosition
from workflow import eurodac, eurodac_queue
from workflow.errors import ExportRefused
from workflow.eurodac import MANIFEST, Exporter
from workflow.eurodac_files import transaction_of
from workflow.eurodac_queue import Batch, State

THUMB, INDEX = FingerPosition.RIGHT_THUMB, FingerPosition.RIGHT_INDEX


def unbroken_files(exporter: Exporter) -> dict[str, bytes]:
    """What the encounters of the only batch give when nothing interrupts."""
    with exporter.database.reading() as tx:
        row = tx.execute(select(export_batches)).one()
        batch = Batch(row.batch, row.created_at)
        parts = (exporter.records, exporter.sandbox, exporter.profile, batch)
        files = [transaction_of(tx, *parts, entry) for entry in eurodac_queue.entries(tx)]
    return {file.name: file.data for file in files}


@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_interrupted_run_is_finished_by_the_next(
    exporter: Exporter, tmp_path: Path, stop_after: int
) -> None:
    """What was written stays as it was, the rest follows, and the bytes are those of an unbroken run."""
    with exporter.database.transaction() as tx:
        queue_people(tx, exporter.records, range(3))

    def stop(done: int, total: int) -> None:
        if done == stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(exporter, tmp_path / "broken", progress=stop)
    with exporter.database.reading() as tx:
        assert eurodac_queue.counts(tx)[State.EXPORTED] == 0
    (folder,) = (path for path in (tmp_path / "broken").iterdir() if path.is_dir())
    partly = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    report = run(exporter, tmp_path / "broken")
    assert report.folder == folder
    assert contents(folder).items() >= unbroken_files(exporter).items()
    assert len(partly) == stop_after
    assert {path: path.stat().st_mtime_ns for path in partly} == partly
    assert len(contents(folder)) == 4
    assert run(exporter, tmp_path / "broken").batch is None


@pytest.mark.slow
def test_kill_9_at_any_point_leaves_the_files_of_an_unbroken_run(
    records: Records, database: Database, database_place: str, tmp_path: Path
) -> None:
    """A process killed again and again: once it gets through, every byte is as if it never had been."""
    with database.transaction() as tx:
        queue_people(tx, records, range(4))
    script = Path(__file__).with_name("exporting_process.py")

    def attempt(kill_at: int) -> int:
        command = [sys.executable, str(script), database_place, str(tmp_path), str(kill_at)]
        return subprocess.run(command, check=False, timeout=60).returncode

    assert [attempt(kill_at) for kill_at in (2, 4)] == [-signal.SIGKILL] * 2
    assert attempt(0) == 0
    (folder,) = (path for path in (tmp_path / "export").iterdir() if path.is_dir())
    table = pq.read_table(folder / MANIFEST).to_pylist()
    assert len(table) == 4
    assert {row["file_name"]: row["sha256"] for row in table} == {
        name: sha256(data).hexdigest() for name, data in contents(folder).items() if name != MANIFEST
    }
    with database.reading() as tx:
        assert eurodac_queue.counts(tx)[State.EXPORTED] == 4


@pytest.mark.parametrize("erased_at", [1, 3])
def test_an_encounter_erased_while_its_batch_is_open_is_not_sent(
    exporter: Exporter, tmp_path: Path, erased_at: int
) -> None:
    """Its file goes, the manifest does not name it, the others are sent."""
    with exporter.database.transaction() as tx:
        numbers = queue_people(tx, exporter.records, range(3))
    erased = False

    def erase(done: int, total: int) -> None:
        nonlocal erased
        if done == erased_at and not erased:
            erased = True
            with exporter.database.transaction() as tx:
                exporter.records.erase(tx, "e-1")

    report = run(exporter, tmp_path, progress=erase)
    assert report.folder is not None
    left = [f"{numbers[0]}.an2", f"{numbers[2]}.an2"]
    assert list(report.files) == left
    assert sorted(contents(report.folder)) == [*left, MANIFEST]
    assert pq.read_table(report.folder / MANIFEST)["file_name"].to_pylist() == left


def test_two_exports_do_not_write_into_one_folder(exporter: Exporter, tmp_path: Path) -> None:
    """The second is told to wait."""
    with FileLock(tmp_path / ".export.lock"), pytest.raises(ExportRefused, match="another export"):
        run(exporter, tmp_path)


def test_a_full_disk_leaves_nothing_half_written(
    exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails, no part of a file stays, nothing counts as exported; the next run does it."""
    with exporter.database.transaction() as tx:
        queue_people(tx, exporter.records, range(1))

    def fail(descriptor: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(eurodac, "sync_folder", lambda folder: None)
        broken.setattr(durable.os, "fsync", fail)
        with pytest.raises(OSError, match="no space"):
            run(exporter, tmp_path / "out")
    (folder,) = (path for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert list(folder.iterdir()) == []
    (folder / ".left.partial").write_bytes(b"of an interrupted write")
    report = run(exporter, tmp_path / "out")
    assert report.folder == folder
    assert sorted(contents(folder)) == [*report.files, MANIFEST]


def test_a_batch_is_closed_once(exporter: Exporter, tmp_path: Path) -> None:
    """A second process that resumed the same batch changes nothing when it comes to the end."""
    with exporter.database.transaction() as tx:
        queue_people(tx, exporter.records, range(1))
    report = run(exporter, tmp_path)
    with exporter.database.transaction() as tx:
        before = tx.execute(select(export_batches)).one()
        batch = Batch(before.batch, before.created_at)
        assert eurodac_queue.close_batch(tx, batch, [], [], manifest_sha256="other", at=Clock()())
        assert tx.execute(select(export_batches)).one() == before
    assert before.manifest_sha256 == report.manifest_sha256
