"""A file system that forgets what was not synced when its power is cut: `python lossy.py MOUNT IMAGE`.

Files and names live in memory. What counts as on the disk is a second copy of each: a file's bytes as of its
last fsync, a folder's names as of its last fsync. SIGUSR1 cuts the power: from then on every call fails, the
second copy is written to IMAGE (so the next start finds the disk), and the process ends. Stricter than ext4,
which makes the name of a synced new file durable too.
"""

# ruff: noqa: D102 - the operations are FUSE's

from __future__ import annotations

import errno
import functools
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mfusepy as fuse


@dataclass
class Node:
    """A file or a folder: as it is, and as the disk has it."""

    folder: bool
    mode: int
    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    names: dict[str, Node] = field(default_factory=dict)
    synced_names: dict[str, Node] = field(default_factory=dict)
    modified: int = field(default_factory=time.time_ns)


def _alone(act: Callable[..., Any]) -> Callable[..., Any]:
    """One call at a time, and none once the power is cut: nothing may be answered that is not kept."""

    @functools.wraps(act)
    def locked(self: Lossy, *arguments: Any) -> Any:
        with self.guard:
            if self.is_cut:
                raise fuse.FuseOSError(errno.EIO)
            return act(self, *arguments)

    return locked


class Lossy(fuse.Operations):  # type: ignore[misc]
    """One lock around everything: the store under test is what shall be fast."""

    use_ns = True

    def __init__(self, image: Path) -> None:
        self._image = image
        self.guard = threading.RLock()
        self.is_cut = False
        self._root = _loaded(image)

    def cut(self) -> None:
        """Keep what is on the disk, and answer nobody any more."""
        with self.guard:
            self.is_cut = True
            fresh = self._image.with_name(self._image.name + ".next")
            _saved(self._root, fresh)
            old = self._image.with_name(self._image.name + ".old")
            self._image.rename(old)
            fresh.rename(self._image)
            os.sync()
            os._exit(0)

    @_alone
    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        node = self._node(path)
        kind = stat.S_IFDIR if node.folder else stat.S_IFREG
        times = dict.fromkeys(("st_mtime", "st_atime", "st_ctime"), node.modified)
        who = {"st_uid": os.getuid(), "st_gid": os.getgid()}
        return {"st_mode": kind | node.mode, "st_nlink": 1, "st_size": len(node.data), **who, **times}

    @_alone
    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *self._node(path).names]

    @_alone
    def mkdir(self, path: str, mode: int) -> int:
        self._enter(path, Node(True, mode & 0o777))
        return 0

    @_alone
    def create(self, path: str, mode: int, fi: Any = None) -> int:
        self._enter(path, Node(False, mode & 0o777))
        return 0

    @_alone
    def open(self, path: str, flags: int) -> int:
        node = self._node(path)
        if flags & os.O_TRUNC:
            node.data.clear()
        return 0

    @_alone
    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._node(path).data[offset : offset + size])

    @_alone
    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        node = self._node(path)
        if len(node.data) < offset:
            node.data.extend(bytes(offset - len(node.data)))
        node.data[offset : offset + len(data)] = data
        node.modified = time.time_ns()
        return len(data)

    @_alone
    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        node = self._node(path)
        del node.data[length:]
        node.data.extend(bytes(length - len(node.data)))
        return 0

    @_alone
    def fsync(self, path: str, datasync: int, fh: int) -> int:
        node = self._node(path)
        node.synced = bytes(node.data)
        return 0

    @_alone
    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        node = self._node(path)
        node.synced_names = dict(node.names)
        return 0

    @_alone
    def rename(self, old: str, new: str) -> int:
        node = self._node(old)
        self._leave(old)
        self._enter(new, node)
        return 0

    @_alone
    def unlink(self, path: str) -> int:
        self._node(path)
        self._leave(path)
        return 0

    @_alone
    def rmdir(self, path: str) -> int:
        return self.unlink(path)

    @_alone
    def chmod(self, path: str, mode: int) -> int:
        self._node(path).mode = mode & 0o777
        return 0

    @_alone
    def utimens(self, path: str, times: Any = None) -> int:
        self._node(path).modified = times[1] if times else time.time_ns()
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        return {"f_bsize": 4096, "f_blocks": 1 << 20, "f_bavail": 1 << 20, "f_bfree": 1 << 20}

    def _node(self, path: str) -> Node:
        node = self._root
        for name in Path(path).parts[1:]:
            if name not in node.names:
                raise fuse.FuseOSError(errno.ENOENT)
            node = node.names[name]
        return node

    def _enter(self, path: str, node: Node) -> None:
        self._node(str(Path(path).parent)).names[Path(path).name] = node

    def _leave(self, path: str) -> None:
        del self._node(str(Path(path).parent)).names[Path(path).name]


def _loaded(place: Path) -> Node:
    """The disk as it was left."""
    if place.is_file():
        content = place.read_bytes()
        return Node(False, place.stat().st_mode & 0o777, bytearray(content), content)
    names = {child.name: _loaded(child) for child in place.iterdir()}
    return Node(True, place.stat().st_mode & 0o777, names=names, synced_names=dict(names))


def _saved(node: Node, place: Path) -> None:
    """What of it is on the disk."""
    if not node.folder:
        place.write_bytes(node.synced)
    else:
        place.mkdir()
        for name, child in node.synced_names.items():
            _saved(child, place / name)
    place.chmod(node.mode)


def main(mount: str, image: str) -> None:
    """Serve until the power is cut."""
    disk = Lossy(Path(image))
    threading.Thread(target=_wait_for_cut, args=(disk,), daemon=True).start()
    fuse.FUSE(disk, mount, foreground=True, nothreads=True, direct_io=False, default_permissions=False)


def _wait_for_cut(disk: Lossy) -> None:
    signal.sigwait({signal.SIGUSR1})
    disk.cut()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    main(*sys.argv[1:])
