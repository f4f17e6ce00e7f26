"""`tenprint enroll`: manifests with several captures of a person, and ANSI/NIST-ITL files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Call, caller
from running_service import KNOWN, OTHER, picture

from api.cli_images import from_manifest, grouped
from api.cli_transactions import is_transaction, transaction_uploads
from api.exit_codes import DONE, INPUT_REFUSED
from enrollment.formats.nist_itl import Transaction, encode
from enrollment.formats.nist_records import FingerImage, Heading, type_1, type_2, type_14
from enrollment.image_header import inspect_header
from matcher.codes import FingerPosition, ImpressionType

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_REAL = Path(__file__).parents[2].parent / "shared" / "data" / "itl"
_HEADING = Heading("TEST", "NOBODY", "NOBODY", "1", _AT, ("TENPRINT-TEST", "1"))


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """The command line with a data folder of the test's own."""
    monkeypatch.setenv("TENPRINT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return caller(monkeypatch, capsys)


def _image(idc: int, position: FingerPosition, impression: ImpressionType, data: bytes) -> FingerImage:
    header = inspect_header(data)
    return FingerImage(idc, position, impression, header.width_px, header.height_px, 500, "PNG", data)


def _transaction(*images: tuple[FingerPosition, ImpressionType, bytes]) -> bytes:
    records = [
        type_14(_image(idc, *image), source="NOBODY", captured_on=_AT.date())
        for idc, image in enumerate(images, start=1)
    ]
    return encode(Transaction(type_1(_HEADING), (type_2(()), *records)))


def test_each_capture_of_a_person_is_an_encounter(tmp_path: Path) -> None:
    """By the column `capture`, whatever the order of rows and whichever fingers a capture lacks."""
    manifest = tmp_path / "people.csv"
    manifest.write_text(
        "path,person,position,capture\n"
        "a2.png,P1,2,2\n"
        "a1.png,P1,2,1\n"
        "b1.png,P1,7,1\n"
        "c3.png,P1,3,3\n"
        "d2.png,P1,4,2\n"
        "e1.png,P2,2,1\n"
    )
    groups = grouped(from_manifest(manifest, 500))
    assert sorted((group.person, sorted(file.path.stem for file in group.files)) for group in groups) == [
        ("P1", ["a1", "b1"]),
        ("P1", ["a2", "d2"]),
        ("P1", ["c3"]),
        ("P2", ["e1"]),
    ]


def test_without_captures_the_next_image_of_a_finger_is_the_next_encounter(tmp_path: Path) -> None:
    """As before the column was known."""
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,person,position\na.png,P1,2\nb.png,P1,2\nc.png,P1,7\n")
    groups = grouped(from_manifest(manifest, 500))
    assert [[file.path.stem for file in group.files] for group in groups] == [["a", "c"], ["b"]]


def test_a_transaction_is_enrolled_and_found(call: Call, tmp_path: Path) -> None:
    """One encounter of its single fingers, rolled before plain, without the slaps; as a probe it is found."""
    folder = tmp_path / "cards"
    folder.mkdir()
    known, other = picture(KNOWN), picture(OTHER)
    (folder / "anna_1.an2").write_bytes(
        _transaction(
            (FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN, other),
            (FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_ROLLED, known),
            (FingerPosition.LEFT_INDEX, ImpressionType.LIVE_PLAIN, other),
            (FingerPosition.PLAIN_RIGHT_FOUR, ImpressionType.LIVE_PLAIN, other),
        )
    )
    called = call("enroll", folder, "--json")
    assert called.code == DONE, called.err
    assert (called.document["person_id"], called.document["fingers"]) == ("anna", 2)
    probe = tmp_path / "probe.eft"
    probe.write_bytes(
        _transaction((FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN, picture(KNOWN, 2)))
    )
    (candidate,) = call("identify", probe, "--json").document["candidates"]
    assert (candidate["person_id"], candidate["suggested"]) == ("anna", True)
    assert list(candidate["fingers"]) == ["right_index"]


def test_a_transaction_without_known_fingers_is_refused(call: Call, tmp_path: Path) -> None:
    """With the reason and exit code 1, and so are a broken one, and two thumbs of which one is seen."""
    (tmp_path / "anna_1.an2").write_bytes(b"1.001:12\x1d1.002:0502\x1c")
    nobody = (FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, picture(OTHER))
    (tmp_path / "bert_1.an2").write_bytes(_transaction(nobody))
    thumbs = (FingerPosition.PLAIN_THUMBS, ImpressionType.LIVE_PLAIN, picture(OTHER))
    (tmp_path / "carl_1.an2").write_bytes(_transaction(thumbs))
    called = call("enroll", tmp_path, "--json")
    assert called.code == INPUT_REFUSED
    reports = [json.loads(line) for line in called.out.splitlines()]
    assert [(report["status"], report["code"]) for report in reports] == [
        ("refused", "malformed_record"),
        ("refused", "invalid_request"),
        ("refused", "failure_to_enroll"),
    ]
    assert "1 of 2 fingers" in reports[2]["detail"]


@pytest.mark.real_data
@pytest.mark.skipif(not _REAL.is_dir(), reason=f"no folder {_REAL.name} of reference transactions")
@pytest.mark.parametrize(
    ("name", "positions"),
    [
        ("type-14-tpcard-nqm.an2", range(1, 15)),
        ("type4-slaps.an2k", range(11, 15)),
        ("valid1.2.an2", (10,)),
    ],
)
def test_reference_cards_give_their_fingers_and_slaps(name: str, positions: Sequence[int]) -> None:
    """A card's ten rolled prints and four slaps; a file of slaps; a single finger."""
    assert is_transaction(_REAL / name)
    assert [int(upload.position) for upload in transaction_uploads(_REAL / name)] == list(positions)
