"""One round of every harness: what it does, how much, and what it counts. A fault is an exception."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import failing_io
import power
from enrolling_process import EnrollingProcess, keys_beside
from fuzzing import Tally, fuzz_images, fuzz_records
from fuzzing_http import fuzz_service
from histories import History
from journal import Counts
from killing import check_store, enrol_and_kill
from postgres import temporary_postgresql
from rotation import rotate_and_kill

from enrollment.database import Database
from enrollment.keyring import Keyring

ROOT = Path(__file__).parents[2]
#: At least as many as the work of `failing_process` makes.
CALLS = 320
#: Of one history.
STEPS = 2_000


@dataclass(frozen=True, slots=True)
class Harness:
    """one: does a round of (size, seed, empty folder). size: of one round; whole: of the long form."""

    one: Callable[[int, int, Path], Counts]
    size: int
    whole: int
    unit: str


class _Timed(EnrollingProcess):
    """Measures how long a restart takes until everything is in the gallery."""

    slowest_s = 0.0

    def ready(self) -> int | None:
        begun = time.monotonic()
        size = super().ready()
        if size is not None:
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        return size


def kills_sqlite(size: int, seed: int, scratch: Path) -> Counts:
    """Kill -9 at random moments of opening, enrolling and following, on SQLite."""
    return {"SQLite": _kills(size, seed, str(scratch / "data"), scratch, most=205)}


def kills_postgresql(size: int, seed: int, scratch: Path) -> Counts:
    """The same on a PostgreSQL server of its own."""
    with temporary_postgresql() as url:
        return {"PostgreSQL": _kills(size, seed, url, scratch, most=60)}


def _kills(size: int, seed: int, place: str, scratch: Path, *, most: int) -> dict[str, float]:
    blobs = scratch / "blobs"
    Keyring.open(keys_beside(blobs))
    chance = random.Random(seed)
    with _Timed(place, blobs) as process:
        acknowledged = enrol_and_kill(process, kills=size, most=most, chance=chance)
    sought = chance.sample(range(acknowledged), 12)
    check_store(place, blobs, range(acknowledged), sought=sought, audited=True)
    return {
        "kills while enrolling": size,
        "kills while opening": size,
        "enrolments acknowledged": acknowledged,
        "lost": 0,
        "double": 0,
        "searched for": len(sought),
        "slowest restart until all are in the gallery, s": round(process.slowest_s, 2),
    }


def power_cuts(size: int, seed: int, scratch: Path) -> Counts:
    """Power cuts on a disk that forgets, and the control that must lose."""
    if lacking := power.why_not():
        raise RuntimeError(lacking)
    safe = power.cut_power(scratch / "safe", cuts=size, seed=seed)
    control = power.cut_power(scratch / "control", cuts=2, seed=seed, safe=False)
    if safe.lost or safe.damaged or not control.lost:
        raise AssertionError(f"{safe}; control: {control}")
    return {
        "store": {"cuts": safe.cuts, "enrolments acknowledged": safe.acknowledged, "lost": 0, "damaged": 0},
        "control (synchronous=NORMAL)": {
            "cuts": control.cuts,
            "enrolments acknowledged": control.acknowledged,
            "lost, as must be": len(control.lost),
        },
    }


def failing_calls(size: int, _seed: int, scratch: Path) -> Counts:
    """One write, sync, rename or truncation after the other fails once: `size` of them, evenly chosen."""
    if failing_io.COMPILER is None:
        raise RuntimeError("no C compiler: the shim that makes calls fail is not built")
    found = failing_io.fail_each_call(scratch, step=max(1, CALLS // size))
    assert not found.wrong, found.wrong[:10]
    told = {
        "writing calls": found.calls,
        "failures injected": found.tried,
        "acts refused": found.refused_acts,
    }
    return {"store": told | {"false acknowledgements": 0, "lost": 0, "damaged": 0}}


def model(size: int, seed: int, scratch: Path) -> Counts:
    """Random histories of two thousand steps against the model of the store."""
    empty, chance = scratch / "empty", random.Random(seed)
    Database.open(empty).close()
    steps = undone = histories = 0
    while steps < size:
        history = History(empty, scratch / f"history-{histories}", chance)
        history.walk(min(STEPS, size - steps))
        history.end()
        steps, undone, histories = steps + history.steps, undone + history.undone, histories + 1
    told = {"steps": steps, "of them rolled back": undone, "histories": histories, "disagreements": 0}
    return {"store and model": told}


def rotations(size: int, seed: int, scratch: Path) -> Counts:
    """Key rotations killed while another process reads and enrols, on SQLite."""
    found = rotate_and_kill(str(scratch / "data"), scratch, kills=size, chance=random.Random(seed))
    assert found.failed == 0
    assert found.interrupted > 0
    kills = {"kills": found.kills, "of them in mid-rotation": found.interrupted}
    return {"SQLite": kills | {"requests meanwhile": found.requests, "failed": 0, "left unfinished": 0}}


def tampering_log(size: int, seed: int, scratch: Path) -> Counts:
    """Random changes of audit rows and checkpoints behind the service's back."""
    _pytest(scratch, "enrollment/test_audit_verification", "random_tampering", TAMPERS=size, SEED=seed)
    return {"audit rows and checkpoints": {"changes": size, "found": size}}


def tampering_store(size: int, seed: int, scratch: Path) -> Counts:
    """Flipped bits of templates, names, wrapped keys and pictures."""
    _pytest(scratch, "enrollment/test_envelope", "flipped_bit", TAMPERS=size, SEED=seed)
    return {"ciphertexts, wrapped keys, pictures": {"changes": size, "found": size}}


def retention(size: int, seed: int, scratch: Path) -> Counts:
    """Encounters of every category over twelve years: each goes on its day, no other."""
    _pytest(scratch, "workflow/test_retention", "twelve_years", ENCOUNTERS=size, SEED=seed)
    return {"twelve years": {"encounters": size, "erased early, late or wrongly": 0}}


def _pytest(scratch: Path, module: str, which: str, **settings: int) -> None:
    """Run some tests with other numbers than usual."""
    named = {f"TENPRINT_TORTURE_{name}": str(value) for name, value in settings.items()}
    test = f"tests/{module}.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", test]
    command += ["-k", which]
    environment = {**os.environ, **named, "TMPDIR": str(scratch)}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-1500:]


def fuzzing_records(size: int, seed: int, _scratch: Path) -> Counts:
    """Mutants through every reader of records."""
    return _tallied(fuzz_records(size, seed))


def fuzzing_images(size: int, seed: int, _scratch: Path) -> Counts:
    """Mutants of every picture format through the decoder processes."""
    return _tallied(fuzz_images(size, seed))


def fuzzing_service(size: int, seed: int, scratch: Path) -> Counts:
    """Mutant bodies and pictures through the running service, over HTTP."""
    answers = fuzz_service(scratch, size, seed)
    assert not answers.faults, "\n".join(answers.faults[:5])
    told: dict[str, float] = {"mutants": size}
    for status, count in sorted(answers.statuses.items()):
        told[f"answered {status}"] = count
    return {"service": told | {"answered 5xx": 0, "crashes": 0}}


def _tallied(tallies: dict[str, Tally]) -> Counts:
    faults = [f"{name}: {fault}" for name, tally in tallies.items() for fault in tally.faults]
    assert not faults, "\n".join(faults[:5])
    return {
        name: {
            "mutants": tally.inputs,
            "still legal, the rest refused": tally.accepted,
            "slowest, s": round(tally.slowest_s, 3),
        }
        for name, tally in tallies.items()
    }


HARNESSES: dict[str, Harness] = {
    "tamper-log": Harness(tampering_log, 2_000, 10_000, "changes of audit rows and checkpoints"),
    "tamper-store": Harness(tampering_store, 2_000, 10_000, "changes of ciphertexts, keys and pictures"),
    "retention": Harness(retention, 500, 2_000, "encounters that fall due within twelve years"),
    "power": Harness(power_cuts, 20, 500, "power cuts"),
    "io": Harness(failing_calls, CALLS, CALLS, "writing calls that fail, EIO and ENOSPC each"),
    "kills-sqlite": Harness(kills_sqlite, 25, 1_000, "kills on SQLite, about 105 enrolments each"),
    "kills-postgresql": Harness(kills_postgresql, 25, 200, "kills on PostgreSQL"),
    "rotation": Harness(rotations, 25, 200, "kills of a process that rotates keys"),
    "model": Harness(model, 20_000, 1_000_000, "steps of random histories"),
    "fuzz-images": Harness(fuzzing_images, 1_000, 21_000, "mutants of each of ten picture files"),
    "fuzz-http": Harness(fuzzing_service, 2_500, 20_000, "mutant requests to the running service"),
    "fuzz-records": Harness(fuzzing_records, 25_000, 750_000, "mutants for each of seven readers of records"),
}
