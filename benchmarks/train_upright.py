"""`python -m benchmarks.train_upright`: the weights by which a print's flow tells up from down.

Fits `enrollment.upright`: logistic regression of "the tip is up" on the differences between opposite places
of a print, without a constant, since turning a print only changes their sign. Captures come from synthetic
people as they come to a desk, and their mirror images; no real finger is in the numbers, so every real set
tests them unseen. Prints the array of the module, and how often the fitted and the unseen are told wrong.
Two minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.slaps import wilson
from enrollment.orientation import ridge_field
from enrollment.segmentation import gradients, segment
from enrollment.upright import differences
from fixtures.capture import capture
from fixtures.finger import master_finger
from matcher.codes import FINGERS

Floats: TypeAlias = NDArray[np.float64]

#: The population that trains, and its first person; the unseen are the people after it.
SEED: Final = 11
FIRST_PERSON: Final = 500
FINGERS_SEEN: Final = 240
FINGERS_UNSEEN: Final = 60
CAPTURES: Final = 2
#: Pull of the weights towards 0.
SHRINKAGE: Final = 5.0
_STEPS: Final = 30


def sample(first: int, fingers: int) -> Floats:
    """float64[n, 2, 3, 5]: differences of all captures that show enough of a finger."""
    return np.stack(list(_captures(first, fingers)))


def _captures(first: int, fingers: int) -> Iterator[Floats]:
    for number in range(fingers):
        master = master_finger(SEED, first + number, FINGERS[number % len(FINGERS)])
        for visit in range(1, CAPTURES + 1):
            steps = gradients(capture(master, visit).image.pixels)
            places = differences(ridge_field(steps, segment(steps)))
            if places is not None:
                yield places.astype(np.float64)


def mirrored(places: Floats) -> Floats:
    """The same prints seen from behind: columns change places, sin 2θ its sign."""
    flipped = places[..., ::-1].copy()
    flipped[:, 1] *= -1.0
    return flipped


def fit(places: Floats) -> Floats:
    """float64[2, 3, 5]: weights that are the same for a print and its mirror image, by Newton's method."""
    rows = np.concatenate([places, mirrored(places)]).reshape(2 * len(places), -1)
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        wrong = 1.0 / (1.0 + np.exp(rows @ weights))
        bend = (rows * (wrong * (1.0 - wrong))[:, None]).T @ rows + SHRINKAGE * np.eye(len(weights))
        weights += np.linalg.solve(bend, rows.T @ wrong - SHRINKAGE * weights)
    return weights.reshape(places.shape[1:])


def main() -> None:
    """Print the weights and the errors."""
    argparse.ArgumentParser(description="Weights that tell up from down.").parse_args()
    cv2.setNumThreads(1)
    seen = sample(FIRST_PERSON, FINGERS_SEEN)
    weights = fit(seen)
    print(np.array2string(weights, precision=3, suppress_small=True, separator=", "))
    for name, places in (("seen", seen), ("unseen", sample(FIRST_PERSON + FINGERS_SEEN, FINGERS_UNSEEN))):
        wrong = int(((places * weights).sum(axis=(1, 2, 3)) < 0.0).sum())
        low, high = wilson(wrong, len(places))
        share = f"{wrong / len(places):.2%} ({low:.2%} to {high:.2%})"
        print(f"{name}: {wrong} of {len(places)} told wrong, {share}")


if __name__ == "__main__":
    main()
