"""`python -m benchmarks.across MANIFEST.csv TAIL.json`: real non-mated scores beside synthetic ones.

Prints of the manifest's sets (columns as for `tenprint benchmark verification`) are compared across sets,
save where two sets are named as showing the same fingers; `benchmarks.tail` gives the synthetic counts.
Printed: raw scores where real pairs have a false match rate, the synthetic rate there, and how often real
pairs reach the score that claims it: these pairs are none of those that the calibration was fitted to.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Mapping
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibrate import Fingers, extracted
from benchmarks.tail import survival
from matcher.comparison import prepare, raw_many
from matcher.prepared import pack
from matcher.scoring import calibrate_many, score_of_fmr

#: False match rates that are looked at.
RATES: Final = (1e-1, 1e-2, 1e-3, 1e-4)


def across(sets: Mapping[str, Fingers], same: Collection[frozenset[str]]) -> NDArray[np.float64]:
    """Raw scores of all prints of each set with all of each other, without those of `same` pairs of sets."""
    prints = {name: [prepare(template) for _, template in own] for name, own in sets.items()}
    packed = {name: pack(own) for name, own in prints.items()}
    pairs = [pair for pair in combinations(prints, 2) if frozenset(pair) not in same]
    return np.concatenate([raw_many(probe, packed[other]) for one, other in pairs for probe in prints[one]])


def main() -> None:
    """Read the arguments, compare, print."""
    parser = argparse.ArgumentParser(description="Real non-mated scores across sets beside synthetic ones.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("tail", type=Path, help="what `benchmarks.tail` wrote")
    parser.add_argument("--same", nargs=2, action="append", default=[], help="two sets of the same fingers")
    chosen = parser.parse_args()
    real = np.sort(across(extracted(chosen.manifest), [frozenset(pair) for pair in chosen.same]))
    raws, reached = survival(json.loads(chosen.tail.read_text("utf-8")))
    print(f"{len(real)} real comparisons, mean {real.mean():.3f}, share of 0 {(real == 0.0).mean():.3f}")
    scores = calibrate_many(real, with_field=np.ones(len(real), np.bool_))
    for rate in RATES:
        raw = float(real[-max(1, round(rate * len(real)))])
        synthetic = float(np.interp(raw, raws, reached))
        claimed = np.mean(scores >= score_of_fmr(rate)) / rate
        print(
            f"FMR {rate:.0e}: raw {raw:.2f}, synthetic FMR {synthetic:.2e}, {synthetic / rate:.2f} of it;"
            f" the score that claims it is reached {claimed:.2f} times as often"
        )


if __name__ == "__main__":
    main()
