"""How long a picture takes, on a machine that does nothing else.

    python -m benchmarks.timing
    python -m benchmarks.timing --prints ../fvc2000 --prints ../fvc2002 --ppi-of fvc2002/db2_b=569

Without real prints synthetic ones are timed: plain and rolled captures one after another on one core, ten
plain fingers at once on two, the same with NFIQ 2, and slaps. --prints: folders in the layout of the FVC
competitions; each set is then timed on one core too, and all prints of at most 60 kilopixels of foreground
together. Processor time and the clock should agree; where they do not, the machine was busy.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.datasets import read_fvc
from enrollment.capture import Capture, FailureToAcquire, FingerprintImage
from enrollment.network import MinutiaeNetwork
from enrollment.nfiq2 import Nfiq2Sandbox
from enrollment.pipeline import extract
from enrollment.slaps import cut
from enrollment.workers import ExtractionPool
from fixtures.kinds import Kind
from fixtures.named import print_of
from matcher.codes import FINGERS, FingerPosition, ImpressionType

#: Synthetic people: one whose ten fingers are timed, and those whose single fingers and slaps are.
TEN_OF: Final = 3
PEOPLE: Final = range(10, 18)
#: How often ten fingers are timed; the median counts.
REPEATS: Final = 5
CORES: Final = 2
#: A small print has at most this much foreground, in square pixels.
SMALL_PX2: Final = 60_000
SLAPS: Final = (
    FingerPosition.PLAIN_RIGHT_FOUR,
    FingerPosition.PLAIN_LEFT_FOUR,
    FingerPosition.PLAIN_THUMBS,
)


@dataclass(frozen=True, slots=True)
class Timed:
    """One picture: milliseconds of processor time and on the clock, and its foreground in square pixels."""

    processor_ms: float
    clock_ms: float
    area_px2: int = 0


def timed(work: Callable[[], Any]) -> tuple[Any, Timed]:
    """Do something once; what it gave, and how long it took this thread."""
    processor, clock = time.thread_time(), time.perf_counter()
    given = work()
    return given, Timed(1e3 * (time.thread_time() - processor), 1e3 * (time.perf_counter() - clock))


def single(images: Sequence[FingerprintImage], network: MinutiaeNetwork) -> list[Timed]:
    """Each picture's extraction, one after another on this core; the first is done once before."""
    return [_extraction(image, network) for image in (images[0], *images)][1:]


def _extraction(image: FingerprintImage, network: MinutiaeNetwork) -> Timed:
    seen: dict[str, Any] = {}
    capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image)
    _, took = timed(partial(extract, capture, network, seen.__setitem__))
    return replace(took, area_px2=int(seen["foreground"].sum()))


def ten_fingers(*, scored: bool) -> float:
    """Median seconds on the clock for ten plain fingers on two cores, with or without NFIQ 2."""
    captures = [Capture(at, ImpressionType.LIVE_PLAIN, print_of(TEN_OF, at, 1)) for at in FINGERS]
    with (
        Nfiq2Sandbox(workers=CORES) as sandbox,
        ExtractionPool(workers=CORES, nfiq2=sandbox if scored else None) as pool,
    ):
        pool.extract(captures)
        took = [timed(partial(pool.extract, captures)) for _ in range(REPEATS)]
    if any(isinstance(outcome, FailureToAcquire) for outcome in took[0][0]):
        raise RuntimeError("a synthetic finger gave no template")
    return float(np.median([each.clock_ms for _, each in took])) / 1e3


def told(name: str, times: Sequence[Timed]) -> str:
    """One line: how many, medians and the slowest."""
    processor, clock = ([getattr(each, field) for each in times] for field in ("processor_ms", "clock_ms"))
    slow = np.percentile(clock, 95)
    line = f"{name:34} N {len(times):3}: p50 {np.median(clock):4.0f} ms, p95 {slow:4.0f} ms"
    return f"{line} (processor p50 {np.median(processor):.0f} ms)"


def _synthetic(kind: Kind, positions: Sequence[FingerPosition]) -> list[FingerprintImage]:
    return [print_of(person, at, 1, kind=kind) for person in PEOPLE for at in positions]


def _real(folder: Path, ppi_of: Mapping[str, int]) -> Iterator[tuple[str, list[FingerprintImage]]]:
    """Name and pictures of each set; `ppi_of` by folder/set."""
    own = {Path(name).name: ppi for name, ppi in ppi_of.items() if Path(name).parent.name == folder.name}
    for name, pictures in groupby(read_fvc(folder, ppi_of=own), attrgetter("set_name")):
        yield f"{folder.name} {name}", [_grey(each.path, each.ppi or 500) for each in pictures]


def _grey(path: Path, ppi: int) -> FingerprintImage:
    return FingerprintImage(np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), dtype=np.uint8), ppi)


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description="How long a picture takes.")
    parser.add_argument("--prints", type=Path, action="append", default=[], metavar="FOLDER")
    parser.add_argument("--ppi-of", action="append", default=[], metavar="FOLDER/SET=PPI")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    network = MinutiaeNetwork.load(threads=1)
    ppi_of = {name: int(ppi) for name, ppi in (each.split("=") for each in given.ppi_of)}
    small: list[Timed] = []
    for name, images in chain.from_iterable(_real(folder, ppi_of) for folder in given.prints):
        times = single(images, network)
        small += [each for each in times if each.area_px2 <= SMALL_PX2]
        print(told(name, times), flush=True)
    if small:
        print(told("real, at most 60 kilopixels", small))
    index = (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_MIDDLE)
    for kind in (Kind.PLAIN, Kind.ROLLED):
        print(told(f"synthetic, {kind.value}", single(_synthetic(kind, index), network)), flush=True)
    slaps = [(at, print_of(person, at, 1, kind=Kind.SLAPS)) for person in PEOPLE for at in SLAPS]
    cuts = [timed(partial(cut, image, at))[1] for at, image in (slaps[0], *slaps)]
    print(told("synthetic, slap cut into fingers", cuts[1:]), flush=True)
    for scored in (False, True):
        what = "extraction and NFIQ 2" if scored else "extraction"
        seconds = ten_fingers(scored=scored)
        print(f"ten plain fingers on {CORES} cores, {what}: {seconds:.2f} s (p50 of {REPEATS})", flush=True)


if __name__ == "__main__":
    main()
