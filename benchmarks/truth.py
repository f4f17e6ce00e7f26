"""How many true minutiae our extractor finds on clean ridge patterns, and how many of those found are true.

    python -m benchmarks.truth --fingers 40

This checks the truth as much as the extractor: both stand on their own, and they meet.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enrollment.capture import Capture, Finger, FingerprintImage
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from fixtures.capture import capture
from fixtures.finger import MasterFinger, master_finger
from fixtures.truth import TrueMinutiae, clean_pattern
from matcher.codes import FINGERS, ImpressionType
from matcher.template import Template

#: A found minutia is the true one when it lies and points this near: the tolerances of the issue.
_NEAR_PX, _NEAR_RAD = 10.0, 0.35
#: Within this distance of the picture's edge a network sees too little of a ridge to tell how it goes on.
_MARGIN_PX = 20.0
#: Standard deviations of a 95 % interval.
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts: true minutiae, those of them found; found minutiae, those of them true."""

    true: int
    recalled: int
    found: int
    confirmed: int

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.true + other.true,
            self.recalled + other.recalled,
            self.found + other.found,
            self.confirmed + other.confirmed,
        )

    @property
    def recall(self) -> float:
        """Share of the true minutiae that are found."""
        return self.recalled / max(self.true, 1)

    @property
    def precision(self) -> float:
        """Share of the found minutiae that are true."""
        return self.confirmed / max(self.found, 1)


def clean_picture(master: MasterFinger) -> FingerprintImage:
    """A master's clean ridges as grey: no skin, no glass."""
    grey = np.clip(np.round(127.5 * (1.0 - clean_pattern(master.ridges))), 0, 255)
    return FingerprintImage(grey.astype(np.uint8), 500)


def on_clean_pattern(master: MasterFinger, network: MinutiaeNetwork) -> Agreement:
    """Truth and extractor on one finger's clean pattern, cut to a fingertip's outline, but for its edge."""
    pixels = clean_picture(master).pixels
    # A pattern that fills its picture to the corners is refused: no fingertip does.
    tip = np.where(_oval(pixels.shape, 0.0), pixels, 255).astype(np.uint8)
    found = _template(FingerprintImage(tip, 500), master, network)
    return agreement(master.minutiae, found, _oval(pixels.shape, _MARGIN_PX))


def _oval(shape: tuple[int, ...], margin_px: float) -> NDArray[np.bool_]:
    """The pixels of a picture's oval that lie this far inside its outline, along both axes."""
    half = [(side - 1) / 2 for side in shape]
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    down, right = (rows - half[0]) / (half[0] - margin_px), (columns - half[1]) / (half[1] - margin_px)
    return np.asarray(down**2 + right**2 <= 1.0)


def on_capture(master: MasterFinger, number: int, network: MinutiaeNetwork) -> Agreement:
    """Truth and extractor in one capture, wherever the finger is pressed on."""
    one = capture(master, number)
    return agreement(one.minutiae, _template(one.image, master, network), one.touched)


def agreement(true: TrueMinutiae, found: Template, judged: NDArray[np.bool_]) -> Agreement:
    """Pair both lists one to one, nearest first; count those within the mask bool[h, w].

    A minutia outside the mask may confirm one inside.
    """
    apart = np.hypot(true.x[:, None] - found.x, true.y[:, None] - found.y)
    turned = np.abs(np.mod(true.angle[:, None] - found.angle + math.pi, 2 * math.pi) - math.pi)
    pairs = _pairs(np.where((apart <= _NEAR_PX) & (turned <= _NEAR_RAD), apart, np.inf))
    true_in = judged[np.round(true.y).astype(np.int64), np.round(true.x).astype(np.int64)]
    found_in = judged[found.y, found.x]
    return Agreement(
        true=int(true_in.sum()),
        recalled=sum(bool(true_in[row]) for row, _ in pairs),
        found=int(found_in.sum()),
        confirmed=sum(bool(found_in[column]) for _, column in pairs),
    )


def _pairs(apart: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Rows and columns of the finite entries, smallest first, each row and column once."""
    rows: set[int] = set()
    columns: set[int] = set()
    chosen: list[tuple[int, int]] = []
    for place in np.argsort(apart, axis=None):
        row, column = (int(part) for part in np.unravel_index(place, apart.shape))
        if not np.isfinite(apart[row, column]):
            break
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            chosen.append((row, column))
    return chosen


def _template(image: FingerprintImage, master: MasterFinger, network: MinutiaeNetwork) -> Template:
    outcome = extract(Capture(master.position, ImpressionType.LIVE_PLAIN, image), network)
    if not isinstance(outcome, Finger):
        raise TypeError(f"no template of person {master.person}, {master.position.name}: {outcome.reason}")
    return outcome.template


def _line(name: str, values: list[float], pooled: float) -> str:
    spread = _Z * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return f"{name:34} {100 * pooled:5.1f} % ± {100 * spread:.1f}   worst finger {100 * min(values):.1f} %"


def main() -> None:
    """Print recall and precision with 95 % intervals over fingers."""
    parser = argparse.ArgumentParser(description="True minutiae against our extractor.")
    parser.add_argument("--fingers", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    network = MinutiaeNetwork.load()
    clean: list[Agreement] = []
    captured: list[Agreement] = []
    for person in range(arguments.fingers):
        master = master_finger(arguments.seed, person, FINGERS[person % len(FINGERS)])
        clean.append(on_clean_pattern(master, network))
        captured.append(on_capture(master, 1, network))
    for name, each in (("clean pattern", clean), ("capture, where pressed on", captured)):
        total = sum(each[1:], each[0])
        print(_line(f"{name}: recall", [one.recall for one in each], total.recall))
        print(_line(f"{name}: precision", [one.precision for one in each], total.precision))
        print(f"{'':34} {total.true} true, {total.found} found, {len(each)} fingers")


if __name__ == "__main__":
    main()
