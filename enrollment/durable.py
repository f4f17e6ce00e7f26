"""Making files and names survive a power cut: a file's own sync does not cover the folder it stands in."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

#: How the names of files begin and end that were never finished.
PARTIAL_PREFIX, PARTIAL_SUFFIX = ".", ".partial"


def write_durably(path: Path, data: bytes) -> None:
    """The file is there whole or not at all, and survives a power cut; equal bytes are left alone."""
    if not (path.exists() and path.read_bytes() == data):
        _replace(path, data)
    sync_folder(path.parent)  # also where nothing was written: who wrote it may not have come to this yet


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=PARTIAL_PREFIX, suffix=PARTIAL_SUFFIX, delete=False
    ) as partial:
        try:
            partial.write(data)
            partial.flush()
            os.fsync(partial.fileno())
            Path(partial.name).replace(path)
        except BaseException:
            Path(partial.name).unlink(missing_ok=True)
            raise


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter, durably, with the folders above it."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        sync_folder(each.parent)


def sync_file(file: Path) -> None:
    """Make a file that something else wrote, and its name, survive a power cut."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
