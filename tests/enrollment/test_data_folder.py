"""One service per data folder, on a disk of this machine, and a full disk that loses nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filling_disk import records_in
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from stored_people import random_encounter

from enrollment import data_folder
from enrollment.data_folder import file_system_of, owned, require_local
from enrollment.database import Database, is_disk_full
from enrollment.errors import FolderInUse, UnsafeFileSystem

UNSHARE = shutil.which("unshare") or ""
_OWN = """
import sys
from pathlib import Path
from enrollment.data_folder import owned
with owned(Path(sys.argv[1])):
    print("owned", flush=True)
    sys.stdin.read()
"""


def test_second_service_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    """While another process owns the folder nobody else can; killed, it leaves no lock behind."""
    with subprocess.Popen(
        [sys.executable, "-c", _OWN, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "owned\n"
        with pytest.raises(FolderInUse, match="stop it first"), owned(tmp_path):
            pass
        first.kill()
        first.communicate()
    with owned(tmp_path):
        pass


def _mounts(tmp_path: Path, *mounts: tuple[str, str]) -> Path:
    lines = (f"21 1 0:19 / {point} rw,relatime shared:1 - {kind} source rw" for point, kind in mounts)
    listing = tmp_path / "mountinfo"
    listing.write_text("\n".join(lines))
    return listing


def test_the_innermost_and_latest_mount_counts(tmp_path: Path) -> None:
    """A path is on the deepest mount above it; of two on one point, on the later; spaces are escaped."""
    points = ("/", "/srv", "/srv/share", "/srv/share", "/a\\040b")
    listing = _mounts(tmp_path, *zip(points, ("ext4", "xfs", "ext4", "nfs4", "cifs"), strict=True))
    assert file_system_of(Path("/srv/share/tenprint"), listing) == "nfs4"
    assert file_system_of(Path("/srv/shared"), listing) == "xfs"
    assert file_system_of(Path("/elsewhere"), listing) == "ext4"
    assert file_system_of(Path("/a b/c"), listing) == "cifs"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """No store is opened where a lock or a sync may mean nothing, and nothing is written there."""
    monkeypatch.setattr(data_folder, "file_system_of", lambda _folder: kind)
    with pytest.raises(UnsafeFileSystem, match="local disk"):
        Database.open(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_unknown_systems_pass(tmp_path: Path) -> None:
    """Where there is no list of mounts nothing can be said, and a local disk is a local disk."""
    assert file_system_of(tmp_path, tmp_path / "absent") is None
    assert file_system_of(tmp_path, _mounts(tmp_path)) is None
    require_local(tmp_path)


def test_full_disks_are_told_from_other_faults() -> None:
    """Only what an operator mends by making room."""
    assert is_disk_full(OSError(28, "No space left on device"))
    assert not is_disk_full(OSError(5, "Input/output error"))
    assert not is_disk_full(ValueError("no fault of a store"))


def test_full_database_acknowledges_nothing_and_works_again(tmp_path: Path) -> None:
    """SQLite's own refusal to grow: the enrolment fails as a full disk, and succeeds once there is room."""
    with Database.open(tmp_path) as database:
        pages = _pages(database)
        _allow(database, pages + 8)
        stored = next(seed for seed in range(100) if not _enrolled(database, tmp_path, seed))
        _allow(database, 1_000_000)
        assert _enrolled(database, tmp_path, stored)
        with database.reading() as tx:
            found = tx.execute(text("SELECT count(*) FROM encounters")).scalar_one()
            assert tx.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    assert 0 < found == stored + 1


def _pages(database: Database) -> int:
    with database.reading() as tx:
        return int(tx.execute(text("PRAGMA page_count")).scalar_one())


def _allow(database: Database, pages: int) -> None:
    """Bound the file on every connection of the pool; the tests use one at a time, so there is one."""
    with database.reading() as tx:
        tx.execute(text(f"PRAGMA max_page_count={pages}"))


def _enrolled(database: Database, folder: Path, seed: int) -> bool:
    try:
        with database.transaction() as tx:
            records_in(database, folder).add(tx, random_encounter(seed))
    except OperationalError as fault:
        assert is_disk_full(fault)  # noqa: PT017 - anything else is a failure of the test
        return False
    return True


@pytest.mark.skipif(not UNSHARE, reason="util-linux's unshare makes the small disk")
def test_small_disk_fills_and_is_relieved(tmp_path: Path) -> None:
    """On a real file system of 3 MB: what was acknowledged is there; with room made, enrolling goes on."""
    script = Path(__file__).with_name("filling_disk.py")
    inside = f'exec "{sys.executable}" "{script}" "{tmp_path}"'
    command = f'mount -t tmpfs -o size=3m tmpfs "{tmp_path}" && {inside}'
    done = subprocess.run(
        [UNSHARE, "--user", "--map-root-user", "--mount", "sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no small disk can be made here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    acknowledged, refusals, after = map(int, done.stdout.split())
    assert acknowledged > 3
    assert refusals == 3
    assert after == acknowledged + 1
