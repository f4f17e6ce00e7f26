"""How often each defect is seen, how often one is seen that is not there, and what is taken for a finger.

    python -m benchmarks.defects --fingers 60 --impostors 40 --real ../prints

Captures with one thing wrong each (`benchmarks.defect_captures`), careful captures with nothing wrong, and
pictures that show no finger (`benchmarks.impostors`), each through the whole extraction. A capture that is
refused for what is wrong with it counts as seen. --real: folders of real prints at 500 ppi, of which it is
told how often each defect is seen; what is true of them nobody knows.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.defect_captures import JUDGED_SEED, cases
from benchmarks.impostors import impostors
from benchmarks.slaps import wilson
from enrollment.capture import Capture, Defect, FailureToAcquire, Finger, FingerprintImage, Reason
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType

#: What else a defect may be called by a refusal: a print twice too large is no single finger's.
_REFUSED = {
    Defect.TOO_SMALL: {Reason.TOO_SMALL},
    Defect.WRONG_RESOLUTION: {Reason.TOO_SMALL, Reason.NO_FINGERTIP, Reason.NO_FINGERPRINT},
    Defect.SEVERAL_FINGERS: {Reason.NO_FINGERTIP},
    Defect.LOW_CONTRAST: {Reason.NO_FINGERPRINT, Reason.TOO_FEW_MINUTIAE, Reason.TOO_SMALL},
    Defect.TOO_DRY: {Reason.TOO_FEW_MINUTIAE},
    Defect.TOO_WET: {Reason.TOO_FEW_MINUTIAE},
    Defect.SMEARED: {Reason.TOO_FEW_MINUTIAE},
}
#: Quality, not an accident: few minutiae can be read on some clean fingers, and that is true.
_TOLD = tuple(defect for defect in Defect if defect is not Defect.FEW_MINUTIAE)


def outcome_of(pixels: NDArray[np.uint8], network: MinutiaeNetwork) -> Finger | FailureToAcquire:
    """What becomes of a picture at what is taken for 500 ppi."""
    image = FingerprintImage(pixels, 500)
    return extract(Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, image), network)


def recognised(defect: Defect, outcome: Finger | FailureToAcquire) -> bool:
    """Whether the answer says what is wrong."""
    if isinstance(outcome, FailureToAcquire):
        return outcome.reason in _REFUSED.get(defect, set())
    return defect in outcome.quality.defects


def alarms(outcome: Finger | FailureToAcquire) -> tuple[str, ...]:
    """Everything that is said to be wrong."""
    if isinstance(outcome, FailureToAcquire):
        return (f"refused: {outcome.reason.value}",)
    return tuple(defect.value for defect in outcome.quality.defects if defect in _TOLD)


def judge_captures(fingers: int, network: MinutiaeNetwork, seed: int) -> None:
    """Print recognition of each defect, and false alarms on clean captures by code and altogether."""
    seen: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    false: Counter[str] = Counter()
    for case in cases(fingers, seed):
        outcome = outcome_of(case.pixels, network)
        if case.defect is None:
            seen["any false alarm", case.bright].append(bool(alarms(outcome)))
            false.update(alarms(outcome))
        else:
            seen[case.name, case.bright].append(recognised(case.defect, outcome))
    print("recognised")
    for defect in _TOLD:
        _line(defect.value, seen[defect.value, True] + seen[defect.value, False])
        _line("  on the bright scanner", seen[defect.value, True])
    print("clean captures")
    clean = seen["any false alarm", True] + seen["any false alarm", False]
    _line("any false alarm", clean)
    _line("  on the bright scanner", seen["any false alarm", True])
    _counts(false, len(clean))


def judge_impostors(count: int, network: MinutiaeNetwork, seed: int) -> None:
    """Print how many pictures of something else became a template."""
    made: dict[str, list[bool]] = defaultdict(list)
    for kind, pixels in impostors(count, seed):
        made[kind].append(isinstance(outcome_of(pixels, network), Finger))
    print("became a template, and shows no finger")
    for kind, templates in made.items():
        _line(kind, templates)


def judge_real(folder: Path, network: MinutiaeNetwork, every: int) -> None:
    """Print how often each defect is seen in real prints."""
    told: Counter[str] = Counter()
    files = sorted(path for path in folder.iterdir() if path.suffix in {".tif", ".png", ".bmp"})[::every]
    for path in files:
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        told.update(alarms(outcome_of(np.asarray(pixels, dtype=np.uint8), network)))
    print(f"{folder.parent.name}/{folder.name}")
    _counts(told, len(files))


def _counts(told: Mapping[str, int], of: int) -> None:
    for name, count in sorted(told.items(), key=lambda entry: -entry[1]):
        _line(name, [True] * count + [False] * (of - count))


def _line(name: str, answers: Iterable[bool]) -> None:
    given = list(answers)
    if given:
        low, high = wilson(sum(given), len(given))
        count = f"{sum(given):5} of {len(given):5}"
        print(f"  {name:32} {count}  {np.mean(given):7.2%}  ({max(low, 0.0):.2%} to {high:.2%})")


def main() -> None:
    """Print shares with their 95 % intervals."""
    parser = argparse.ArgumentParser(description="Defects of captures, and pictures that show no finger.")
    parser.add_argument("--fingers", type=int, default=60)
    parser.add_argument("--impostors", type=int, default=40)
    parser.add_argument("--seed", type=int, default=JUDGED_SEED)
    parser.add_argument("--real", type=Path, nargs="*", default=[])
    parser.add_argument("--every", type=int, default=1, help="of the real prints, look at every N-th")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    network = MinutiaeNetwork.load()
    if given.fingers:
        judge_captures(given.fingers, network, given.seed)
    if given.impostors:
        judge_impostors(given.impostors, network, given.seed)
    for folder in given.real:
        judge_real(folder, network, given.every)


if __name__ == "__main__":
    main()
