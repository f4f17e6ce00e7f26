"""The long forms of the reliability tests, with a report: `python tests/torture/torture.py --help`.

Short forms of all of them run in `make test`. `docs/reliability.md` has the figures of a long run.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

ROOT = Path(__file__).parents[2]
for folder in ("tests/torture", "tests/enrollment", "tests"):
    sys.path.insert(0, str(ROOT / folder))

import failing_io  # noqa: E402 - the paths come first
import power  # noqa: E402
from enrolling_process import EnrollingProcess, keys_beside  # noqa: E402
from fuzzing import Tally, fuzz_images, fuzz_records  # noqa: E402
from killing import check_store, enrol_and_kill  # noqa: E402
from postgres import temporary_postgresql  # noqa: E402

from enrollment.keyring import Keyring  # noqa: E402

#: Kills on one store before a fresh one is begun: galleries stay small, so that storage is what is tested.
CAMPAIGN = 25


def kills(options: argparse.Namespace, scratch: Path) -> list[str]:
    """Kill -9 at random moments of opening, enrolling and following."""
    lines = []
    for database, count in (("SQLite", options.kills), ("PostgreSQL", options.postgresql_kills)):
        if count == 0:
            continue
        chance, acknowledged, slowest = random.Random(options.seed), 0, 0.0
        server = temporary_postgresql() if database == "PostgreSQL" else nullcontext("")
        with server as url:
            for number in range(-(-count // CAMPAIGN)):
                folder = scratch / f"{database}-{number}"
                place = _fresh_database(url, number) if url else str(folder / "data")
                Keyring.open(keys_beside(folder / "blobs"))
                with _Timed(place, folder / "blobs") as process:
                    part = min(CAMPAIGN, count - number * CAMPAIGN)
                    done = enrol_and_kill(process, kills=part, longest_life_s=options.life, chance=chance)
                check_store(place, folder / "blobs", done)
                acknowledged += len(done)
                slowest = max(slowest, process.slowest_s)
        lines.append(
            f"{database}: {count} kills while enrolling and as many while opening, {acknowledged} enrolments "
            f"acknowledged, 0 lost, 0 double, all found; slowest restart to all found {slowest:.1f} s"
        )
    return lines


class _Timed(EnrollingProcess):
    """Measures how long a restart takes until everything is in the gallery."""

    slowest_s = 0.0

    def ready(self) -> int | None:
        begun = time.monotonic()
        size = super().ready()
        if size is not None:
            self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        return size


def _fresh_database(url: str, number: int) -> str:
    from sqlalchemy import create_engine, make_url, text

    name = f"torture_{number}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def power_cuts(options: argparse.Namespace, scratch: Path) -> list[str]:
    """Power cuts on a disk that forgets, and the control that must lose."""
    if lacking := power.why_not():
        return [f"not run: {lacking}"]
    safe = power.cut_power(scratch / "safe", cuts=options.cuts, seed=options.seed)
    fewer = max(3, options.cuts // 10)
    control = power.cut_power(scratch / "control", cuts=fewer, seed=options.seed, safe=False)
    if safe.lost or safe.damaged or not control.lost:
        raise SystemExit(f"power cuts: {safe}; control: {control}")
    told = f"{control.cuts} cuts, {control.acknowledged} acknowledged: {len(control.lost)} lost, as must be"
    return [
        f"{safe.cuts} cuts, {safe.acknowledged} enrolments acknowledged: 0 lost, 0 damaged",
        f"control (synchronous=NORMAL): {told}",
    ]


def failing_calls(options: argparse.Namespace, scratch: Path) -> list[str]:
    """Every n-th write, sync, rename and truncation fails once."""
    if failing_io.COMPILER is None:
        return ["not run: no C compiler"]
    found = failing_io.fail_each_call(scratch, step=options.io_step)
    if found.wrong:
        raise SystemExit(f"failing calls: {found.wrong[:10]}")
    told = (
        f"{found.calls} writing calls of opening, enrolling, erasing, rotating, checkpointing; {found.tried} "
        f"failures injected (EIO and ENOSPC, every {options.io_step}.): {found.refused_acts} acts refused, "
        "0 false acknowledgements, 0 lost, every store whole and usable afterwards"
    )
    return [told]


def model(options: argparse.Namespace, scratch: Path) -> list[str]:
    """Random histories against the model of the store."""
    environment = {
        **os.environ,
        "TENPRINT_TORTURE_EXAMPLES": str(options.histories),
        "TENPRINT_TORTURE_STEPS": "50",
        "TMPDIR": str(scratch),
    }
    test = "tests/enrollment/test_store_model.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", test]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return [f"{options.histories} histories of up to 50 steps agree with the model"]


def tampering(options: argparse.Namespace, _scratch: Path) -> list[str]:
    """Random changes of audit rows, checkpoints, ciphertexts and pictures behind the service's back."""
    environment = {**os.environ, "TENPRINT_TORTURE_TAMPERS": str(options.tampers)}
    tests = [f"tests/enrollment/test_{name}.py" for name in ("audit_verification", "envelope")]
    command = [sys.executable, "-m", "pytest", "-q", *tests, "-k", "random_tampering or flipped_bit"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    count = options.tampers
    return [f"{count} changes of the audit log and {count} of stored ciphertexts: all found"]


def fuzzing(options: argparse.Namespace, _scratch: Path) -> list[str]:
    """Mutants through every reader."""
    tallies = fuzz_records(options.records, options.seed) | fuzz_images(options.images, options.seed)
    if faults := [f"{name}: {fault}" for name, tally in tallies.items() for fault in tally.faults]:
        raise SystemExit("\n".join(faults[:20]))
    return [_told(name, tally) for name, tally in tallies.items()]


def _told(name: str, tally: Tally) -> str:
    return (
        f"{name}: {tally.inputs} mutants, {tally.accepted} still legal, the rest refused; "
        f"slowest {tally.slowest_s * 1000:.0f} ms"
    )


HARNESSES: dict[str, Callable[[argparse.Namespace, Path], list[str]]] = {
    "kills": kills,
    "power": power_cuts,
    "io": failing_calls,
    "model": model,
    "tamper": tampering,
    "fuzz": fuzzing,
}


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tenprint-torture-") as folder:
        yield Path(folder)


def main() -> None:
    """Run the harnesses asked for and write the report."""
    shape = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("harness", nargs="*", default=list(HARNESSES), help=f"of {', '.join(HARNESSES)}")
    parser.add_argument("--kills", type=int, default=1000, help="kills on SQLite")
    parser.add_argument("--postgresql-kills", type=int, default=200, help="kills on PostgreSQL; 0: none")
    parser.add_argument("--life", type=float, default=1.0, help="longest life between two kills, seconds")
    parser.add_argument("--cuts", type=int, default=500, help="power cuts")
    parser.add_argument("--io-step", type=int, default=1, help="make every n-th writing call fail")
    parser.add_argument("--histories", type=int, default=20_000, help="random histories of 50 steps")
    parser.add_argument("--tampers", type=int, default=10_000, help="changes of log and of ciphertexts")
    parser.add_argument("--records", type=int, default=750_000, help="mutants for each reader of records")
    parser.add_argument("--images", type=int, default=25_000, help="mutants for each picture format")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "torture", help="folder of report.md")
    options = parser.parse_args()
    if unknown := set(options.harness) - set(HARNESSES):
        parser.error(f"no such harness: {', '.join(unknown)}")
    options.out.mkdir(parents=True, exist_ok=True)
    report = options.out / "report.md"
    lines = [f"# Torture, {time.strftime('%Y-%m-%d')}", "", f"{platform.platform()}, seed {options.seed}", ""]
    for name in options.harness:
        begun = time.monotonic()
        with _scratch() as scratch:
            told = HARNESSES[name](options, scratch)
        lines += [f"## {name} ({time.monotonic() - begun:.0f} s)", "", *(f"- {line}" for line in told), ""]
        report.write_text("\n".join(lines), encoding="utf-8")
        print("\n".join(lines[-len(told) - 3 :]), flush=True)  # noqa: T201 - the report, as it grows


if __name__ == "__main__":
    main()
