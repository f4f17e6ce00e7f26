"""Pictures made worse: what a dry or wet finger, a noisy glass, a lossy file make of a good capture.

Every function takes a picture, uint8[h, w] at 500 ppi with dark ridges on light ground, and a generator, and
gives another picture of the same finger. They are drawn on the picture, not on the skin: harsher than most
scanners, and good for one question, what the extraction still makes of it. `fixtures` models skin and glass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
Worse: TypeAlias = Callable[[Picture, np.random.Generator], Picture]
_Grey: TypeAlias = NDArray[np.float32]

#: Percentile of a picture's greys that stands for its ground, and for its darkest ridges.
_GROUND: Final = 95
_DARKEST: Final = 5


def unchanged(picture: Picture, _: np.random.Generator) -> Picture:
    """The picture itself."""
    return picture


def dry(picture: Picture, rng: np.random.Generator) -> Picture:
    """Ridges thin and faint, broken into dots, in patches gone altogether."""
    ground = float(np.percentile(picture, _GROUND))
    thin = 0.5 * cv2.dilate(picture, np.ones((3, 3), np.uint8)) + 0.5 * picture
    dots = _clouds(rng, picture.shape, 1.3) + 0.7 * _clouds(rng, picture.shape, 9.0)
    touched = 0.8 / (1.0 + np.exp(-2.5 * (dots + 0.1)))
    return _grey(ground - (ground - thin) * touched + rng.normal(0.0, 4.0, picture.shape))


def wet(picture: Picture, rng: np.random.Generator) -> Picture:
    """Ridges broad, valleys filled, in patches until hardly a ridge is left; the ground around dark too."""
    broad = cv2.erode(picture, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))).astype(np.float32)
    darkest, ground = np.percentile(picture, [_DARKEST, _GROUND])
    water = np.clip(0.75 + 0.35 * _clouds(rng, picture.shape, 14.0), 0.0, 1.0)
    soft = _blurred(broad, 1.2)
    shade = _blurred(soft, 5.0)
    soft = shade + (soft - shade) * (1.0 - 0.75 * water)
    pressed = _blurred(picture.astype(np.float32), 8.0) < ground - 15.0
    soft -= 0.35 * water * (soft - darkest) * pressed
    return _grey(soft + rng.normal(0.0, 3.0, picture.shape))


def faint(picture: Picture, rng: np.random.Generator) -> Picture:
    """A fifth of the contrast, and the noise of a cheap sensor."""
    ground = float(np.percentile(picture, _GROUND))
    return _grey(ground - 0.2 * (ground - picture) + rng.normal(0.0, 4.0, picture.shape))


def noisy(picture: Picture, rng: np.random.Generator) -> Picture:
    """Grain all over, 40 grey levels of standard deviation."""
    return _grey(picture + rng.normal(0.0, 40.0, picture.shape))


def lossy(picture: Picture, _: np.random.Generator) -> Picture:
    """Stored as JPEG of quality 8: blocks and rings."""
    stored = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 8])[1]
    return np.asarray(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def blurred(picture: Picture, rng: np.random.Generator) -> Picture:
    """Out of focus by 2.2 px, a quarter of a ridge's period."""
    return _grey(_blurred(picture.astype(np.float32), 2.2) + rng.normal(0.0, 2.0, picture.shape))


def scratched(picture: Picture, rng: np.random.Generator) -> Picture:
    """Fourteen straight scratches, 2 to 5 px wide, through which the ground shows."""
    scratches = np.zeros(picture.shape, np.uint8)
    for _ in range(14):
        middle = rng.uniform(0.0, 1.0, 2) * picture.shape[::-1]
        heading, reach = rng.uniform(0.0, math.pi), rng.uniform(40.0, 160.0)
        arm = reach * np.array([math.cos(heading), math.sin(heading)])
        begin, end = np.rint(middle - arm).astype(int), np.rint(middle + arm).astype(int)
        cv2.line(scratches, begin.tolist(), end.tolist(), 255, int(rng.integers(2, 6)), cv2.LINE_AA)
    covered = _blurred(scratches.astype(np.float32), 0.8) / 255.0
    return _grey(picture * (1.0 - covered) + float(np.percentile(picture, _GROUND)) * covered)


def twisted(picture: Picture, rng: np.random.Generator) -> Picture:
    """The middle of the contact holds still; the skin around turns by up to 14 degrees and slides by 16 px.

    Cappelli, Maio and Maltoni, "Modelling plastic distortion in fingerprint images", ICAPR 2001.
    """
    rows, columns = np.nonzero(picture < np.percentile(picture, _GROUND) - 20.0)
    y, x = np.indices(picture.shape, dtype=np.float64)
    middle = np.array([x.mean(), y.mean()])
    if len(rows):
        middle = np.array([np.median(columns), np.median(rows)])
    middle += rng.normal(0.0, 15.0, 2)
    axes = np.array([45.0, 60.0]) * rng.uniform(0.7, 1.3)
    away = np.hypot((x - middle[0]) / axes[0], (y - middle[1]) / axes[1])
    free = 0.5 - 0.5 * np.cos(math.pi * np.clip((away - 1.0) / 1.3, 0.0, 1.0))
    turn, slide = math.radians(rng.uniform(-14.0, 14.0)), rng.uniform(-16.0, 16.0, 2)
    cos, sin = math.cos(turn) - 1.0, math.sin(turn)
    from_x = x + free * (cos * (x - middle[0]) - sin * (y - middle[1]) + slide[0])
    from_y = y + free * (sin * (x - middle[0]) + cos * (y - middle[1]) + slide[1])
    moved = cv2.remap(
        picture,
        from_x.astype(np.float32),
        from_y.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, dtype=np.uint8)


#: All ways, from none on.
WAYS: Final[tuple[Worse, ...]] = (
    unchanged,
    dry,
    wet,
    faint,
    noisy,
    lossy,
    blurred,
    scratched,
    twisted,
)


def _clouds(rng: np.random.Generator, shape: tuple[int, ...], sigma_px: float) -> _Grey:
    """Smooth noise of unit deviation."""
    noise = _blurred(rng.standard_normal(shape).astype(np.float32), sigma_px)
    return np.asarray(noise / max(float(noise.std()), 1e-6), dtype=np.float32)


def _blurred(values: _Grey, sigma_px: float) -> _Grey:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma_px), dtype=np.float32)


def _grey(values: NDArray[np.floating]) -> Picture:
    return np.asarray(np.clip(values, 0.0, 255.0), dtype=np.uint8)
