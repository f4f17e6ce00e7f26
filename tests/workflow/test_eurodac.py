"""The EURODAC-style export: read back by others, never compressed twice, finished once whatever happens."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from export_support import (
    OPERATOR,
    PROFILE,
    START,
    Clock,
    described,
    pictured,
    queue_people,
    raw_picture,
    ridges,
)
from filelock import FileLock
from nistitl import Message
from PIL import Image
from sqlalchemy import select
from stored_people import random_encounter

from enrollment import audit_log
from enrollment.capture import FingerprintImage
from enrollment.database import Database
from enrollment.encounter import Encounter
from enrollment.formats.nist_itl import TaggedRecord, decode
from enrollment.formats.nist_records import finger_images
from enrollment.records import Records
from enrollment.sandbox import DecoderSandbox
from enrollment.tables import export_batches
from matcher.codes import FingerPosition
from workflow import eurodac, eurodac_queue
from workflow.errors import ExportRefused, InvalidCategory
from workflow.eurodac import MANIFEST, Exporter, export
from workflow.eurodac_files import transaction_of
from workflow.eurodac_profile import LABEL
from workflow.eurodac_queue import Batch, State

THUMB, INDEX = FingerPosition.RIGHT_THUMB, FingerPosition.RIGHT_INDEX


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DecoderSandbox]:
    """One decoder process for all tests here."""
    with DecoderSandbox(workers=1) as opened:
        yield opened


@pytest.fixture
def exporter(database: Database, records: Records, sandbox: DecoderSandbox) -> Exporter:
    """An exporter over the test's store."""
    return Exporter(database, records, sandbox, PROFILE)


def run(exporter: Exporter, folder: Path, **options: object) -> eurodac.ExportReport:
    """One batch."""
    return export(exporter, folder, actor=OPERATOR, now=Clock(), **options)  # type: ignore[arg-type]


def queue(exporter: Exporter, encounter: Encounter, pictures: dict[FingerPosition, bytes]) -> str | None:
    """Store one encounter and queue it."""
    with exporter.database.transaction() as tx:
        exporter.records.add(tx, encounter, pictures)
        return eurodac_queue.enqueue(tx, encounter, START, profile=PROFILE)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a batch by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def unbroken_files(exporter: Exporter) -> dict[str, bytes]:
    """What the encounters of the only batch give when nothing interrupts."""
    with exporter.database.reading() as tx:
        row = tx.execute(select(export_batches)).one()
        batch = Batch(row.batch, row.created_at)
        parts = (exporter.records, exporter.sandbox, exporter.profile, batch)
        files = [transaction_of(tx, *parts, entry) for entry in eurodac_queue.entries(tx)]
    return {file.name: file.data for file in files}


def test_every_file_is_read_back_by_an_independent_parser(exporter: Exporter, tmp_path: Path) -> None:
    """PyPI nistitl sees the records, the reference number, and images that decode."""
    with exporter.database.transaction() as tx:
        numbers = queue_people(tx, exporter.records, range(3))
    report = run(exporter, tmp_path / "out")
    assert report.files == tuple(f"{number}.an2" for number in numbers)
    assert report.folder is not None
    for number in numbers:
        message = Message()
        message.parse((report.folder / f"{number}.an2").read_bytes())
        assert f"{number}01" == message[0].TCN
        assert [record.FGP for record in message.iter(14)] == ["1", "2"]
        assert {record.CGA for record in message.iter(14)} == {"WSQ20"}


def test_images_decode_to_what_was_captured(
    exporter: Exporter, sandbox: DecoderSandbox, tmp_path: Path
) -> None:
    """The WSQ made here shows the same print: within a few grey levels of the original pixels."""
    image, data = raw_picture(7, INDEX)
    number = queue(exporter, pictured(7, {INDEX: (image, data)}), {INDEX: data})
    report = run(exporter, tmp_path)
    assert report.folder is not None
    (sent,) = finger_images(decode((report.folder / f"{number}.an2").read_bytes()))
    shown = sandbox.decode(sent.data, container_ppi=sent.ppi)
    assert (sent.width_px, sent.height_px, sent.ppi) == (120, 150, 500)
    assert np.abs(shown.pixels.astype(int) - ridges(7)).mean() < 8


def test_wsq_passes_untouched(exporter: Exporter, sandbox: DecoderSandbox, tmp_path: Path) -> None:
    """A print that came as WSQ leaves as the very same bytes, at its own resolution."""
    data = sandbox.encode_wsq(FingerprintImage(ridges(1), 569))
    image = described(data, THUMB, "wsq", (150, 120), ppi=569)
    number = queue(exporter, pictured(1, {THUMB: (image, data)}), {THUMB: data})
    report = run(exporter, tmp_path)
    assert report.folder is not None
    (sent,) = finger_images(decode((report.folder / f"{number}.an2").read_bytes()))
    assert (sent.data, sent.compression, sent.ppi) == (data, "WSQ20", 569)


def test_jpeg_2000_passes_untouched(exporter: Exporter, tmp_path: Path) -> None:
    """A lossy picture is not compressed a second time."""
    sink = io.BytesIO()
    Image.fromarray(ridges(2)).save(sink, format="JPEG2000", quality_mode="rates", quality_layers=[8])
    data = sink.getvalue()
    image = described(data, THUMB, "jp2", (150, 120), ppi=1000)
    number = queue(exporter, pictured(2, {THUMB: (image, data)}), {THUMB: data})
    report = run(exporter, tmp_path)
    assert report.folder is not None
    (sent,) = finger_images(decode((report.folder / f"{number}.an2").read_bytes()))
    assert (sent.data, sent.compression, sent.ppi) == (data, "JP2", 1000)


def test_other_resolutions_become_500(exporter: Exporter, tmp_path: Path) -> None:
    """A picture of 1000 ppi that may be compressed leaves at half its size."""
    pixels = ridges(3, height=300, width=240)
    image = described(pixels.tobytes(), THUMB, "raw", pixels.shape, ppi=1000)
    number = queue(exporter, pictured(3, {THUMB: (image, pixels.tobytes())}), {THUMB: pixels.tobytes()})
    report = run(exporter, tmp_path)
    assert report.folder is not None
    (sent,) = finger_images(decode((report.folder / f"{number}.an2").read_bytes()))
    assert (sent.width_px, sent.height_px, sent.ppi) == (120, 150, 500)


def test_the_manifest_describes_the_files(exporter: Exporter, tmp_path: Path) -> None:
    """Hashes, counts and the label are in the Parquet table, and fit the files beside it."""
    with exporter.database.transaction() as tx:
        queue_people(tx, exporter.records, range(3))
    report = run(exporter, tmp_path)
    assert report.folder is not None
    table = pq.read_table(report.folder / MANIFEST)
    about = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert (about["profile"], about["label"], about["file_count"]) == ("BE-EUD-STYLE/1", LABEL, "3")
    for row in table.to_pylist():
        data = (report.folder / row["file_name"]).read_bytes()
        assert (row["sha256"], row["size_bytes"]) == (sha256(data).hexdigest(), len(data))
        assert (row["positions"], row["encodings"]) == ([1, 2], ["compressed here"] * 2)
    assert report.manifest_sha256 == sha256((report.folder / MANIFEST).read_bytes()).hexdigest()


def test_the_queue_knows_what_left(exporter: Exporter, tmp_path: Path) -> None:
    """Rows become exported with file and hash, the act is logged, and nothing waits any more."""
    with exporter.database.transaction() as tx:
        numbers = queue_people(tx, exporter.records, range(2))
    report = run(exporter, tmp_path)
    assert report.folder is not None
    with exporter.database.reading() as tx:
        rows = eurodac_queue.entries(tx)
        (row,) = audit_log.entries(tx)
        assert eurodac_queue.counts(tx) == {State.QUEUED: 0, State.EXPORTED: 2, State.FAILED: 0}
    assert [entry.reference_number for entry in rows] == numbers
    assert all(
        entry.file_name and entry.sha256 == sha256((report.folder / entry.file_name).read_bytes()).hexdigest()
        for entry in rows
    )
    assert (row.action, row.returned) == ("export", tuple(numbers))
    assert run(exporter, tmp_path).batch is None


def test_large_queues_leave_in_batches(exporter: Exporter, tmp_path: Path) -> None:
    """Each batch has its folder; nobody is in two of them."""
    with exporter.database.transaction() as tx:
        numbers = queue_people(tx, exporter.records, range(5))
    reports = [run(exporter, tmp_path, limit=2) for _ in range(4)]
    assert [len(report.files) for report in reports] == [2, 2, 1, 0]
    assert [name for report in reports for name in report.files] == [f"{number}.an2" for number in numbers]
    assert len({report.batch for report in reports}) == 4


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


def test_what_cannot_be_sent_is_set_aside_with_the_reason(exporter: Exporter, tmp_path: Path) -> None:
    """Templates only, or a broken picture: the others leave, these fail and can be queued again."""
    bare = random_encounter(9, positions=(INDEX,))
    broken = described(b"\x89PNG broken", THUMB, "png", (150, 120))
    numbers = [
        queue(exporter, bare, {}),
        queue(exporter, pictured(8, {THUMB: (broken, b"\x89PNG broken")}), {THUMB: b"\x89PNG broken"}),
    ]
    with exporter.database.transaction() as tx:
        good = queue_people(tx, exporter.records, range(1))
    report = run(exporter, tmp_path)
    assert report.files == (f"{good[0]}.an2",)
    assert [number for number, _ in report.failed] == numbers
    with exporter.database.transaction() as tx:
        assert all(entry.error for entry in eurodac_queue.entries(tx, state=State.FAILED))
        eurodac_queue.requeue(tx, bare.encounter_id)
        (waiting,) = eurodac_queue.entries(tx, state=State.QUEUED)
    assert (waiting.reference_number, waiting.error) == (numbers[0], None)


def test_only_what_is_to_be_sent_is_queued(exporter: Exporter) -> None:
    """No category, or a child under six: stored, not queued. A search's category: refused."""
    base = random_encounter(1, positions=(INDEX,))
    child = replace(base, encounter_id="child", biographic={"dateOfBirth": "2022-01-01"})
    assert queue(exporter, replace(base, category=None), {}) is None
    assert queue(exporter, child, {}) is None
    with pytest.raises(InvalidCategory):
        queue(exporter, replace(base, encounter_id="search", category="4"), {})
    with exporter.database.reading() as tx:
        assert eurodac_queue.entries(tx) == []
        assert not exporter.records.exists(tx, "search")


def test_reference_numbers_are_never_used_again(exporter: Exporter) -> None:
    """Not even that of an erased encounter."""
    with exporter.database.transaction() as tx:
        first, second = queue_people(tx, exporter.records, range(2))
        exporter.records.erase(tx, "e-1")
        (third,) = queue_people(tx, exporter.records, range(7, 8))
    assert len({first, second, third}) == 3


def test_two_exports_do_not_write_into_one_folder(exporter: Exporter, tmp_path: Path) -> None:
    """The second is told to wait."""
    with FileLock(tmp_path / ".export.lock"), pytest.raises(ExportRefused, match="another export"):
        run(exporter, tmp_path)


def test_an_impossible_folder_is_refused(exporter: Exporter, tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportRefused):
        run(exporter, tmp_path / "file")


def test_every_file_says_what_it_is_not(exporter: Exporter, tmp_path: Path) -> None:
    """The label stands in each Type-2."""
    with exporter.database.transaction() as tx:
        (number,) = queue_people(tx, exporter.records, range(1))
    report = run(exporter, tmp_path)
    assert report.folder is not None
    transaction = decode((report.folder / f"{number}.an2").read_bytes())
    (descriptive,) = transaction.of_type(2)
    assert isinstance(descriptive, TaggedRecord)
    assert descriptive.text(202) == LABEL
    assert descriptive.text(7) == number


def test_a_full_disk_leaves_nothing_half_written(
    exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails, no part of a file stays, nothing counts as exported; the next run does it."""
    with exporter.database.transaction() as tx:
        queue_people(tx, exporter.records, range(1))

    def fail(descriptor: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(eurodac, "_sync_folder", lambda folder: None)
        broken.setattr(eurodac.os, "fsync", fail)
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
