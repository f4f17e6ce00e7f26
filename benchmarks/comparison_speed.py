"""`python -m benchmarks.comparison_speed`: what a comparison and a template cost at 35 minutiae.

Synthetic prints (`fixtures.templates`) cut to their best minutiae, so that the size is the same everywhere.
Times of comparisons are means over blocks of one kernel call each, medians over the blocks: what a search
pays. `score_of` is one call from Python, what a verification pays. How much more two threads do than one is
measured for comparisons and for plain arithmetic, which tells what the machine has to give. Quiet machine,
one core unless it says two threads; a minute. `--prints MANIFEST.csv` (columns as for `tenprint benchmark
verification`) tells instead what real prints take, whole and of about so many minutiae.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.calibrate import extracted
from enrollment.formats.template_v1 import decode, encode
from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.comparison import prepare, raw_many, score_of
from matcher.compiled import kernel
from matcher.pairing import Floats
from matcher.prepared import PackedTemplates, PreparedTemplate, pack
from matcher.prints import Prints
from matcher.sketches import sketch_of
from matcher.template import Template

#: The population that is timed; no other part of the project uses this seed.
SEED: Final = 20_260_031
#: Seconds that one round of a comparison of threads takes at least: a shorter one measures their start.
ROUND: Final = 0.25
#: References of one block of mated comparisons: captures of one finger.
CAPTURES: Final = 8
#: Prints of a manifest are of about some number of minutiae when they differ from it by at most this.
NEAR: Final = 2


def cut(template: Template, minutiae: int) -> Template:
    """The template with its best minutiae only, in their order."""
    best = np.sort(np.argsort(-template.quality.astype(int), kind="stable")[:minutiae])
    rows = {name: getattr(template, name)[best] for name in ("x", "y", "angle", "kind", "quality")}
    return dataclasses.replace(template, **rows)


def captures(people: int, minutiae: int) -> list[list[Template]]:
    """Prints by person, one finger each; people with smaller prints are left out."""
    found = [
        [cut(person(SEED, n).capture(FINGERS[n % len(FINGERS)], c), minutiae) for c in range(CAPTURES)]
        for n in range(people)
    ]
    return [prints for prints in found if all(len(each) == minutiae for each in prints)]


def median_of(calls: Sequence[Callable[[], Any]], each: int = 1) -> float:
    """Median over the calls of the seconds that one takes, divided by `each`."""
    seconds = []
    for call in calls:
        begun = time.perf_counter()
        call()
        seconds.append((time.perf_counter() - begun) / each)
    return float(np.median(seconds))


def scaling(works: Mapping[str, Callable[[], Any]], rounds: int = 21) -> dict[str, float]:
    """How much more two threads do of each work than one in the same time.

    By name, the median over rounds in which all works take turns, so that a slow minute strikes all; and with
    `_best` the same from the quickest round of one thread and the quickest of two: what there is where
    neighbours on the machine leave the processor alone.
    """

    def seconds(task: Callable[[], Any]) -> float:
        begun = time.perf_counter()
        task()
        return time.perf_counter() - begun

    def repeated(work: Callable[[], Any], times: int) -> None:
        for _ in range(times):
            work()

    # Once before it is timed: what is compiled is compiled now.
    rows: dict[str, list[tuple[float, float]]] = {}
    tasks = {}
    for name, work in works.items():
        work()
        tasks[name] = partial(repeated, work, math.ceil(ROUND / seconds(work)))
        rows[name] = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            for name, task in tasks.items():
                rows[name].append(
                    (seconds(partial(_at_once, pool, task, 1)), seconds(partial(_at_once, pool, task, 2)))
                )
    found = {}
    for name, row in rows.items():
        alone_each, together = np.array(row).T
        found[name] = float(np.median(2.0 * alone_each / together))
        found[f"{name}_best"] = float(2.0 * alone_each.min() / together.min())
    return found


def _at_once(pool: Executor, task: Callable[[], Any], times: int) -> None:
    """Run a task so many times at once, each in a thread of the pool: alone it is the same kind of thread."""
    wait([pool.submit(task) for _ in range(times)])


def compared(probes: Sequence[PreparedTemplate], references: PackedTemplates) -> None:
    """Compare each probe with all references."""
    for probe in probes:
        raw_many(probe, references)


@kernel
def arithmetic(values: Floats, rounds: int) -> float:
    """Nothing but sums and products of a few numbers: shares no memory, waits for nobody."""
    for _ in range(rounds):
        for k in range(len(values)):
            values[k] = values[k] * np.float32(0.999) + np.float32(0.001)
    return float(values[0])


def measure(people: int, minutiae: int) -> dict[str, float]:
    """All figures, by name."""
    templates = captures(people, minutiae)
    prints = [[prepare(template) for template in own] for own in templates]
    firsts = [own[0] for own in prints]
    everyone = pack(firsts)
    others = [pack([p for p in firsts if p is not first]) for first in firsts[:60]]
    mates = [pack(own[1:]) for own in prints]
    raw_many(firsts[0], everyone)
    score_of(firsts[0], firsts[1])
    # The calls above compiled what is timed below.
    rows = range(len(firsts))
    return {
        **costs([own[0] for own in templates]),
        "non_mated_us": 1e6
        * median_of([partial(raw_many, firsts[k], others[k]) for k in range(len(others))], len(firsts) - 1),
        "mated_us": 1e6 * median_of([partial(raw_many, firsts[k], mates[k]) for k in rows], CAPTURES - 1),
        "score_of_non_mated_us": 1e6
        * median_of([partial(score_of, a, b) for a in firsts[:20] for b in firsts[20:120]]),
        "score_of_mated_us": 1e6
        * median_of([partial(score_of, own[0], mate) for own in prints for mate in own[1:]]),
        **scaling(
            {
                "two_threads": partial(compared, firsts[:60], everyone),
                "two_threads_arithmetic": lambda: arithmetic(np.ones(1024, np.float32), 400_000),
            }
        ),
    }


def costs(templates: Sequence[Template]) -> dict[str, float]:
    """What a template takes stored, in a gallery's memory (its sketch included), and until it is ready."""
    stored = [encode(template) for template in templates]
    kept = Prints()
    for number, data in enumerate(stored):
        prepared = _ready(data)
        kept.append(number, prepared, sketch_of(prepared))
    return {
        "prints": float(len(templates)),
        "minutiae": float(np.median([len(template) for template in templates])),
        "prepare_ms": 1e3 * median_of([partial(prepare, template) for template in templates]),
        "decode_and_prepare_ms": 1e3 * median_of([partial(_ready, data) for data in stored]),
        "stored_bytes": float(np.mean([len(data) for data in stored])),
        "bytes_in_memory": kept.nbytes / len(templates),
    }


def _ready(stored: bytes) -> PreparedTemplate:
    return prepare(decode(stored))


def of_manifest(manifest: Path, minutiae: int) -> dict[str, dict[str, float]]:
    """`costs` of all prints of a manifest, and of those of about so many minutiae."""
    templates = [template for fingers in extracted(manifest).values() for _, template in fingers]
    near = [template for template in templates if abs(len(template) - minutiae) <= NEAR]
    return {"all prints": costs(templates), f"{minutiae} minutiae, {NEAR} more or fewer": costs(near)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time comparisons and templates on one core.")
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--minutiae", type=int, default=35)
    parser.add_argument("--prints", type=Path, help="a manifest: what its prints take, and nothing else")
    chosen = parser.parse_args()
    if chosen.prints:
        for name, found in of_manifest(chosen.prints, chosen.minutiae).items():
            print(name, _rounded(found))
    else:
        print(_rounded(measure(chosen.people, chosen.minutiae)))


def _rounded(found: dict[str, float]) -> str:
    return json.dumps({name: round(value, 3) for name, value in found.items()}, indent=1)


if __name__ == "__main__":
    main()
