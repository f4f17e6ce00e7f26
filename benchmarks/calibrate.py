"""`python -m benchmarks.calibrate MANIFEST.csv OUT.json`: what raw scores mean, in false match rates.

Compares all pairs of different fingers within each set of the manifest (columns as for `tenprint benchmark
verification`), and as one set more all pairs of synthetic people, once with ridge fields and once without.
Every set weighs the same, whatever its size. Where the real comparisons end, the curve goes on in the shape
of a hundred million synthetic ones (`benchmarks.tail`, `--tail`). Before it writes, it says what the table of
all other sets would have claimed of each set. Only numbers leave: `matcher/calibration.json`; its card is
`matcher/calibration.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import read_manifest
from benchmarks.engines import Reader
from benchmarks.tail import survival
from enrollment.capture import Capture, FailureToAcquire
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from fixtures.templates import person
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.comparison import prepare, raw_many
from matcher.template import Template

#: A set's templates, each with the finger it shows.
Fingers: TypeAlias = Sequence[tuple[object, Template]]
Floats: TypeAlias = NDArray[np.float64]

#: The synthetic people: one finger each, all ten positions in turn.
SEED: Final = 20_260_002
PEOPLE: Final = 600
#: Distance of the table's knots, in scores.
STEP: Final = 2.0
#: Decades of the false match rate that must be measured for a table.
FEWEST_DECADES: Final = 2.5
#: Scores from which on the real curve and the tail are laid over each other.
STEADY: Final = 20.0
#: False match rates whose claims are checked.
CLAIMED: Final = (1e-2, 1e-3, 1e-4)
#: No two templates can reach this raw score.
LARGEST_RAW: Final = 400.0


def synthetic(people: int = PEOPLE) -> Fingers:
    """One plain capture of one finger of each of many synthetic people."""
    return [(n, person(SEED, n).capture(FINGERS[n % len(FINGERS)])) for n in range(people)]


def extracted(manifest: Path) -> Mapping[str, Fingers]:
    """The templates of a manifest's pictures, by set."""
    network = MinutiaeNetwork.load(threads=1)
    sets: dict[str, list[tuple[object, Template]]] = {}
    with Reader() as reader:
        for picture in read_manifest(manifest):
            image = reader.read(picture.path, picture.ppi)
            capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image)
            finger = extract(capture, network)
            if not isinstance(finger, FailureToAcquire):
                sets.setdefault(picture.set_name, []).append((picture.finger, finger.template))
    return sets


def non_mated_raws(fingers: Fingers, *, with_field: bool) -> Floats:
    """Raw scores of all pairs of different fingers: float64[pairs]."""
    whose = [finger for finger, _ in fingers]
    prints = [prepare(t if with_field else dataclasses.replace(t, field=None)) for _, t in fingers]
    raws = []
    for row, probe in enumerate(prints):
        others = [k for k in range(row + 1, len(prints)) if whose[k] != whose[row]]
        raws.append(raw_many(probe, [prints[k] for k in others]))
    return np.concatenate(raws)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """How rare synthetic non-mated comparisons of at least a raw score are: both float64[k], raws rising."""

    raws: Floats
    reached: Floats
    comparisons: int

    @property
    def measured_to(self) -> float:
        """The last score that these comparisons support: FMR = 3/n."""
        return -10.0 * math.log10(3.0 / self.comparisons)

    def raw_at(self, score: float) -> float:
        """The raw score that a share 10^(-score/10) of the comparisons reaches."""
        return float(np.interp(score, -10.0 * np.log10(self.reached), self.raws))


def fit(raws_of_sets: Sequence[Floats], tail: Tail | None = None) -> dict[str, Any]:
    """The table for the mean, over sets, of the share of non-mated raw scores at or above a raw score.

    Measured down to FMR = 3/n, n the comparisons' effective number (Kish), since weights differ. From there
    the tail goes on, its raw scores stretched as the last decades of both curves ask. Beyond everything
    measured, the power law of the last two decades continues: a heavier tail than the scores show.
    """
    weights = np.concatenate([np.full(len(raws), 1.0 / len(raws)) for raws in raws_of_sets])
    weights /= len(raws_of_sets)
    raws = np.concatenate(raws_of_sets)
    order = np.argsort(-raws, kind="stable")
    falling, reached = raws[order], np.cumsum(weights[order])
    effective = 1.0 / float(np.sum(weights**2))
    measured_to = -10.0 * math.log10(3.0 / effective)
    if measured_to < FEWEST_DECADES * 10.0:
        raise ValueError(f"{effective:.0f} effective comparisons are too few to calibrate")

    knots = [(0.0, 0.0)]
    for score in [*np.arange(STEP, measured_to, STEP), measured_to]:
        raw = _raw_at(falling, reached, 10.0 ** (-score / 10.0))
        if raw > knots[-1][0]:
            knots.append((raw, float(score)))
    real_to, stretch = measured_to, 1.0
    if tail is not None:
        stretch = float(np.mean([raw / tail.raw_at(score) for raw, score in knots if score >= STEADY]))
        measured_to = tail.measured_to
        beyond = [*np.arange(real_to + STEP, measured_to, STEP), measured_to]
        further = ((stretch * tail.raw_at(score), float(score)) for score in beyond)
        knots += [knot for knot in further if knot[0] > knots[-1][0]]
    last = knots[-1][0]
    table = np.array(knots)
    two_decades_before = float(np.interp(measured_to - 20.0, table[:, 1], table[:, 0]))
    steepness = 20.0 / math.log10(last / two_decades_before)
    knots += [
        (float(raw), measured_to + steepness * math.log10(raw / last))
        for raw in np.geomspace(last, LARGEST_RAW, 33)[1:]
    ]
    return {
        "raws": [round(raw, 4) for raw, _ in knots],
        "scores": [round(score, 3) for _, score in knots],
        "measured_to": round(measured_to, 2),
        "real_to": round(real_to, 2),
        "synthetic_comparisons": tail.comparisons if tail else 0,
        "stretch": round(stretch, 4),
        "comparisons": len(raws),
        "effective_comparisons": round(effective),
        "sets": len(raws_of_sets),
    }


def _raw_at(falling: Floats, reached: Floats, fmr: float) -> float:
    """The smallest raw score that at most a share `fmr` of the non-mated comparisons reaches."""
    row = int(np.searchsorted(reached, fmr, side="right"))
    return float(falling[min(row, len(falling) - 1)])


def calibrated(sets: Sequence[Fingers], tail: Tail | None = None) -> dict[str, Any]:
    """Both tables; the tail was made with ridge fields, so the table without goes without it."""
    return {
        name: fit(
            [non_mated_raws(fingers, with_field=fielded) for fingers in sets], tail if fielded else None
        )
        for name, fielded in (("with_field", True), ("without_field", False))
    }


def claims(raws_of_sets: Mapping[str, Floats]) -> Mapping[str, list[float]]:
    """What was observed over what was claimed, at `CLAIMED`, of each set by the table of all the others.

    "all sets" is the mean, over the sets left out in turn, of what was observed, over the claim.
    """
    found = {}
    for name, raws in raws_of_sets.items():
        table = fit([other for other_name, other in raws_of_sets.items() if other_name != name])
        scores = np.interp(raws, table["raws"], table["scores"])
        found[name] = [float(np.mean(scores >= -10.0 * math.log10(fmr))) / fmr for fmr in CLAIMED]
    found["all sets"] = np.mean(list(found.values()), axis=0).tolist()
    return found


def read_tail(path: Path) -> Tail:
    """What `benchmarks.tail` left."""
    kept = json.loads(path.read_text("utf-8"))
    raws, reached = survival(kept)
    return Tail(raws, reached, kept["comparisons"])


def main() -> None:
    """Read the arguments, calibrate, write."""
    parser = argparse.ArgumentParser(description="Fit the score's calibration on non-mated pairs.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tail", type=Path, help="what `python -m benchmarks.tail` wrote")
    chosen = parser.parse_args()
    sets = {**extracted(chosen.manifest), "synthetic": synthetic()}
    for name, ratios in claims({n: non_mated_raws(f, with_field=True) for n, f in sets.items()}).items():
        print(f"{name:16s}", *(f"{ratio:6.2f}" for ratio in ratios))
    tables = calibrated(list(sets.values()), read_tail(chosen.tail) if chosen.tail else None)
    chosen.out.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
