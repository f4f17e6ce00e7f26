"""Pictures on disk: whole or absent, verified, nowhere else."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from enrollment.blobs import BlobStore
from enrollment.errors import DamagedRecord, UnknownRecord


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_put_comes_back(blobs: BlobStore) -> None:
    """Bytes come back under their SHA-256."""
    assert blobs.put(b"ridges") == hashlib.sha256(b"ridges").hexdigest()
    assert blobs.get(hashlib.sha256(b"ridges").hexdigest()) == b"ridges"


def test_the_same_bytes_are_stored_once(blobs: BlobStore, tmp_path: Path) -> None:
    """Content addressing: a second copy takes no space."""
    assert blobs.put(b"ridges") == blobs.put(b"ridges")
    assert len(_files(tmp_path)) == 1


@pytest.mark.parametrize(
    "address", ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 65, "/" + "a" * 63, "a" * 64 + "\n"]
)
def test_no_address_leads_elsewhere(blobs: BlobStore, address: str) -> None:
    """Only 64 lower-case hex digits are an address."""
    with pytest.raises(UnknownRecord, match="hex digits"):
        blobs.get(address)
    with pytest.raises(UnknownRecord, match="hex digits"):
        blobs.delete(address)


def test_absent_bytes_are_unknown(blobs: BlobStore) -> None:
    """An address nobody stored under is a named error."""
    with pytest.raises(UnknownRecord, match="not in the store"):
        blobs.get("a" * 64)


@pytest.mark.parametrize("change", [b"", b"ridge", b"ridges ", b"bridge"])
def test_changed_bytes_are_noticed(blobs: BlobStore, tmp_path: Path, change: bytes) -> None:
    """A file that was cut, extended or edited is never handed out; storing it again heals it."""
    address = blobs.put(b"ridges")
    _files(tmp_path)[0].write_bytes(change)
    with pytest.raises(DamagedRecord, match="changed on disk"):
        blobs.get(address)
    blobs.put(b"ridges")
    assert blobs.get(address) == b"ridges"


def test_deleted_bytes_are_gone(blobs: BlobStore, tmp_path: Path) -> None:
    """Deleting removes the file; deleting twice is no error."""
    address = blobs.put(b"ridges")
    blobs.delete(address)
    blobs.delete(address)
    assert _files(tmp_path) == []


def test_file_then_folder_are_synced_before_put_returns(
    blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that survives a power cut: data synced, renamed, folder synced."""
    steps: list[str] = []
    sync, rename = os.fsync, Path.replace

    def watched_sync(descriptor: int) -> None:
        target = Path(f"/proc/self/fd/{descriptor}").resolve()
        steps.append("sync folder" if target.is_dir() else "sync file")
        sync(descriptor)

    def watched_rename(source: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "replace", watched_rename)
    blobs.put(b"ridges")
    assert steps == ["sync file", "rename", "sync folder"]


def test_failed_write_leaves_nothing(
    blobs: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is an error, and no half file stays under any name."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        blobs.put(b"ridges")
    assert _files(tmp_path) == []


def test_leftovers_of_a_killed_writer_are_swept(blobs: BlobStore, tmp_path: Path) -> None:
    """Partial files are no addresses, and are removed once they are old."""
    partial = tmp_path / "blobs" / "ab" / "tmpxyz.partial"
    partial.write_bytes(b"rid")
    assert list(blobs.addresses()) == []
    assert blobs.sweep_partials(older_than=0) == 0
    assert blobs.sweep_partials(older_than=time.time() + 60) == 1
    assert not partial.exists()


def test_addresses_can_be_limited_by_age(blobs: BlobStore) -> None:
    """Sweeping looks only at files old enough."""
    address = blobs.put(b"ridges")
    assert list(blobs.addresses()) == [address]
    assert list(blobs.addresses(older_than=0)) == []
