"""Power cuts: the store works on a disk that forgets what was not synced; what was acknowledged is there.

The control runs SQLite with `synchronous=NORMAL`, which acknowledges before the disk has it: it must lose
data here, or this harness would not notice a loss.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from enrolling_process import INDEX, EnrollingProcess, keys_beside, picture_of

from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.doctor import Severity, examine
from enrollment.keyring import Keyring
from enrollment.records import Records

HERE = Path(__file__).parent
#: Most acknowledgements of a life before its power is cut.
MOST = 12


@dataclass
class Outcome:
    """lost: acknowledged encounters that were gone after a cut. damaged: findings of the examination."""

    cuts: int = 0
    acknowledged: int = 0
    lost: list[int] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def why_not() -> str | None:
    """What this machine lacks for power cuts, if anything."""
    if importlib.util.find_spec("mfusepy") is None:
        return "mfusepy is not installed: pip install '.[torture]'"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or shutil.which("fusermount3") is None:
        return "no FUSE here: /dev/fuse and fusermount3 are needed"
    return None


def cut_power(scratch: Path, *, cuts: int, seed: int, safe: bool = True) -> Outcome:
    """Enrol and cut, `cuts` times on one disk; `safe` False is the control."""
    chance, outcome, acknowledged = random.Random(seed), Outcome(), list[int]()
    image, mount = scratch / "image", scratch / "mount"
    image.mkdir(parents=True)
    mount.mkdir()
    (image / "data").mkdir()
    with Database.open(image / "data") as database:
        Records(database, BlobStore(image / "data" / "blobs"), Keyring.open(image / "data" / "keys"))
    environment = {} if safe else {"TENPRINT_TORTURE_SYNCHRONOUS": "NORMAL"}
    place = mount / "data"
    with _environment(environment), EnrollingProcess(str(place), place / "blobs", quiet=True) as process:
        for _ in range(cuts):
            _one_life(process, image, mount, acknowledged, chance)
            outcome.cuts += 1
            lost, damaged = _examined(image / "data", acknowledged)
            outcome.acknowledged = len(acknowledged) + len(outcome.lost)
            outcome.lost += lost
            outcome.damaged += damaged
            for each in lost:
                acknowledged.remove(each)
    return outcome


def _one_life(
    process: EnrollingProcess, image: Path, mount: Path, acknowledged: list[int], chance: random.Random
) -> None:
    """Start the disk and a worker on it, and cut the power while it enrols.

    That is within 30 ms of a random acknowledgement, so that it does not hang on the machine's speed.
    """
    with _disk(mount, image) as disk:
        process.start()
        if process.ready() is None:
            raise RuntimeError("the enrolling process does not start on this disk")
        cut = threading.Timer(chance.uniform(0, 0.03), os.kill, (disk.pid, signal.SIGUSR1))
        seed = max(acknowledged, default=-1) + 1
        last = seed + chance.randrange(MOST)
        while process.enrol(seed):
            acknowledged.append(seed)
            if seed == last:
                cut.start()
            seed += 1
        cut.join()
        process.kill()


@contextmanager
def _disk(mount: Path, image: Path) -> Iterator[subprocess.Popen[bytes]]:
    disk = subprocess.Popen([sys.executable, str(HERE / "lossy.py"), str(mount), str(image)])
    try:
        deadline = time.monotonic() + 20
        while not os.path.ismount(mount):
            if time.monotonic() > deadline or disk.poll() is not None:
                raise RuntimeError("the disk was not mounted")
            time.sleep(0.01)
        yield disk
        disk.wait(60)
    finally:
        disk.kill()
        subprocess.run(["fusermount3", "-u", "-z", str(mount)], check=False, capture_output=True)  # noqa: S607
        shutil.rmtree(image.with_name(image.name + ".old"), ignore_errors=True)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]


def _examined(folder: Path, acknowledged: list[int]) -> tuple[list[int], list[str]]:
    """What the disk holds after the cut."""
    blobs = folder / "blobs"
    with Database.open(folder) as database:
        records = Records(database, BlobStore(blobs), Keyring.open(keys_beside(blobs)))
        findings = [each for each in examine(database, records) if each.severity is Severity.FAULT]
        damaged = [f"{each.check} {each.subject}: {each.detail}" for each in findings]
        with database.reading() as tx:
            there = set(records.encounter_ids(tx))
            kept = [seed for seed in acknowledged if f"e-{seed}" in there]
            damaged += [
                f"picture of e-{seed}"
                for seed in kept
                if records.image(tx, f"e-{seed}", INDEX[0]) != picture_of(seed)
            ]
    return [seed for seed in acknowledged if f"e-{seed}" not in there], damaged
