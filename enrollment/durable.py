"""Making files and names survive a power cut: a file's own sync does not cover the folder it stands in."""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, TypeAlias

#: Does a thing to every item, at once or one after the other; raises the first fault as it is read.
Map: TypeAlias = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]

#: How the names of files begin and end that were never finished.
PARTIAL_PREFIX, PARTIAL_SUFFIX = ".", ".partial"


def write_durably(path: Path, data: bytes) -> None:
    """The file is there whole or not at all, and survives a power cut; equal bytes are left alone."""
    write_all_durably({path: data}, map)


def write_all_durably(files: Mapping[Path, bytes], run: Map) -> None:
    """`write_durably` for several files; where it raises, some of them may be there.

    run: `map`, or that of a thread pool, which syncs them side by side: a disk takes about as long for one.
    """
    with ExitStack() as stack:
        unfinished = {
            path: stack.enter_context(_partial(path, data))
            for path, data in files.items()
            if not (path.exists() and path.read_bytes() == data)
        }
        deque(run(os.fsync, [stream.fileno() for stream in unfinished.values()]), maxlen=0)
        for path, stream in unfinished.items():
            Path(stream.name).replace(path)
    # Also where nothing was written: who wrote it may not have come to this yet.
    deque(run(sync_folder, {path.parent for path in files}), maxlen=0)


@contextmanager
def _partial(path: Path, data: bytes) -> Iterator[FileIO]:
    """The bytes in a file beside `path`, to be synced and renamed; removed where that fails."""
    partial = path.with_name(f"{PARTIAL_PREFIX}{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    try:
        with FileIO(partial, "x", opener=_private) as stream:
            rest = memoryview(data)
            while rest:
                rest = rest[stream.write(rest) :]
            yield stream
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


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
