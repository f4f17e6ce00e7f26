"""`python -m benchmarks.harder_pictures MANIFEST.csv`: what worse pictures cost, refusals included.

Every picture of a manifest (columns as for `tenprint benchmark verification`) is made worse in each way of
`benchmarks.worse_pictures`, goes through the whole extraction, and is compared with all pictures of its set
as they are, or with `--both` made worse, too (each by accidents of its own). A picture that is refused scores
0 in all its comparisons: refused is missed. Printed for each way: pictures refused, the mean of the sets'
equal error rates, and FNMR at one threshold for all sets, each weighing the same, with the 95 % interval over
fingers. Two minutes a way for a thousand pictures on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from rich.progress import track

from benchmarks.datasets import Picture, read_manifest
from benchmarks.engines import Reader
from benchmarks.harder_prints import Compared, errors, sorted_out
from benchmarks.worse_pictures import WAYS, Worse, unchanged
from enrollment.capture import Capture, Finger, FingerprintImage
from enrollment.image import normalise
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType
from matcher.comparison import prepare, raw_many
from matcher.prepared import PreparedTemplate, pack

#: Seed of what befalls the pictures.
SEED: Final = 20_260_043


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture at 500 ppi, and the finger it shows."""

    finger: object
    image: FingerprintImage


def read(pictures: Sequence[Picture]) -> Mapping[str, list[Shown]]:
    """The pictures by set, at 500 ppi."""
    sets: dict[str, list[Shown]] = {}
    with Reader() as reader:
        for each in track(pictures, "reading", transient=True):
            image = normalise(reader.read(each.path, each.ppi))
            sets.setdefault(each.set_name, []).append(Shown(each.finger, image))
    return sets


def prints_of(
    shown: Sequence[Shown], worse: Worse, network: MinutiaeNetwork, rng: np.random.Generator
) -> list[PreparedTemplate | None]:
    """What the extraction makes of the pictures made worse: None for what it refuses."""
    made: list[PreparedTemplate | None] = []
    for each in shown:
        image = replace(each.image, pixels=np.ascontiguousarray(worse(each.image.pixels, rng)))
        outcome = extract(Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image), network)
        made.append(prepare(outcome.template) if isinstance(outcome, Finger) else None)
    return made


def compared(
    shown: Sequence[Shown],
    probes: Sequence[PreparedTemplate | None],
    references: Sequence[PreparedTemplate | None],
) -> Compared:
    """Every probe against every reference of another picture; what was refused scores 0."""
    _, whose = np.unique([str(each.finger) for each in shown], return_inverse=True)
    there = np.array([reference is not None for reference in references])
    packed = pack([reference for reference in references if reference is not None])
    raws = np.zeros((len(probes), len(references)))
    for row, probe in enumerate(probes):
        if probe is not None:
            raws[row, there] = raw_many(probe, packed)
    return sorted_out(raws, whose)


def main() -> None:
    """Read the arguments and the pictures, make them worse, print."""
    parser = argparse.ArgumentParser(description="What worse pictures cost, refusals included.")
    parser.add_argument("manifest", type=Path)
    names = [way.__name__ for way in WAYS]
    parser.add_argument("--ways", nargs="+", choices=names, default=names, help="which ways (default: all)")
    parser.add_argument("--both", action="store_true", help="make both pictures of a comparison worse")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    network = MinutiaeNetwork.load()
    sets = read(read_manifest(chosen.manifest))
    as_they_are = {
        name: prints_of(shown, unchanged, network, np.random.default_rng(SEED))
        for name, shown in track(sets.items(), "as they are", transient=True)
    }
    print(f"{sum(map(len, sets.values()))} pictures of {len(sets)} sets")
    for way in WAYS:
        if way.__name__ not in chosen.ways:
            continue
        found, refused = [], 0
        for name, shown in track(sets.items(), way.__name__, transient=True):
            probes = as_they_are[name]
            if way is not unchanged:
                probes = prints_of(shown, way, network, np.random.default_rng(SEED))
            found.append(compared(shown, probes, probes if chosen.both else as_they_are[name]))
            refused += probes.count(None)
        print(f"{way.__name__:10} refused {refused:4}  {errors(found)}", flush=True)


if __name__ == "__main__":
    main()
