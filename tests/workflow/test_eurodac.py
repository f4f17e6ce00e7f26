"""The EURODAC-style export: read back by others, never compressed twice, finished once whatever happens."""

from __future__ import annotations

import io
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from export_support import (
    PROFILE,
    START,
    described,
    pictured,
    queue_people,
    raw_picture,
    ridges,
    run,
)
from nistitl import Message
from PIL import Image
from stored_people import random_encounter

from enrollment import audit_log
from enrollment.capture import FingerprintImage
from enrollment.encounter import Encounter
from enrollment.formats.nist_itl import TaggedRecord, decode
from enrollment.formats.nist_records import finger_images
from enrollment.sandbox import DecoderSandbox
from matcher.codes import FingerPosition
from workflow import eurodac_queue
from workflow.errors import ExportRefused, InvalidCategory
from workflow.eurodac import MANIFEST, Exporter
from workflow.eurodac_profile import LABEL
from workflow.eurodac_queue import State

THUMB, INDEX = FingerPosition.RIGHT_THUMB, FingerPosition.RIGHT_INDEX


def queue(exporter: Exporter, encounter: Encounter, pictures: dict[FingerPosition, bytes]) -> str | None:
    """Store one encounter and queue it."""
    with exporter.database.transaction() as tx:
        exporter.records.add(tx, encounter, pictures)
        return eurodac_queue.enqueue(tx, encounter, START, profile=PROFILE)


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
    assert (row.action, row.returned) == ("export", tuple(map(exporter.database.audit.pseudonym, numbers)))
    assert run(exporter, tmp_path).batch is None


def test_large_queues_leave_in_batches(exporter: Exporter, tmp_path: Path) -> None:
    """Each batch has its folder; nobody is in two of them."""
    with exporter.database.transaction() as tx:
        numbers = queue_people(tx, exporter.records, range(5))
    reports = [run(exporter, tmp_path, limit=2) for _ in range(4)]
    assert [len(report.files) for report in reports] == [2, 2, 1, 0]
    assert [name for report in reports for name in report.files] == [f"{number}.an2" for number in numbers]
    assert len({report.batch for report in reports}) == 4


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
