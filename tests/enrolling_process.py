"""An enrolling process that can be killed and started again on the same store.

Run as a script it is a nursery: it imports and compiles once, then forks one worker per line on its standard
input (a port where the test listens). A worker opens the store, fills its gallery, says `ready N`, and for
each line `FIRST LAST` enrols the encounters of those seeds one by one and answers `done SEED` once each is
durable and in the gallery. Forking keeps a restart at milliseconds where importing would take seconds.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

from sqlalchemy import event
from stored_people import random_encounter, with_picture

from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.errors import ConflictingRecord
from enrollment.follower import GalleryFollower
from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.records import Records
from matcher.codes import FingerPosition
from matcher.gallery import Gallery

#: Seconds a worker may take to become ready: the first one may have to compile.
PATIENCE_S = 120
INDEX = (FingerPosition.RIGHT_INDEX,)
#: Encounters enrolled one by one before the gallery takes them over and they are acknowledged.
TOGETHER = 5


def picture_of(seed: int) -> bytes:
    """The picture enrolled with a seed; the store does not look inside it."""
    return seed.to_bytes(8, "big") * 64


class EnrollingProcess:
    """The test's end: starts, asks and kills workers, one at a time."""

    def __init__(self, place: str, blobs: Path, *, quiet: bool = False) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE_S)
        self._nursery = subprocess.Popen(
            [sys.executable, __file__, place, str(blobs)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,  # a disk without power makes many words
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            text=True,
        )
        self._worker: int | None = None
        self._connection = socket.socket()
        self._answers: IO[str] = io.StringIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        self._disconnect()
        self._server.close()
        self._nursery.communicate(timeout=PATIENCE_S)

    def start(self) -> None:
        """Fork a worker; returns as soon as it has a process id, before it has opened anything."""
        self._disconnect()
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(f"{self._server.getsockname()[1]}\n")
        self._nursery.stdin.flush()
        self._connection, _ = self._server.accept()
        self._connection.settimeout(PATIENCE_S)
        self._answers = self._connection.makefile()
        self._worker = int(self._answer())

    def ready(self) -> int | None:
        """Wait until the worker has filled its gallery; gives its size, or None if it was killed first."""
        answer = self._answer()
        return int(answer.removeprefix("ready ")) if answer else None

    def enrol(self, seed: int) -> bool:
        """Have the encounter of a seed enrolled; True when that was acknowledged, False when killed first."""
        return next(self.enrol_many(seed, seed), None) == seed

    def enrol_many(self, first: int, last: int) -> Iterator[int]:
        """Have the encounters of these seeds enrolled; gives each when acknowledged, ends where killed."""
        try:
            self._connection.sendall(f"{first} {last}\n".encode())
        except ConnectionError:
            return
        for seed in range(first, last + 1):
            if self._answer() != f"done {seed}":
                return
            yield seed

    def kill(self) -> None:
        """Kill the worker where it stands."""
        if self._worker is not None:
            os.kill(self._worker, signal.SIGKILL)
            self._worker = None

    def _answer(self) -> str:
        """The worker's next line; empty when it was killed."""
        try:
            line = self._answers.readline()
        except ConnectionError:
            return ""
        return line.strip() if line.endswith("\n") else ""

    def _disconnect(self) -> None:
        """Let go of a worker that is no more."""
        self._answers.close()
        self._connection.close()


def serve(place: str, blobs: str, lines: IO[Any]) -> None:
    """Be a worker."""
    with Database.open(place) as database:
        _weaken(database)
        keyring = Keyring.open(keys_beside(Path(blobs)))
        records, gallery = Records(database, BlobStore(Path(blobs)), keyring), Gallery()
        checkpoint = GalleryCheckpoint(Path(blobs).parent / "gallery", keyring)
        follower = GalleryFollower(database, records, gallery, checkpoint=checkpoint)
        follower.catch_up()
        _say(lines, f"ready {len(gallery)}")
        follower.keep()  # so that a restart is short, and kills meet this work too
        for line in lines:
            first, last = map(int, line.split())
            for begin in range(first, last + 1, TOGETHER):
                seeds = range(begin, min(begin + TOGETHER, last + 1))
                for seed in seeds:
                    enrol(database, records, seed)
                follower.catch_up()
                for seed in seeds:
                    _say(lines, f"done {seed}")


def _weaken(database: Database) -> None:
    """The control of the power cuts: acknowledge before the disk has it."""
    level = os.environ.get("TENPRINT_TORTURE_SYNCHRONOUS")
    if level is not None:
        event.listen(database._engine, "connect", lambda each, _: each.execute(f"PRAGMA synchronous={level}"))
        database.close()  # the connections so far are as safe as ever


def enrol(database: Database, records: Records, seed: int) -> None:
    """Enrol the encounter of a seed; one that is there already was enrolled by a worker killed since."""
    encounter, pictures = with_picture(random_encounter(seed, positions=INDEX), picture_of(seed))
    sealed = records.seal(encounter, pictures)
    try:
        with database.transaction() as tx:
            records.add(tx, encounter, sealed)
            enrolled = AuditEntry("worker", "test", "enroll", "done", returned=(encounter.encounter_id,))
            audit_log.append(tx, enrolled)
    except ConflictingRecord:
        pass


def keys_beside(blobs: Path) -> Path:
    """Where the keyring lies, given where the pictures do."""
    return blobs.parent / "keys"


def _say(lines: IO[Any], words: str) -> None:
    """Answer at once."""
    lines.write(f"{words}\n")
    lines.flush()


def _warm_up() -> None:
    """Import, load and compile what a worker needs, on a store that is thrown away: for all workers, once."""
    with tempfile.TemporaryDirectory() as folder, Database.open(folder) as database:
        keyring = Keyring.open(Path(folder, "keys"))
        records = Records(database, BlobStore(Path(folder, "blobs")), keyring)
        checkpoint = GalleryCheckpoint(Path(folder, "gallery"), keyring)
        follower = GalleryFollower(database, records, Gallery(), checkpoint=checkpoint)
        enrol(database, records, 0)
        follower.catch_up()
        follower.keep()


def main(place: str, blobs: str) -> None:
    """Be the nursery: one worker at a time, until the test closes our input."""
    _warm_up()
    for line in sys.stdin:
        worker = os.fork()
        if worker == 0:
            connection = socket.create_connection(("127.0.0.1", int(line)))
            lines = connection.makefile("rw")
            _say(lines, str(os.getpid()))
            serve(place, blobs, lines)
            os._exit(0)
        os.waitpid(worker, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
