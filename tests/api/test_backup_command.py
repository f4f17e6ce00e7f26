"""The restore drill: a backup of a working store becomes a store that finds the same people."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call, caller
from sqlalchemy import text
from stored_people import random_encounter, with_picture

from api.exit_codes import CANNOT_WORK, DONE, INPUT_REFUSED
from api.settings import load_settings
from api.store import Store, open_store
from enrollment import backup as backups
from enrollment.backup import MANIFEST_FILE, back_up
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.errors import ConflictingRecord
from enrollment.keyring import RING_FILE, Keyring
from enrollment.records import Records
from matcher.codes import FingerPosition

INDEX = FingerPosition.RIGHT_INDEX


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """The command line with four encounters in its store, each with a picture."""
    monkeypatch.setenv("TENPRINT_DATA", str(tmp_path / "data"))
    with open_store(load_settings()) as store:
        _enrol(store, range(4))
    return caller(monkeypatch, capsys)


def _enrol(store: Store, seeds: range) -> None:
    for seed in seeds:
        with store.database.transaction() as tx:
            encounter = random_encounter(seed, positions=(INDEX,))
            store.records.add(tx, *with_picture(encounter, b"ridges %d " % seed * 100))


def _pictures(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def test_drill(call: Call, tmp_path: Path) -> None:
    """Back up with keys, lose everything, restore elsewhere: all is there, and it goes on from there."""
    assert "4 encounters, 4 pictures" in call("backup", tmp_path / "copy", "--with-keys").out
    (tmp_path / "data").rename(tmp_path / "lost")
    assert call("restore", tmp_path / "copy", "--data", tmp_path / "new").code == DONE
    with open_store(load_settings(data=tmp_path / "new")) as store:
        with store.database.reading() as tx:
            assert store.records.encounter_ids(tx) == [f"e-{seed}" for seed in range(4)]
            assert store.records.image(tx, "e-3", INDEX).startswith(b"ridges 3 ")
        _enrol(store, range(4, 5))
    assert call("audit", "verify", "--data", tmp_path / "new").code == DONE
    assert call("restore", tmp_path / "copy", "--data", tmp_path / "new").code == CANNOT_WORK
    assert call("backup", tmp_path / "copy", "--data", tmp_path / "new").code == CANNOT_WORK


def test_backup_without_keys_opens_for_nobody_else(call: Call, tmp_path: Path) -> None:
    """Restored it is refused, until the keys that were kept apart are put back."""
    assert call("backup", tmp_path / "copy").code == DONE
    assert not (tmp_path / "copy" / "keys").exists()
    refused = call("restore", tmp_path / "copy", "--data", tmp_path / "new")
    assert refused.code == CANNOT_WORK
    assert "key_unavailable" in refused.err
    for file in (tmp_path / "new" / "keys").iterdir():
        file.unlink()
    for file in (tmp_path / "data" / "keys").iterdir():
        file.rename(tmp_path / "new" / "keys" / file.name)
    assert call("encryption", "status", "--data", tmp_path / "new", "--json").document["sealed"] == 4


@pytest.mark.parametrize("damage", ["database", "picture", "no manifest", "manifest of the future"])
def test_damaged_backup_is_refused(call: Call, tmp_path: Path, damage: str) -> None:
    """Before a store is made of it: nothing is there afterwards that could pass for one."""
    call("backup", tmp_path / "copy", "--with-keys")
    file = {
        "database": tmp_path / "copy" / "tenprint.sqlite3",
        "picture": _pictures(tmp_path / "copy")[0],
    }.get(damage, tmp_path / "copy" / MANIFEST_FILE)
    if damage == "no manifest":
        file.unlink()
    elif damage == "manifest of the future":
        file.write_text('{"format": 9}')
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    assert call("restore", tmp_path / "copy", "--data", tmp_path / "new").code == CANNOT_WORK
    assert not (tmp_path / "new" / "tenprint.sqlite3").exists()


def test_picture_that_was_damaged_already_is_told(call: Call, tmp_path: Path) -> None:
    """The rest is saved; the restored store says of whom a picture is missing."""
    _pictures(tmp_path / "data")[0].write_bytes(b"garbage")
    saved = call("backup", tmp_path / "copy", "--with-keys")
    assert saved.code == INPUT_REFUSED
    assert "damaged, not copied" in saved.err
    restored = call("restore", tmp_path / "copy", "--data", tmp_path / "new")
    assert restored.code == CANNOT_WORK
    assert "4 encounters, 3 pictures restored" in restored.out
    assert "pictures e-" in restored.err


def test_what_is_erased_meanwhile_is_not_in_the_backup(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased between database and pictures: a later moment is copied, and nothing of it is left over."""
    with open_store(load_settings()) as store:
        waiting = ["e-1", "e-2"]

        def erase(_done: int, _total: int) -> None:
            while waiting:
                with store.database.transaction() as tx:
                    store.records.erase(tx, waiting.pop())

        report = back_up(store.database, store.blobs, None, tmp_path / "copy", erase)
        assert (report.encounters, report.pictures) == (2, 2)
        assert len(_pictures(tmp_path / "copy")) == 2
        monkeypatch.setattr(backups, "_ATTEMPTS", 1)
        waiting += ["e-0", "e-3"]
        with pytest.raises(ConflictingRecord, match="try again"):
            back_up(store.database, store.blobs, None, tmp_path / "another", erase)


def test_backup_is_of_one_moment_while_others_write(call: Call, tmp_path: Path) -> None:
    """Every encounter in it is whole, however many were enrolled while it was made."""
    import threading

    with open_store(load_settings()) as store:
        writer = threading.Thread(target=_enrol, args=(store, range(10, 60)))
        writer.start()
        for number in range(3):
            keys, target = tmp_path / "data" / "keys", tmp_path / f"{number}"
            back_up(store.database, store.blobs, keys, target, lambda *_: None)
        writer.join()
    for number in range(3):
        assert call("restore", tmp_path / f"{number}", "--data", tmp_path / f"new{number}").code == DONE


def test_postgresql_is_left_to_its_own_tools(postgresql_url: str, tmp_path: Path) -> None:
    """Said in a sentence that names the page."""
    with Database.open(postgresql_url) as database:
        Records(database, BlobStore(tmp_path / "blobs"), Keyring.open(tmp_path / "keys"))
        with pytest.raises(ConflictingRecord, match=r"docs/security\.md"):
            back_up(database, BlobStore(tmp_path / "blobs"), None, tmp_path / "copy", lambda *_: None)


def test_doctor_sees_a_broken_audit_log(call: Call, tmp_path: Path) -> None:
    """One command looks at everything: database, prints, names, pictures, log."""
    call("keys", "create", "--role", "desk")
    with open_store(load_settings()) as store, store.database.transaction() as tx:
        tx.execute(text("DROP TRIGGER audit_log_no_update"))
        tx.execute(text("UPDATE audit_log SET outcome = 'refused'"))
    looked = call("doctor", "--json")
    assert looked.code == CANNOT_WORK
    states = {each["check"]: each["state"] for each in looked.document["findings"]}
    assert (states["store"], states["audit log"]) == ("ok", "fault")
    assert (tmp_path / "data" / "keys" / RING_FILE).exists()
