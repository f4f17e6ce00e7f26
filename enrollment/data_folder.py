"""The folder a store lies in: on a local disk, and served by one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from enrollment.durable import make_folder
from enrollment.errors import FolderInUse, UnsafeFileSystem

#: Held by whoever serves or replaces the store; the system lets go of it when the process dies.
LOCK_FILE = ".owner.lock"
#: Where Linux lists its mounts.
MOUNTS = Path("/proc/self/mountinfo")
#: File systems on another machine: their locks and syncs promise less than SQLite needs (its wal.html).
_REMOTE = "nfs nfs4 cifs smb3 smbfs ncpfs afs coda ceph lustre gpfs beegfs glusterfs pvfs2 davfs".split()  # noqa: SIM905
_REMOTE_FUSE = "sshfs glusterfs ceph s3fs rclone davfs2 smbnetfs gcsfuse".split()  # noqa: SIM905
REMOTE = frozenset((*_REMOTE, *(f"fuse.{name}" for name in _REMOTE_FUSE)))


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Be the only one who serves the folder until the block ends; `FolderInUse` when somebody does already.

    Commands may work beside a service: the database orders writers, and the service follows its change log.
    """
    make_folder(folder)
    lock = FileLock(folder / LOCK_FILE, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise FolderInUse(
            f"another process serves {folder}: stop it first, or name another data folder"
        ) from None
    try:
        yield
    finally:
        lock.release()


def require_local(folder: Path) -> None:
    """Refuse a folder on a network file system, as `UnsafeFileSystem`. Unknown systems pass."""
    kind = file_system_of(folder)
    if kind in REMOTE:
        raise UnsafeFileSystem(
            f"{folder} lies on {kind}, a network file system: an acknowledged write might be lost there. "
            "Put the store on a local disk"
        )


def file_system_of(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the file system a path lies on, as Linux names it; None where that cannot be told."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    place = Path(os.path.realpath(folder))
    best: tuple[int, str] | None = None
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].encode().decode("unicode_escape"))
        # Of two mounts on one point the later hides the earlier.
        if place.is_relative_to(point) and (best is None or len(point.parts) >= best[0]):
            best = (len(point.parts), after.split()[0])
    return best[1] if best else None
