"""What is broken is found; what is whole is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text
from stored_people import failure, random_encounter, with_picture

from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.doctor import Finding, Severity, examine
from enrollment.encounter import EncounterStatus
from enrollment.follower import GalleryFollower
from enrollment.keyring import Keyring
from enrollment.record_writer import Amendment
from enrollment.records import Records
from enrollment.tables import released_blobs
from matcher.codes import FingerPosition
from matcher.gallery import Gallery

INDEX = FingerPosition.RIGHT_INDEX


@pytest.fixture
def filled(database: Database, records: Records) -> Database:
    """A store with a life behind it: pictures, failures, an erasure, an inactive encounter."""
    encounter, pictures = with_picture(random_encounter(1, positions=(INDEX,)), b"a picture")
    with database.transaction() as tx:
        records.add(tx, encounter, pictures)
        records.add(tx, replace(random_encounter(2), fingers={INDEX: failure(INDEX)}))
        records.add(tx, replace(random_encounter(3, positions=(INDEX,)), status=EncounterStatus.INACTIVE))
        records.add(tx, random_encounter(4, positions=(INDEX,)))
    with database.transaction() as tx:
        records.erase(tx, "e-4")
        records.amend(tx, "e-3", Amendment(status=EncounterStatus.ACTIVE))
    return database


def test_whole_store_has_no_findings(filled: Database, records: Records) -> None:
    """Everything the store does by itself leaves it whole; the progress tells what is being looked at."""
    seen: list[str] = []
    assert list(examine(filled, records, lambda check, _done: seen.append(check))) == []
    assert list(dict.fromkeys(seen)) == [
        "file",
        "references",
        "fingers",
        "change_log",
        "templates",
        "prepared_prints",
        "particulars",
        "pictures",
    ]


@pytest.mark.parametrize(
    ("damage", "check", "subject"),
    [
        ("DELETE FROM templates WHERE encounter_id = 'e-1'", "fingers", "e-1"),
        (
            "UPDATE fingers SET reason = 'too_small', extractor = NULL WHERE encounter_id = 'e-1'",
            "fingers",
            "e-1",
        ),
        ("UPDATE templates SET codec = 'unheard of' WHERE encounter_id = 'e-3'", "templates", "e-3"),
        ("UPDATE encounters SET status = 'INACTIVE' WHERE encounter_id = 'e-1'", "change log", "e-1"),
        ("DELETE FROM change_log WHERE encounter_id = 'e-2'", "change log", "e-2"),
        ("DELETE FROM encounters WHERE encounter_id = 'e-2'", "change log", "e-2"),
        ("UPDATE change_log SET operation = 'ADD' WHERE encounter_id = 'e-4'", "change log", "e-4"),
    ],
)
def test_damage_behind_the_back_is_found(
    filled: Database, records: Records, damage: str, check: str, subject: str
) -> None:
    """One stroke, one finding, about the right encounter."""
    with filled.transaction() as tx:
        tx.execute(text(damage))
    (finding,) = examine(filled, records)
    assert (finding.check, finding.severity, finding.subject) == (check, Severity.FAULT, subject)


def test_damaged_prepared_prints_are_only_noticed(filled: Database, records: Records) -> None:
    """They can be made again, and are."""
    GalleryFollower(filled, records, Gallery()).catch_up()
    with filled.transaction() as tx:
        tx.execute(text("UPDATE prepared_prints SET made_by = '1-other' WHERE encounter_id = 'e-1'"))
    (finding,) = examine(filled, records)
    assert (finding.check, finding.severity, finding.subject) == ("prepared prints", Severity.NOTICE, "e-1")
    GalleryFollower(filled, records, Gallery()).catch_up()
    assert list(examine(filled, records)) == []


def _one_picture(tmp_path: Path) -> Path:
    (path,) = (path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
    return path


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(b"another")], ids=["gone", "changed"]
)
def test_damaged_picture_is_found(
    filled: Database, records: Records, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    """A picture that is gone or changed is a fault of its encounter."""
    damage(_one_picture(tmp_path))
    (finding,) = examine(filled, records)
    assert (finding.check, finding.severity, finding.subject) == ("pictures", Severity.FAULT, "e-1")


def test_what_waits_for_deletion_is_only_noticed(
    filled: Database, records: Records, blobs: BlobStore
) -> None:
    """An orphan and an erased picture that is still there are no faults: the store mends both."""
    orphan, released = blobs.put(b"an orphan"), blobs.put(b"erased")
    with filled.transaction() as tx:
        tx.execute(insert(released_blobs), {"sha256": released})
    findings = list(examine(filled, records))
    assert {(finding.subject, finding.severity) for finding in findings} == {
        (orphan, Severity.NOTICE),
        (released, Severity.NOTICE),
    }


def test_dangling_reference_is_found(tmp_path: Path, keyring: Keyring) -> None:
    """SQLite's references are examined, not only enforced."""

    def orphan_a_row(tx: Connection) -> None:
        tx.execute(
            text(
                "INSERT INTO encounters SELECT 'e-9', 'nobody', '2026-01-01', 'x', NULL, 'ACTIVE', 'x', NULL,"
                " '{}', '{}', '2026-01-01', '2026-01-01', NULL"
            )
        )
        tx.execute(text("INSERT INTO change_log VALUES (1, 'ADD', 'e-9', '2026-01-01')"))

    keyring.allow_plaintext(True)
    with Database.open(tmp_path) as database:
        unchecked = database._engine.execution_options(tenprint_mode="migrate")
        with unchecked.begin() as tx:
            orphan_a_row(tx)
        (finding,) = examine(database, Records(database, BlobStore(tmp_path / "blobs"), keyring))
    assert isinstance(finding, Finding)
    assert (finding.check, finding.subject) == ("references", "encounters")
    assert "persons that is gone" in finding.detail


@pytest.mark.parametrize("where", [0.4, 0.6, 0.8])
def test_damaged_database_file_is_found(tmp_path: Path, keyring: Keyring, where: float) -> None:
    """Garbage in SQLite's file is a fault, whether SQLite reports it or chokes on it."""
    with Database.open(tmp_path) as database:
        records = Records(database, BlobStore(tmp_path / "blobs"), keyring)
        with database.transaction() as tx:
            for seed in range(20):
                records.add(tx, random_encounter(seed))
    file = tmp_path / "tenprint.sqlite3"
    whole = bytearray(file.read_bytes())
    middle = int(len(whole) * where) // 4096 * 4096
    whole[middle : middle + 4096] = b"\xa5" * 4096
    file.write_bytes(whole)
    with Database.open(tmp_path) as database:
        findings = list(examine(database, Records(database, BlobStore(tmp_path / "blobs"), keyring)))
    assert findings
    assert {(finding.check, finding.severity) for finding in findings} == {("file", Severity.FAULT)}
