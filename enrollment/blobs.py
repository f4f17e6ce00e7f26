"""Pictures as files named by their SHA-256: written durably, verified whenever they are read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from enrollment.durable import PARTIAL_SUFFIX, make_folder, sync_folder, write_durably
from enrollment.errors import DamagedRecord, UnknownRecord

_ADDRESS = re.compile(r"[0-9a-f]{64}")


class BlobStore:
    """A folder of content-addressed files, `ab/abcdef…`. Several threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        make_folder(folder)
        for shard in range(256):
            (folder / f"{shard:02x}").mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder)

    def put(self, data: bytes) -> str:
        """Store the bytes; gives their address. When it returns they survive a power cut."""
        address = hashlib.sha256(data).hexdigest()
        write_durably(self._path(address), data)
        return address

    def get(self, address: str) -> bytes:
        """The bytes stored under an address: `UnknownRecord` when absent, `DamagedRecord` when changed."""
        try:
            data = self._path(address).read_bytes()
        except FileNotFoundError as error:
            raise UnknownRecord(f"the picture {address} is not in the store") from error
        if hashlib.sha256(data).hexdigest() != address:
            raise DamagedRecord(f"the picture {address} was changed on disk: restore it from a backup")
        return data

    def delete(self, address: str) -> None:
        """Remove the bytes, if they are there."""
        path = self._path(address)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def addresses(self, *, older_than: float = float("inf")) -> Iterator[str]:
        """Every address whose file was written before `older_than` (seconds since 1970)."""
        for path in self._folder.glob("??/*"):
            if _ADDRESS.fullmatch(path.name) and path.stat().st_mtime < older_than:
                yield path.name

    def sweep_partials(self, older_than: float) -> int:
        """Remove what interrupted writes left before `older_than` (seconds since 1970); gives how many."""
        leftovers = [
            path for path in self._folder.glob(f"??/*{PARTIAL_SUFFIX}") if path.stat().st_mtime < older_than
        ]
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def _path(self, address: str) -> Path:
        """Where an address lies; only 64 hex digits are one, so no path leads elsewhere."""
        if not _ADDRESS.fullmatch(address):
            raise UnknownRecord("a picture's address is 64 lower-case hex digits")
        return self._folder / address[:2] / address
