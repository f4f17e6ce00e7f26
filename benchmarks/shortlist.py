"""`python -m benchmarks.shortlist MANIFEST.csv`: how far down the shortlist mates stand.

Strangers are right index fingers of synthetic people. Mates are pairs of captures that exact comparison
accepts: of synthetic people as they are and made harder in turn (`benchmarks.harder`), and, with a manifest
(columns as for `tenprint benchmark verification`), all pairs of a finger's real prints. Of each kind is
printed what share of the mates has more than a share t of the strangers before it, by the sketch of the whole
print alone, and with those of its halves; of synthetic mates also for two fingers of a person. Some minutes
on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.calibrate import extracted
from benchmarks.harder import WAYS, Harder, unchanged
from benchmarks.strangers import people_of
from fixtures.templates import tenprints
from matcher.codes import FINGERS, FingerPosition
from matcher.comparison import prepare, score_of
from matcher.kernels_sketch import scan_sketches
from matcher.prepared import PreparedTemplate
from matcher.references import PreparedFinger
from matcher.scoring import Score
from matcher.shortlist import looks_of
from matcher.sketches import SKETCH_SIZE, Look, Sketch, sketch_of

#: People whose captures are sought; no other part of the project uses this seed.
SEED: Final = 20_260_045
#: Pairs of synthetic captures of each kind, and strangers.
MATES: Final = 2_000
STRANGERS: Final = 20_000
#: From this score on exact comparison accepts a mate.
ACCEPTED: Final = Score(40.0)
#: Shares of the strangers that may be compared exactly.
SHARES: Final = (0.001, 0.002, 0.005, 0.012, 0.03, 0.1)
_BATCH: Final = 500

#: Likeness of each stranger to a look, int64[n].
Likeness: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Mate:
    """A pair of captures of one finger that exact comparison accepts."""

    look: Look
    reference: Sketch


def look_of(prepared: PreparedTemplate) -> Look:
    """What a search for this finger alone looks for."""
    finger = PreparedFinger(prepared, sketch_of(prepared))
    return looks_of({FingerPosition.UNKNOWN: finger})[FingerPosition.UNKNOWN]


def likeness(look: Look, sketches: NDArray[np.int8]) -> Likeness:
    """What the scan finds of each sketch, int8[n, SKETCH_SIZE]."""
    found = np.full(len(sketches), np.iinfo(np.int32).min, np.int32)
    scan_sketches(
        look, sketches, np.arange(len(sketches), dtype=np.int32), np.ones(len(sketches), bool), found
    )
    return found.astype(np.int64)


def strangers(count: int) -> NDArray[np.int8]:
    """Sketches of right index fingers of people who are not sought: int8[count, SKETCH_SIZE]."""
    made = []
    for first in track(range(0, count, _BATCH), "strangers", transient=True):
        for _, tenprint in people_of(first, min(_BATCH, count - first), [FingerPosition.RIGHT_INDEX], 1):
            made.append(sketch_of(prepare(tenprint[FingerPosition.RIGHT_INDEX])))
    return np.stack(made)


def synthetic(count: int, ways: Sequence[Harder]) -> Iterator[tuple[PreparedTemplate, PreparedTemplate]]:
    """Two captures of one finger each of so many people, the second made harder in turn."""
    rng = np.random.default_rng(SEED)
    for first in range(0, count, _BATCH):
        position = FINGERS[first // _BATCH % len(FINGERS)]
        some = min(_BATCH, count - first)
        made = tenprints(SEED, first, some, (position,), (1, 2))
        for n in range(some):
            harder = ways[n % len(ways)](made.template(2 * n + 1), rng)
            yield prepare(harder), prepare(made.template(2 * n))


def real(manifest: Path) -> Iterator[tuple[PreparedTemplate, PreparedTemplate]]:
    """All pairs of a finger's prints, either as the probe."""
    for fingers in extracted(manifest).values():
        prints: dict[object, list[PreparedTemplate]] = {}
        for finger, template in fingers:
            prints.setdefault(finger, []).append(prepare(template))
        for own in prints.values():
            yield from permutations(own, 2)


def accepted(pairs: Iterator[tuple[PreparedTemplate, PreparedTemplate]]) -> list[Mate]:
    """The pairs, probe first, that exact comparison accepts."""
    return [
        Mate(look_of(probe), sketch_of(reference))
        for probe, reference in pairs
        if score_of(probe, reference) >= ACCEPTED
    ]


def before(mates: Sequence[Mate], others: NDArray[np.int8], rows: int) -> NDArray[np.float64]:
    """Share of the strangers that stand before each mate, float64[n], by so many rows of a look."""
    shares = []
    for mate in mates:
        look = mate.look[:rows]
        own = likeness(look, mate.reference[None])[0]
        shares.append(float(np.mean(likeness(look, others) > own)))
    return np.array(shares)


def before_two(mates: Sequence[Mate], others: NDArray[np.int8], rows: int) -> NDArray[np.float64]:
    """The same of persons with two fingers, each two mates and each two strangers in turn one person's."""
    shares = []
    firsts, seconds = others[: len(others) // 2 * 2].reshape(-1, 2, SKETCH_SIZE).swapaxes(0, 1)
    for one, other in zip(mates[::2], mates[1::2], strict=False):
        looks = one.look[:rows], other.look[:rows]
        pairs = zip(looks, (one.reference, other.reference), strict=True)
        own = sum(int(likeness(look, reference[None])[0]) for look, reference in pairs)
        theirs = likeness(looks[0], firsts) + likeness(looks[1], seconds)
        shares.append(float(np.mean(theirs > own)))
    return np.array(shares)


def line(name: str, shares: NDArray[np.float64]) -> str:
    """What share of the mates has more than each share of the strangers before it, in per cent."""
    lost = "  ".join(f"{100 * float(np.mean(shares > share)):5.2f}" for share in SHARES)
    return f"{name:48} {len(shares):6}  {lost}"


def main() -> None:
    """Make the prints, rank, print."""
    parser = argparse.ArgumentParser(description="How far down the shortlist mates stand.")
    parser.add_argument(
        "manifest", type=Path, nargs="?", help="real prints (default: synthetic people alone)"
    )
    parser.add_argument("--mates", type=int, default=MATES)
    parser.add_argument("--strangers", type=int, default=STRANGERS)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    others = strangers(chosen.strangers)
    print(
        f"{'mates (%) behind a share of the strangers':48}      n  " + "  ".join(f"{t:5.1%}" for t in SHARES)
    )
    kinds = {
        "synthetic": accepted(synthetic(chosen.mates, (unchanged,))),
        "synthetic, made harder": accepted(synthetic(chosen.mates, WAYS)),
    }
    if chosen.manifest:
        kinds["real"] = accepted(real(chosen.manifest))
    for name, mates in kinds.items():
        for rows, how in ((1, "whole"), (None, "whole and halves")):
            looked = rows or len(mates[0].look)
            print(line(f"{name}: {how}", before(mates, others, looked)), flush=True)
            if name != "real":
                print(line(f"{name}, two fingers: {how}", before_two(mates, others, looked)), flush=True)


if __name__ == "__main__":
    main()
