"""Keys rotated again and again by a process that is killed, while another reads and enrols.

Run as a script it is the nursery of that process: `python rotation.py FOLDER` forks one child per line of its
input, which says its process id, and each batch it has done, and rotates until it is killed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from enrolling_process import INDEX, enrol, keys_beside, picture_of
from sqlalchemy.exc import SQLAlchemyError

from enrollment import resealing
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.doctor import examine
from enrollment.keyring import Keyring
from enrollment.records import Records
from matcher.errors import FingerprintError

#: Encounters at the start, and data keys wrapped anew in one transaction: a rotation takes ten.
ENCOUNTERS, BATCH = 40, 4
#: Requests of each kind there have to be, however fast the kills were.
LEAST = 10


@dataclass
class Outcome:
    """interrupted: kills that left a rotation unfinished. requests: readings and enrolments meanwhile."""

    kills: int = 0
    interrupted: int = 0
    requests: int = 0
    failed: int = 0


def rotate_and_kill(place: str, scratch: Path, *, kills: int, chance: random.Random) -> Outcome:
    """Kill a rotating process `kills` times under load; then every rotation is finished and all is whole."""
    outcome, blobs = Outcome(), scratch / "blobs"
    with Database.open(place) as database, _nursery(place, blobs) as nursery:
        keyring = Keyring.open(keys_beside(blobs))
        service = Records(database, BlobStore(blobs), keyring)
        for seed in range(ENCOUNTERS):
            enrol(database, service, seed)
        first = set(keyring.key_ids())
        with _load(database, service, outcome):
            for _ in range(kills):
                process = _start(nursery)
                for _ in range(chance.randrange(2 * ENCOUNTERS // BATCH)):
                    _line(nursery)
                time.sleep(chance.uniform(0, 0.01))
                os.kill(process, signal.SIGKILL)
                outcome.kills += 1
                outcome.interrupted += bool(keyring.superseded())
        resealing.rotate(database, service, keyring, lambda _done, _total: None)
        assert not keyring.superseded()
        assert len(keyring.key_ids()) == len(first), "one key a period is left"
        assert not first & set(keyring.key_ids())
        assert list(examine(database, service)) == []
    return outcome


@contextmanager
def _load(database: Database, service: Records, outcome: Outcome) -> Iterator[None]:
    """Two who read and one who enrols while the block runs."""
    stop, done = threading.Event(), [0, 0, 0]

    def repeat(number: int) -> None:
        while not stop.is_set():
            try:
                _request(database, service, number, done[number])
            except (FingerprintError, OSError, SQLAlchemyError):
                outcome.failed += 1
            done[number] += 1
            stop.wait(0.01)  # the rotating process is to have its turn

    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(repeat, number) for number in range(3)]
        try:
            yield
            while not outcome.failed and min(done) < LEAST:
                time.sleep(0.01)
        finally:
            stop.set()
        for each in work:
            each.result()
        outcome.requests = sum(done)


def _request(database: Database, service: Records, number: int, done: int) -> None:
    if number == 0:
        enrol(database, service, 1000 + done)
        return
    seed = done % ENCOUNTERS
    with database.reading() as tx:
        service.get(tx, f"e-{seed}")
        assert service.image(tx, f"e-{seed}", INDEX[0]) == picture_of(seed)


@contextmanager
def _nursery(place: str, blobs: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, __file__, place, str(blobs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as nursery:
        yield nursery
        nursery.communicate(timeout=60)


def _start(nursery: subprocess.Popen[str]) -> int:
    """The process id of a child that rotates from now on."""
    assert nursery.stdin is not None
    nursery.stdin.write("go\n")
    nursery.stdin.flush()
    while not (line := _line(nursery)).startswith("process"):
        pass  # what the one before had still said
    return int(line.split()[1])


def _line(nursery: subprocess.Popen[str]) -> str:
    assert nursery.stdout is not None
    line = nursery.stdout.readline()
    assert line, "the rotating process ended"
    return line


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main(place: str, blobs: Path) -> None:
    """Be the nursery."""
    resealing.BATCH = BATCH
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            keyring = Keyring.open(keys_beside(blobs))
            with Database.open(place) as database:
                records = Records(database, BlobStore(blobs), keyring)
                _say(f"process {os.getpid()}")
                while True:
                    resealing.rotate(database, records, keyring, lambda done, _total: _say(f"batch {done}"))
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
