"""`python -m benchmarks.templates [--people N]`: how fast synthetic templates are made, and what they take.

Processor time on one core, compiled beforehand: the templates alone (compact columns), and with the bytes of
`tenprint population templates`. `--out DIR` writes the folder, too, with all cores, and times that.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

from enrollment.formats.template_v1 import encode
from fixtures.template_folder import BATCH_PEOPLE, write_templates
from fixtures.templates import tenprints

_SEED = 1
#: People whose templates are encoded to tell the bytes; that takes as long as making them.
_ENCODED_PEOPLE = 100


def speed(people: int) -> dict[str, float]:
    """Templates a second of processor time, and bytes of one, over ten fingers of so many people."""
    tenprints(_SEED, 0, 1)
    made = columns = 0
    begun, clock = time.process_time(), time.perf_counter()
    for first in range(0, people, BATCH_PEOPLE):
        batch = tenprints(_SEED, first, min(BATCH_PEOPLE, people - first))
        made += len(batch)
        columns += batch.nbytes
    spent, elapsed = time.process_time() - begun, time.perf_counter() - clock
    sample = tenprints(_SEED, 0, min(people, _ENCODED_PEOPLE))
    begun = time.process_time()
    stored = [len(encode(sample.template(row))) for row in range(len(sample))]
    encoding = time.process_time() - begun
    return {
        "templates": made,
        "processor_s": spent,
        "elapsed_s": elapsed,
        "templates_per_s_and_core": made / spent,
        "bytes_in_columns": columns / made,
        "bytes_stored": sum(stored) / len(stored),
        "encoded_per_s_and_core": len(stored) / encoding,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    }


def folder(people: int, out: Path) -> dict[str, Any]:
    """Time and size of a folder of templates, one capture of each finger, made with all cores."""
    begun = time.perf_counter()
    write_templates(people, 1, _SEED, out)
    elapsed = time.perf_counter() - begun
    size = sum(path.stat().st_size for path in out.iterdir())
    return {"folder_templates": 10 * people, "folder_s": elapsed, "folder_mb": size / 1e6}


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description="Measure the statistical template generator.")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="also write a folder of templates here, and time that")
    chosen = parser.parse_args()
    figures: dict[str, Any] = dict(speed(chosen.people))
    if chosen.out is not None:
        figures |= folder(chosen.people, chosen.out)
    for name, value in figures.items():
        print(f"{name:26} {value:,.1f}")


if __name__ == "__main__":
    main()
