"""Whether our NFIQ 2 is the reference implementation's, and what it costs beside extraction.

    python -m benchmarks.nfiq2 --scores ../quality/nfiq2-v2.3-fvc2002.csv --prints ../fvc2002

--scores: CSV with `file` (…/DB1_B/101_1.tif) and `nfiq2_score`, made by NIST's own program; --prints: the
folder with those files, folder names in lower case. Every row is scored in the sandbox and compared. Then ten
synthetic fingers are extracted, without and with the score, on as many workers as asked for.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import cv2
import numpy as np

from enrollment.capture import Capture, Finger, FingerprintImage
from enrollment.nfiq2 import Nfiq2Sandbox
from enrollment.workers import ExtractionPool
from fixtures.named import print_of
from matcher.codes import FINGERS, ImpressionType

#: A synthetic person whose ten fingers are timed, and how often: the median counts.
_PERSON, _REPEATS = 3, 5


def compare(scores: Path, prints: Path, every: int) -> tuple[int, list[str]]:
    """How many rows were scored, and what differs."""
    with scores.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))[::every]
    wrong = []
    with Nfiq2Sandbox(workers=1) as sandbox:
        for row in rows:
            folder, name = row["file"].split("/")[-2:]
            pixels = cv2.imread(str(prints / folder.lower() / name), cv2.IMREAD_GRAYSCALE)
            # The reference saw every file as one of 500 ppi, whatever its scanner had.
            measure = sandbox.score(FingerprintImage(np.asarray(pixels, dtype=np.uint8), 500))
            expected = row["nfiq2_score"]  # or why the reference gave none
            if measure.value != (int(expected) if expected.isdecimal() else None):
                said = measure.failure if measure.value is None else measure.value
                wrong.append(f"{row['file']}: {said}, reference {expected}")
    return len(rows), wrong


def ten_fingers(workers: int, *, scored: bool) -> float:
    """Median seconds on the clock for ten plain fingers, with or without NFIQ 2."""
    captures = [
        Capture(finger, ImpressionType.LIVE_PLAIN, print_of(_PERSON, finger, 1)) for finger in FINGERS
    ]
    with (
        Nfiq2Sandbox(workers=workers) as sandbox,
        ExtractionPool(workers=workers, nfiq2=sandbox if scored else None) as pool,
    ):
        pool.extract(captures)
        times = []
        for _ in range(_REPEATS):
            began = time.perf_counter()
            outcomes = pool.extract(captures)
            times.append(time.perf_counter() - began)
    if not all(isinstance(outcome, Finger) for outcome in outcomes):
        raise RuntimeError("a synthetic finger gave no template")
    return float(np.median(times))


def main() -> None:
    """Print what differs, and times."""
    parser = argparse.ArgumentParser(description="NFIQ 2 against the reference, and its cost.")
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--prints", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    if given.scores and given.prints:
        asked, wrong = compare(given.scores, given.prints, given.every)
        print(f"equal to the reference: {asked - len(wrong)} of {asked}")
        for line in wrong:
            print(f"differs: {line}")
    for scored in (False, True):
        wall = ten_fingers(given.workers, scored=scored)
        name = "extraction and NFIQ 2" if scored else "extraction"
        print(f"ten fingers, {given.workers} workers, {name}: {wall:.2f} s (p50 of {_REPEATS})")


if __name__ == "__main__":
    main()
