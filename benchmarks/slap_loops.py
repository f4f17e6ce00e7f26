"""Weights that tell from a fingertip's flow which hand it is of: `enrollment.slap_loops`.

    python -m benchmarks.slap_loops --hands 200 --seed 1

Logistic regression without a constant (a mirror image must have the other answer) on the middle, ring and
little fingers of synthetic slaps, cut as they are in use; index fingers have radial loops so often that they
would only blur it. What is printed of each digit is of people whose fingers were left out of the fit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.slaps import Case, cases
from enrollment.slap_hand import arrange
from enrollment.slap_joints import cut_at_joints, pointing, turn_of
from enrollment.slap_loops import COLUMNS, HALF, ROWS, flow
from enrollment.slap_pieces import pieces
from enrollment.slap_ridges import ridge_map
from matcher.codes import FingerPosition

_FOUR = (FingerPosition.PLAIN_RIGHT_FOUR, FingerPosition.PLAIN_LEFT_FOUR)
_DIGITS = {2: "index", 3: "middle", 4: "ring", 5: "little"}
#: Ridge of the regression; 1 to 30 give the same likelihood of people left out.
_RIDGE, _FOLDS, _STEPS = 10.0, 5, 50


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Fingertips. flow: float64[n, 30], as on a right hand: those of left hands mirrored. digit: 2 to 5."""

    flow: NDArray[np.float64]
    digit: NDArray[np.intp]
    hand: NDArray[np.intp]


def flows(hands: int, seed: int) -> Flows:
    """Of all fingertips of the four-finger slaps of `benchmarks.slaps` that are cut."""
    rows: list[NDArray[np.float32]] = []
    about: list[tuple[int, int]] = []
    for number, case in enumerate(case for case in cases(hands, seed) if case.position in _FOUR):
        side = 1 if case.position is FingerPosition.PLAIN_RIGHT_FOUR else -1
        for finger, found in _tips(case):
            rows.append(side * found)
            about.append(((finger - 1) % 5 + 1, number))
    digit, hand = np.array(about, dtype=np.intp).T
    return Flows(np.stack(rows).reshape(len(rows), -1).astype(np.float64), digit, hand)


def _tips(case: Case) -> Iterator[tuple[FingerPosition, NDArray[np.float32]]]:
    ridges = ridge_map(case.image.pixels)
    parts = pieces(ridges)
    hand_rad = pointing(parts)
    parts = cut_at_joints(parts, ridges, hand_rad)
    found = arrange(parts, case.fingers, hand_rad, both_hands=True)
    if found is not None:
        for finger, tip in zip(case.fingers, found.tips, strict=True):
            yield finger, flow(case.image.pixels, tip, turn_of(tip, hand_rad))


def fit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights under which rows have positive odds, by Newton's method."""
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        missed = 1.0 / (1.0 + np.exp(rows @ weights))
        curve = (rows * (missed * (1.0 - missed))[:, None]).T @ rows + _RIDGE * np.eye(len(weights))
        weights += np.linalg.solve(curve, rows.T @ missed - _RIDGE * weights)
    return weights


def main() -> None:
    """Print how well each digit tells the hand, and the weights."""
    parser = argparse.ArgumentParser(description="Fit the weights of enrollment.slap_loops.")
    parser.add_argument("--hands", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    found = flows(given.hands, given.seed)
    telling, fold = found.digit > 2, found.hand // 2 % _FOLDS
    odds = np.empty(len(found.flow))
    for part in range(_FOLDS):
        odds[fold == part] = found.flow[fold == part] @ fit(found.flow[telling & (fold != part)])
    for digit, name in _DIGITS.items():
        own = odds[found.digit == digit]
        print(f"{name:7} {len(own):4} fingers, {(own > 0).mean():.1%} on the right side")
    print(np.array2string(fit(found.flow[telling]).reshape(2, ROWS, HALF), precision=2, separator=", "))
    print(f"places: {ROWS} rows, {HALF} of {COLUMNS} columns")


if __name__ == "__main__":
    main()
