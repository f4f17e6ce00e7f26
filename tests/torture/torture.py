"""The long forms of the reliability tests, with a report: `python tests/torture/torture.py --help`.

Work is done in rounds that are written down in OUT/journal.jsonl: a run that was interrupted, or asked for
more, goes on where it stopped. Short forms of all of it run in `make test`; docs/reliability.md has the
figures of a long run.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]
for folder in ("tests/torture", "tests/enrollment", "tests/api", "tests"):
    sys.path.insert(0, str(ROOT / folder))

from journal import Journal, Round, report  # noqa: E402 - the paths come first
from rounds import HARNESSES, Harness  # noqa: E402


def run(name: str, options: argparse.Namespace, journal: Journal) -> bool:
    """Do what is left of a harness; False when a round found a fault."""
    harness, whole = HARNESSES[name], getattr(options, name.replace("-", "_"))
    sound = True
    for number in range(-(-whole // harness.size)):
        size = min(harness.size, whole - number * harness.size)
        wanted = Round(name, number, options.seed, size, 0.0)
        if not journal.passed(wanted.name):
            done = _one(harness, wanted)
            journal.add(done)
            sound = sound and not done.fault
            _write_report(options, journal)
            _say(f"{name} {number + 1}/{-(-whole // harness.size)}: {done.seconds:.0f} s {done.fault}")
    return sound


def _one(harness: Harness, wanted: Round) -> Round:
    """One round in a folder of its own."""
    begun = time.monotonic()
    fault, counts = "", {}
    with tempfile.TemporaryDirectory(prefix="tenprint-torture-") as scratch:
        try:
            counts = harness.one(wanted.size, wanted.seed + wanted.number, Path(scratch))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:  # noqa: BLE001 - whatever it is, pytest's too, it is the finding
            fault = f"{type(failure).__name__}: {failure}"[:2000]
            traceback.print_exc()
    name, number, seed, size = wanted.name
    return Round(name, number, seed, size, round(time.monotonic() - begun, 1), counts, fault)


def _write_report(options: argparse.Namespace, journal: Journal) -> None:
    machine = f"{platform.platform()}, Python {platform.python_version()}, seed {options.seed}"
    lines = ["# Torture", "", machine, ""]
    for name in HARNESSES:
        if rounds := journal.of(name, options.seed):
            lines += report(name, rounds)
    (options.out / "report.md").write_text("\n".join(lines), encoding="utf-8")


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the report, as it grows


def main() -> None:
    """Run the harnesses asked for; the exit code is 1 when a fault was found."""
    shape = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("harness", nargs="*", default=list(HARNESSES), help=f"of {', '.join(HARNESSES)}")
    for name, harness in HARNESSES.items():
        parser.add_argument(f"--{name}", type=int, default=harness.whole, metavar="N", help=harness.unit)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "torture", help="folder of the report")
    options = parser.parse_args()
    if unknown := set(options.harness) - set(HARNESSES):
        parser.error(f"no such harness: {', '.join(unknown)}")
    options.out.mkdir(parents=True, exist_ok=True)
    journal = Journal(options.out / "journal.jsonl")
    sound = [run(name, options, journal) for name in options.harness]
    _write_report(options, journal)
    _say((options.out / "report.md").read_text(encoding="utf-8"))
    sys.exit(not all(sound))


if __name__ == "__main__":
    main()
