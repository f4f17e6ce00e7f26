"""`python -m benchmarks.tail OUT.json`: raw scores of a hundred million synthetic non-mated comparisons.

Real non-mated comparisons reach down to a false match rate of about 10⁻⁴; a national register needs 10⁻⁷.
Every finger of many synthetic people, one a person, is compared with every other; only counts by raw score
are kept. `benchmarks.calibrate` continues the real curve with the shape of this one. Some 50 minutes on two
cores; interrupted, the same command carries on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

import matcher
from enrollment.parameters import PEAK_THRESHOLD
from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.comparison import prepare, raw_many
from matcher.prepared import PackedTemplates, PreparedTemplate, pack

#: The population of the tail; no other part of the project uses this seed.
SEED: Final = 20_260_004
#: One finger each: 100.8 million pairs.
PEOPLE: Final = 14_200
#: Probes of one order of work.
BLOCK: Final = 50
#: Edges of the counts: 100 a factor of e, from 0.02 to 400.
EDGES: Final = np.exp(np.arange(-391, 600) / 100.0)


@cache
def _population(people: int) -> tuple[list[PreparedTemplate], PackedTemplates]:
    """Every person's finger, prepared, and all of them packed."""
    prints = [prepare(person(SEED, n).capture(FINGERS[n % len(FINGERS)])) for n in range(people)]
    return prints, pack(prints)


def counts_of(block: int, people: int) -> NDArray[np.int64]:
    """Raw scores of a block's probes against everybody after them, by `EDGES`: int64[len(EDGES) + 1]."""
    prints, packed = _population(people)
    counts = np.zeros(len(EDGES) + 1, np.int64)
    for probe in range(block * BLOCK, min((block + 1) * BLOCK, people)):
        raws = raw_many(prints[probe], packed.after(probe + 1))
        counts += np.bincount(np.searchsorted(EDGES, raws, side="right"), minlength=len(counts))
    return counts


def gather(out: Path, people: int, processes: int) -> dict[str, Any]:
    """Work through all blocks; what is done is kept in `out` after each, and not done again."""
    kept = _begun(out, people)
    missing = [block for block in range(-(-people // BLOCK)) if block not in kept["blocks"]]
    for block, counts in zip(missing, _work(missing, people, processes), strict=True):
        kept["blocks"].append(block)
        kept["counts"] = (np.array(kept["counts"]) + counts).tolist()
        kept["comparisons"] = int(sum(kept["counts"]))
        partial = out.with_name(out.name + ".partial")
        partial.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        partial.replace(out)
    return kept


def _begun(out: Path, people: int) -> dict[str, Any]:
    """What an earlier run of the same matcher left, or nothing."""
    wanted = {"people": people, "made_by": fingerprint()}
    if out.is_file():
        kept: dict[str, Any] = json.loads(out.read_text("utf-8"))
        if all(kept.get(name) == value for name, value in wanted.items()):
            return kept
    return {**wanted, "comparisons": 0, "blocks": [], "counts": [0] * (len(EDGES) + 1)}


def _work(blocks: list[int], people: int, processes: int) -> Iterator[NDArray[np.int64]]:
    if processes <= 1 or not blocks:
        for block in track(blocks, "comparing"):
            yield counts_of(block, people)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        done = pool.map(counts_of, blocks, [people] * len(blocks))
        yield from track(done, "comparing", total=len(blocks))


def fingerprint() -> str:
    """A digest of all that these scores depend on: counts of another matcher or population do not mix in."""
    digest = hashlib.sha256(str(PEAK_THRESHOLD).encode())
    folder = Path(matcher.__path__[0])
    kernels = (
        "alignment",
        "comparison",
        "descriptors",
        "distortion",
        "evidence",
        "hulls",
        "kernels_cylinder",
        "measures",
        "pairing",
        "prepared",
        "ridge_fields",
    )
    names = ["descriptor.npz", "trust.json", "parameters.py", *(f"{name}.py" for name in kernels)]
    kept = sorted(path for name in names for path in folder.glob(name))
    for path in [*kept, *sorted(folder.parent.glob("fixtures/template*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def survival(tail: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Raw scores float64[k], rising, and the share of comparisons at or above each."""
    counts = np.array(tail["counts"], np.float64)
    reached = np.cumsum(counts[::-1])[::-1][1:] / counts.sum()
    seen = reached > 0.0
    return EDGES[seen], reached[seen]


def main() -> None:
    """Read the arguments, compare, write."""
    parser = argparse.ArgumentParser(description="Raw scores of very many synthetic non-mated comparisons.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args()
    kept = gather(chosen.out, chosen.people, chosen.processes)
    print(f"{kept['comparisons']} comparisons")


if __name__ == "__main__":
    main()
