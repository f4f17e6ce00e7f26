"""`python -m benchmarks.harder_prints MANIFEST.csv`: what worse captures cost, and fainter minutiae give.

Every print of a manifest (columns as for `tenprint benchmark verification`) is made harder in each way of
`benchmarks.harder` and compared with all prints of its set as they are, or with `--both` made harder, too
(each print in a way of its own: two bent ones are bent differently). `--peaks` tells from which
probabilities on a minutia is kept; one after the other, so that they can be compared in one run. Printed: the
mean of the sets' equal error rates, and FNMR at one threshold for all sets, each weighing the same, with the
95 % interval over fingers. Ten minutes for a thousand prints.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.calibrate import Fingers, extracted
from benchmarks.harder import WAYS, Harder, partial, strongly_bent
from benchmarks.metrics import equal_error_rate, pooled_fnmr_at
from enrollment.parameters import PEAK_THRESHOLD
from matcher.comparison import prepare, raw_many
from matcher.prepared import pack
from matcher.template import Template

#: Seed of what is missed, invented, bent and cut.
SEED: Final = 20_260_041
#: False match rates of the one threshold.
RATES: Final = (1e-3, 1e-4)
#: Times that fingers are drawn for an interval.
ROUNDS: Final = 1_000


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One set, raw scores: mated float64[m] with the finger of each, intp[m]; non-mated float64[k]."""

    mated: NDArray[np.float64]
    finger: NDArray[np.intp]
    non_mated: NDArray[np.float64]


def kept_from(template: Template, probability: float) -> Template:
    """The template without minutiae fainter than a probability, 0-1."""
    sure = template.quality >= round(100.0 * probability)
    columns = ("x", "y", "angle", "kind", "quality")
    return dataclasses.replace(template, **{name: getattr(template, name)[sure] for name in columns})


def compared(fingers: Fingers, harder: Harder, probability: float, *, both: bool = False) -> Compared:
    """Every print made harder against every other of the set, as it is or harder too; without faint minutiae.

    What is missed, invented, bent and cut is drawn before: it is the same for every probability.
    """
    rng = np.random.default_rng(SEED)
    _, whose = np.unique([str(finger) for finger, _ in fingers], return_inverse=True)
    probes = [prepare(kept_from(harder(template, rng), probability)) for _, template in fingers]
    others = probes if both else [prepare(kept_from(template, probability)) for _, template in fingers]
    references = pack(others)
    return sorted_out(np.stack([raw_many(probe, references) for probe in probes]), whose)


def sorted_out(raws: NDArray[np.float64], whose: NDArray[np.intp]) -> Compared:
    """Raw scores float64[n, n] of prints of the fingers `whose`, intp[n]; no print meets itself."""
    same = whose[:, None] == whose[None, :]
    mated = same & ~np.eye(len(whose), dtype=np.bool_)
    return Compared(raws[mated], whose[np.nonzero(mated)[0]], raws[~same])


def interval(sets: Sequence[Compared], threshold: float) -> tuple[float, float]:
    """95 % interval of the sets' mean FNMR at a threshold, by drawing each set's fingers again."""
    rng = np.random.default_rng(SEED)
    means = np.zeros(ROUNDS)
    for each in sets:
        count = int(each.finger.max()) + 1
        missed = np.bincount(each.finger[each.mated < threshold], minlength=count)
        tried = np.bincount(each.finger, minlength=count)
        drawn = rng.integers(0, count, (ROUNDS, count))
        means += missed[drawn].sum(axis=1) / tried[drawn].sum(axis=1) / len(sets)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def lines(sets: Mapping[str, Fingers], peaks: Sequence[float], *, both: bool = False) -> Iterator[str]:
    """A line for each way and probability."""
    for harder in (*WAYS, partial, strongly_bent):
        for probability in peaks:
            found = [
                compared(fingers, harder, probability, both=both)
                for fingers in track(sets.values(), f"{harder.__name__}, {probability}", transient=True)
            ]
            yield f"{harder.__name__:13} from {probability:.2f}  {errors(found)}"


def errors(sets: Sequence[Compared]) -> str:
    """Mean of the sets' equal error rates, and FNMR at one threshold with its interval, to be printed."""
    eer = np.mean([equal_error_rate(each.mated, each.non_mated) for each in sets])
    text = f"EER {eer:6.3%}"
    for rate in RATES:
        at = pooled_fnmr_at([(each.mated, each.non_mated) for each in sets], rate)
        low, high = interval(sets, at.threshold)
        text += f"  FNMR at {rate:.0e} {at.fnmr:6.2%} ({low:.2%}-{high:.2%})"
    return text


def main() -> None:
    """Read the arguments, extract, compare, print."""
    parser = argparse.ArgumentParser(description="What worse captures cost, and fainter minutiae give.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument(
        "--peaks",
        type=float,
        nargs="+",
        default=[PEAK_THRESHOLD],
        help=f"probabilities from which minutiae are kept, from {PEAK_THRESHOLD} on (default: that)",
    )
    parser.add_argument("--both", action="store_true", help="make both prints of a comparison harder")
    chosen = parser.parse_args()
    if min(chosen.peaks) < PEAK_THRESHOLD:
        parser.error(
            f"minutiae below {PEAK_THRESHOLD} are not extracted; lower `PEAK_THRESHOLD` to look further"
        )
    sets = extracted(chosen.manifest)
    prints = {name: len(fingers) for name, fingers in sets.items()}
    print(f"{sum(prints.values())} prints of {len(sets)} sets: {prints}")
    for line in lines(sets, chosen.peaks, both=chosen.both):
        print(line, flush=True)


if __name__ == "__main__":
    main()
