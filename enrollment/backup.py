"""A copy of a store that can be restored: database, pictures, and the keys only when asked for.

BACKUP/tenprint.sqlite3   SQLite's online backup: one moment of the store, taken while it works
BACKUP/blobs/             every picture that moment names, sealed as in the store
BACKUP/keys/              only with the keys; whoever has such a backup can read it
BACKUP/manifest.json      written last: without it the backup is not complete
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrollment.blobs import BlobStore
from enrollment.data_folder import owned, require_local
from enrollment.database import SQLITE_FILE, Database
from enrollment.durable import make_folder, sync_folder, write_durably
from enrollment.encounter import utc_now
from enrollment.errors import ConflictingRecord, DamagedRecord, UnknownRecord
from enrollment.keyring import RING_FILE, ROOT_FILE

MANIFEST_FILE, BLOBS_FOLDER, KEYS_FOLDER = "manifest.json", "blobs", "keys"
_FORMAT = 1
#: Pictures may be erased while they are copied; then a later moment is copied. Nobody erases all the time.
_ATTEMPTS = 10
_NAMED = "SELECT DISTINCT coalesce(blob, sha256) FROM images"

#: Receives (pictures done, pictures in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was copied. damaged: addresses of pictures that were damaged already and are left out."""

    encounters: int
    pictures: int
    keys: bool
    damaged: Sequence[str]


def back_up(
    database: Database, blobs: BlobStore, keys: Path | None, target: Path, progress: Progress
) -> BackupReport:
    """Copy a SQLite store into a new folder while it works. keys: the keyring's folder, or None."""
    if target.exists() and any(target.iterdir()):
        raise ConflictingRecord(f"{target} is not empty: name a new folder for each backup")
    make_folder(target)
    copies = BlobStore(target / BLOBS_FOLDER)
    for _ in range(_ATTEMPTS):
        database.copy_to(target / SQLITE_FILE)
        named = _pictures_of(target / SQLITE_FILE)
        damaged, gone = _copy_pictures(blobs, copies, named, progress)
        if not gone:
            break
    else:
        raise ConflictingRecord("pictures were erased faster than they could be copied: try again")
    for stray in set(copies.addresses()) - set(named):
        copies.delete(stray)  # erased meanwhile: an earlier attempt had copied it
    if keys is not None:
        _copy_keys(keys, target / KEYS_FOLDER)
    count = _count(target / SQLITE_FILE)
    report = BackupReport(count, len(named) - len(damaged), keys is not None, damaged)
    _write_manifest(target, report)
    return report


def restore(source: Path, target: Path, keys: Path, progress: Progress) -> BackupReport:
    """Put a backup into a data folder that holds no store; its keys go to `keys` unless a keyring is there.

    Every file is verified on the way. Interrupted, the same call begins again.
    """
    manifest = _read_manifest(source)
    require_local(target)
    with owned(target):
        if (target / SQLITE_FILE).exists():
            raise ConflictingRecord(f"{target} holds a store already: restore into another folder")
        copies = BlobStore(target / BLOBS_FOLDER)
        named = _pictures_of(source / SQLITE_FILE)
        lost = set(manifest["damaged"])
        whole = [address for address in named if address not in lost]
        damaged, gone = _copy_pictures(BlobStore(source / BLOBS_FOLDER), copies, whole, progress)
        if damaged or gone:
            raise DamagedRecord(f"{len(damaged) + len(gone)} pictures of the backup are damaged or missing")
        if manifest["keys"] and not (keys / RING_FILE).exists():
            _copy_keys(source / KEYS_FOLDER, keys)
        write_durably(target / SQLITE_FILE, (source / SQLITE_FILE).read_bytes())
    return BackupReport(manifest["encounters"], len(whole), manifest["keys"], sorted(lost))


def _copy_pictures(
    source: BlobStore, target: BlobStore, addresses: Sequence[str], progress: Progress
) -> tuple[list[str], list[str]]:
    """Copy what is not there yet; gives the addresses that are damaged, and those that are gone."""
    there = set(target.addresses())
    damaged, gone = [], []
    for done, address in enumerate(addresses, start=1):
        try:
            if address not in there:
                target.put(source.get(address))
        except DamagedRecord:
            damaged.append(address)
        except UnknownRecord:
            gone.append(address)
        progress(done, len(addresses))
    return damaged, gone


def _copy_keys(source: Path, target: Path) -> None:
    make_folder(target)
    for name in (ROOT_FILE, RING_FILE):
        if (source / name).exists():
            write_durably(target / name, (source / name).read_bytes())


def _pictures_of(file: Path) -> list[str]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return sorted(address for (address,) in connection.execute(_NAMED))


def _count(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM encounters").fetchone()[0])


def _write_manifest(target: Path, report: BackupReport) -> None:
    for leftover in target.glob(f"{SQLITE_FILE}-*"):
        leftover.unlink()  # a reader's, empty: the copy is one file
    document = {
        "format": _FORMAT,
        "created_at": utc_now().isoformat(),
        "database_sha256": _digest(target / SQLITE_FILE),
        "encounters": report.encounters,
        "pictures": report.pictures,
        "damaged": sorted(report.damaged),
        "keys": report.keys,
    }
    write_durably(target / MANIFEST_FILE, json.dumps(document, indent=2).encode())
    sync_folder(target)


def _read_manifest(source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST_FILE).read_bytes())
    except (OSError, ValueError):
        raise DamagedRecord(f"{source} is no complete backup: it has no manifest") from None
    if manifest.get("format") != _FORMAT:
        raise DamagedRecord(f"{source} was made by a newer tenprint: upgrade this one")
    if _digest(source / SQLITE_FILE) != manifest["database_sha256"]:
        raise DamagedRecord(f"the database of the backup {source} was changed or cut")
    return manifest


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
