"""`python -m benchmarks.train_gate`: the weights that tell, from coarse features, where a peak can be.

Fits `enrollment.peak_gate`: weighted logistic regression of "this cell of 4 × 4 pixels holds a peak" on the
network's own features. The truth is the network's whole map, and captures come from synthetic people on
scanners of the family; no real finger is in the numbers. Prints the arrays of the module, and of the unseen
people how many cells the head is asked in and how many peaks are lost. Three minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.network import peaks
from enrollment.parameters import PEAK_THRESHOLD
from enrollment.parts_cache import load_parts
from enrollment.peak_gate import LEAST
from enrollment.position_head import PositionHead
from enrollment.segmentation import crop_to_foreground, gradients, segment
from enrollment.trunk import Trunk
from fixtures.capture import capture
from fixtures.finger import master_finger
from fixtures.scanners import scanner_of
from matcher.codes import FINGERS

Floats: TypeAlias = NDArray[np.float64]

#: The population that trains, and its first person; the unseen are the people after it.
SEED: Final = 12
FIRST_PERSON: Final = 500
FINGERS_SEEN: Final = 100
FINGERS_UNSEEN: Final = 40
#: Peaks from here on are looked for. With 0.09, and 0.06 for the dark, a fifth more cells are asked, to find
#: 2 of 1,705 kept peaks more, of the faintest (unseen people): not worth their time.
FAINTEST: Final = 0.15
#: Cells darker than this and without a peak are examples of none; those between are a peak's slopes.
DARK: Final = 0.1
#: Channels of the coarse features that carry something.
CHANNELS: Final = 20
#: What a lost peak counts for against a cell asked in vain, and the pull of the weights towards 0.
PEAK_WEIGHT: Final = 10.0
SHRINKAGE: Final = 0.01
_STEPS: Final = 40
_CELL_PX: Final = 4


def cells(
    network: tuple[Trunk, PositionHead], first: int, fingers: int
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """For each capture, of its cells: features [n, 20], highest peak [n] and probability [n]."""
    trunk, head = network
    for number in range(first, first + fingers):
        position = FINGERS[number % len(FINGERS)]
        picture = capture(master_finger(SEED, number, position), 1, sensor=scanner_of(SEED, number, 1))
        pixels = picture.image.pixels
        crop = crop_to_foreground(pixels, segment(gradients(pixels)))
        features = trunk.run(crop.pixels, crop.foreground)
        probable = head.run(features)
        y, x, height = peaks(probable, FAINTEST)
        highest = np.zeros(features.wanted.shape)
        inside = crop.foreground[y, x]
        np.maximum.at(highest, (y[inside] // _CELL_PX, x[inside] // _CELL_PX), height[inside])
        rows, columns = features.wanted.shape
        brightest = probable.reshape(rows, _CELL_PX, columns, _CELL_PX).max(axis=(1, 3))
        seen = features.coarse[features.wanted, :CHANNELS].astype(np.float64)
        yield seen, highest[features.wanted], brightest[features.wanted].astype(np.float64)


def fit(seen: Floats, highest: Floats, brightest: Floats) -> Floats:
    """float64[21]: weights and, last, the bias, by Newton's method."""
    is_peak = highest > 0
    count = np.where(is_peak, PEAK_WEIGHT, brightest < DARK)
    rows = np.column_stack([seen, np.ones(len(seen))])
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        odds = 1.0 / (1.0 + np.exp(-(rows @ weights)))
        bend = (rows * (count * odds * (1.0 - odds))[:, None]).T @ rows + SHRINKAGE * np.eye(len(weights))
        weights -= np.linalg.solve(bend, rows.T @ (count * (odds - is_peak)) + SHRINKAGE * weights)
    return weights


def main() -> None:
    """Print the weights, and what they cost and lose."""
    parser = argparse.ArgumentParser(description="Weights that tell where a peak can be.")
    parser.add_argument("--cache", type=Path, help="folder of the network's parts")
    parts = load_parts(parser.parse_args().cache)
    cv2.setNumThreads(1)
    network = Trunk(parts, 1), PositionHead(parts, 1)
    seen, highest, brightest = map(
        np.concatenate, zip(*cells(network, FIRST_PERSON, FINGERS_SEEN), strict=True)
    )
    weights = fit(seen, highest, brightest)
    print(np.array2string(weights, precision=3, suppress_small=True, separator=", "))
    unseen = cells(network, FIRST_PERSON + FINGERS_SEEN, FINGERS_UNSEEN)
    seen, highest, _ = map(np.concatenate, zip(*unseen, strict=True))
    found = seen @ weights[:-1] + weights[-1] > LEAST
    kept = highest >= PEAK_THRESHOLD
    lost = f"{(kept & ~found).sum()} of {kept.sum()} peaks are lost"
    print(f"unseen: {found.mean():.1%} of the cells are beyond the bound, {lost}")


if __name__ == "__main__":
    main()
