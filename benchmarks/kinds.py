"""`python -m benchmarks.kinds MANIFEST.csv`: how often paired minutiae are read as one kind.

All pairs of prints within each set of the manifest (columns as for `tenprint benchmark verification`):
mated ones that score 30 and more, non-mated ones that found an alignment worth something. Printed: the share
of paired minutiae of one kind by the smaller of both probabilities, mean over the sets: what the `KIND_READ`
of `matcher/parameters.py` rest on. Three minutes for a thousand prints, most of it extraction.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibrate import Fingers, extracted
from matcher.comparison import compare, prepare

#: Score from which a mated comparison's pairs are believed, raw score from which a non-mated one's count.
BELIEVED: Final = 30.0
SOMETHING: Final = 0.5
#: Probabilities, in percent, between which minutiae are counted together.
EDGES: Final = (0, 30, 50, 70, 85, 101)


def read_alike(fingers: Fingers, *, mated: bool) -> NDArray[np.int64]:
    """Paired minutiae of one kind, and all, by the smaller probability: int64[2, len(EDGES) - 1]."""
    counts = np.zeros((2, len(EDGES) - 1), np.int64)
    prints = [(finger, template, prepare(template)) for finger, template in fingers]
    for (one, probe, first), (two, reference, second) in combinations(prints, 2):
        if (one == two) != mated:
            continue
        found = compare(first, second)
        if found.score < BELIEVED if mated else found.raw < SOMETHING:
            continue
        own, other = found.pairs.T
        surely = np.minimum(probe.quality[own], reference.quality[other])
        alike = probe.kind[own] == reference.kind[other]
        counts += [np.histogram(surely[alike], EDGES)[0], np.histogram(surely, EDGES)[0]]
    return counts


def lines(sets: Mapping[str, Fingers]) -> Iterator[str]:
    """A line for mated and one for non-mated comparisons."""
    for mated in (True, False):
        counts = np.stack([read_alike(fingers, mated=mated) for fingers in sets.values()])
        shares = (counts[:, 0] / np.maximum(counts[:, 1], 1)).mean(axis=0)
        told = ", ".join(
            f"{low}-{high - 1} %: {share:.1%}"
            for low, high, share in zip(EDGES[:-1], EDGES[1:], shares, strict=True)
        )
        yield f"{'mated' if mated else 'non-mated'}, {counts[:, 1].sum()} pairs of minutiae; {told}"


def main() -> None:
    """Read the arguments, extract, count, print."""
    parser = argparse.ArgumentParser(description="How often paired minutiae are read alike.")
    parser.add_argument("manifest", type=Path)
    for line in lines(extracted(parser.parse_args().manifest)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
