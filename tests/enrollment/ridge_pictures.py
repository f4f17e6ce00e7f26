"""Ridge patterns with known minutiae, from nothing but a formula.

A print is cos(phase); a minutia is a point around which the phase turns once (Larkin and Fletcher 2007, "A
coherent framework for fingerprint analysis: are fingerprints holograms?"). Ridges here are arcs around a
point below the picture, as in an arch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERIOD_PX = 9.0


@dataclass(frozen=True)
class RidgePicture:
    """pixels: uint8[h, w], dark ridges. x, y, angle: the minutiae, radians counter-clockwise from +x."""

    pixels: NDArray[np.uint8]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    angle: NDArray[np.float64]


def ridge_picture(
    width: int = 320,
    height: int = 384,
    *,
    minutiae: int = 24,
    seed: int = 1,
    light: int = 235,
    noise: float = 6.0,
) -> RidgePicture:
    """An elliptic print on light ground with `minutiae` minutiae at least 26 px apart."""
    random = np.random.default_rng(seed)
    x, y = _scatter(random, width, height, minutiae)
    turns = random.choice([-1, 1], size=len(x))
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    centre_x, centre_y = width / 2, height * 1.6
    phase = 2 * np.pi / PERIOD_PX * np.hypot(columns - centre_x, rows - centre_y)
    for turn, left, top in zip(turns, x, y, strict=True):
        phase += turn * np.arctan2(rows - top, columns - left)
    shape = 1 / (1 + np.exp((_radius(columns, rows, width, height) - 1) * 40))
    tone = light - shape * 95 * (1 + np.tanh(2.2 * np.cos(phase)))
    pixels = np.clip(tone + random.normal(0, noise, tone.shape), 0, 255).astype(np.uint8)
    # A minutia points to the side on which the pattern has one line less, along the ridge.
    outwards = np.arctan2(-(y - centre_y), x - centre_x)
    return RidgePicture(pixels, x, y, np.mod(outwards + turns * np.pi / 2, 2 * np.pi))


def _radius(x: NDArray[np.float64], y: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    return np.hypot((x - width / 2) / (0.44 * width), (y - height / 2) / (0.44 * height))


def _scatter(
    random: np.random.Generator, width: int, height: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found: list[tuple[float, float]] = []
    while len(found) < count:
        x, y = random.uniform(0, width), random.uniform(0, height)
        near = any(np.hypot(x - u, y - v) < 26 for u, v in found)
        if not near and _radius(np.array(x), np.array(y), width, height) < 0.82:
            found.append((x, y))
    return np.array([x for x, _ in found]), np.array([y for _, y in found])
