"""Pictures that show no finger: empty pages, palms, photographs, drawings. None may become a template.

No photograph is stored here: `impostors` are scenes made of noise, edges and repeated things, each with its
part of what could be taken for ridges; `photographs` come with scikit-image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from enrollment.limits import DEFAULT_LIMITS
from fixtures.anatomy import waves
from fixtures.ridges import STEP_PX, grow_ridges
from fixtures.sensor import BRIGHT, GREY, expose
from fixtures.skin import Line, bent_line, carve
from fixtures.touch import touch_of

Picture = NDArray[np.uint8]

#: Windows in which a palm is seen: a single-finger scanner, two cheaper ones, and a slap scanner.
_PALM_WINDOWS: Final = ((368, 448), (300, 300), (504, 480), (1600, 1500))
_FINGER_WINDOW_PX2: Final = 165_000
_PAGE: Final = (400, 500)
#: Of scikit-image, and the factors by which each is made smaller or larger.
PHOTOGRAPHS: Final = (
    *("astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "grass", "gravel", "horse"),
    *("hubble_deep_field", "immunohistochemistry", "logo", "microaneurysms", "moon", "page", "retina"),
    *("rocket", "text"),
)
SIZES: Final = (0.4, 0.6, 0.8, 1.0, 1.4, 2.0)
#: The side beyond which a photograph is cut.
_LARGEST_PX: Final = 600
_COLOURED: Final = 3
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
#: Share of drawings that are dark on light ground; the others are light on dark.
_DARK_ON_LIGHT: Final = 0.7


def impostors(count: int, seed: int) -> Iterator[tuple[str, Picture]]:
    """`count` rounds of every kind: name of the kind, picture as if at 500 ppi."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        yield "blank", _blank(rng, number)
        yield "palm", palm(rng, _PALM_WINDOWS[number % len(_PALM_WINDOWS)])
        yield "photograph", _scene(rng)
        yield "page of text", _text(rng)
        yield "cloth", _cloth(rng)
        yield "drawing", _drawing(rng)


def photographs() -> Iterator[tuple[str, Picture]]:
    """Photographs, textures and scans in several sizes, up to 600 px a side, and their negatives, by name.

    In some size the details of each are as wide as ridges.
    """
    for name in PHOTOGRAPHS:
        whole = np.asarray(getattr(skimage.data, name)())
        if whole.dtype == np.bool_:
            whole = whole.astype(np.uint8) * 255
        if whole.ndim == _COLOURED:
            whole = cv2.cvtColor(np.ascontiguousarray(whole[..., :3]), cv2.COLOR_RGB2GRAY)
        for factor in SIZES:
            way = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_CUBIC
            sized = cv2.resize(whole, None, fx=factor, fy=factor, interpolation=way)
            part = np.ascontiguousarray(sized[:_LARGEST_PX, :_LARGEST_PX], dtype=np.uint8)
            if min(part.shape) >= DEFAULT_LIMITS.min_side_px:
                yield name, part
                yield name, 255 - part


def palm(rng: np.random.Generator, window: tuple[int, int]) -> Picture:
    """Part of a palm that fills a window (width, height): wide, gently bending ridges, flexion creases.

    Ridges of the thenar and hypothenar bend over some 3 cm and lie 10 px apart at 500 ppi; long creases cross
    them, and many fine ones.
    """
    width, height = window
    y, x = np.mgrid[0 : height + STEP_PX : STEP_PX, 0 : width + STEP_PX : STEP_PX].astype(np.float64)
    heading = rng.uniform(0.0, math.pi)
    along = (x - width / 2) * math.cos(heading) - (y - height / 2) * math.sin(heading)
    flow = heading + along / rng.uniform(400.0, 900.0)
    flow += waves(rng, count=4, wavelengths_px=(300.0, 900.0), size=0.12).at(x, y)
    period = 10.0 + waves(rng, count=4, wavelengths_px=(200.0, 700.0), size=0.5).at(x, y)
    ridges = grow_ridges(np.mod(flow, math.pi), np.clip(period, 8.5, 12.0), rng)
    large = cv2.resize(ridges.astype(np.float32) / 127, None, fx=STEP_PX, fy=STEP_PX)
    skin = np.array(large[:height, :width], dtype=np.float32)
    for crease in _creases(rng, width, height):
        carve(skin, crease)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    load = 0.5 + waves(rng, count=6, wavelengths_px=(150.0, 600.0), size=0.12).at(columns, rows)
    damp = waves(rng, count=5, wavelengths_px=(90.0, 400.0), size=0.1).at(columns, rows)
    touch = touch_of(skin, load.astype(np.float32), damp.astype(np.float32), rng)
    return expose(touch, replace(BRIGHT, width_px=width, height_px=height), rng)


def _creases(rng: np.random.Generator, width: int, height: int) -> Iterator[Line]:
    share = width * height / _FINGER_WINDOW_PX2
    for each, lengths, widths, depths in (
        (1.2, (250.0, 900.0), (4.0, 12.0), (2.5, 3.5)),
        (9.0, (20.0, 120.0), (1.0, 2.0), (0.8, 2.0)),
    ):
        for _ in range(round(each * share)):
            yield bent_line(
                rng,
                (float(rng.uniform(0, width)), float(rng.uniform(0, height))),
                heading=float(rng.uniform(0.0, math.pi)),
                length_px=float(rng.uniform(*lengths)),
                width_px=float(rng.uniform(*widths)),
                depth=float(rng.uniform(*depths)),
            )


def _blank(rng: np.random.Generator, number: int) -> Picture:
    """An even page, a noisy one, an unevenly lit one, the glass with dirt on it, in turn."""
    width, height = _PAGE
    match number % 4:
        case 0:
            page = np.full((height, width), rng.uniform(0.0, 255.0))
        case 1:
            page = rng.normal(rng.uniform(60.0, 230.0), rng.uniform(1.0, 30.0), (height, width))
        case 2:
            page = np.linspace(rng.uniform(0, 120), rng.uniform(130, 255), width)[None].repeat(height, 0)
        case _:
            return expose(np.zeros((height, width), np.float32), replace(GREY, dust=200.0), rng)
    return _grey(page)


def _scene(rng: np.random.Generator) -> Picture:
    """A photograph of something: shaded shapes before a textured ground, as sharp as a lens makes them."""
    width, height = _PAGE
    scene = _texture(rng, (height, width), rng.uniform(0.8, 1.6)) * rng.uniform(10.0, 40.0) + 128.0
    for _ in range(int(rng.integers(10, 60))):
        shape = np.zeros((height, width), np.float32)
        middle = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(5, 120)), int(rng.integers(5, 120)))
        cv2.ellipse(shape, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1, cv2.LINE_AA)
        tone = rng.uniform(0.0, 255.0) + _texture(rng, (height, width), 1.5) * rng.uniform(0.0, 25.0)
        scene = scene * (1.0 - shape) + tone * shape
    return _grey(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.5, 1.5)) + rng.normal(0.0, 2.0, scene.shape))


def _texture(rng: np.random.Generator, shape: tuple[int, int], slope: float) -> NDArray[np.float64]:
    """Noise of unit deviation whose amplitude falls with frequency^slope, as it does in photographs."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    frequency[0, 0] = 1.0
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) / frequency**slope, shape)
    return np.asarray((noise - noise.mean()) / noise.std())


def _text(rng: np.random.Generator) -> Picture:
    """Printed lines of letters."""
    width, height = _PAGE
    page = np.full((height, width), 245, np.uint8)
    size = float(rng.uniform(0.3, 0.9))
    for y in range(20, height, round(32 * size) + 4):
        words = "".join(rng.choice(list("abcdefghijklmnoprstuvwxyz      "), 70))
        cv2.putText(page, words, (8, y), _FONT, size, 20, 1, cv2.LINE_AA)
    return _grey(page + rng.normal(0.0, 4.0, page.shape))


def _cloth(rng: np.random.Generator) -> Picture:
    """Woven threads at about the distance of ridges, seen at an angle and not quite flat."""
    width, height = _PAGE
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    folds = waves(rng, count=3, wavelengths_px=(200.0, 500.0), size=6.0)
    turn, period = rng.uniform(0.0, math.pi), rng.uniform(7.0, 12.0)
    along = x * math.cos(turn) + y * math.sin(turn) + folds.at(x, y)
    across = -x * math.sin(turn) + y * math.cos(turn) + folds.at(y, x)
    weave = np.sin(2 * math.pi * along / period) * np.sin(2 * math.pi * across / period)
    return _grey(128.0 + 70.0 * weave + rng.normal(0.0, 12.0, weave.shape))


def _drawing(rng: np.random.Generator) -> Picture:
    """A diagram, as a screenshot or a printed page shows it: boxes, words, arrows, curves, hatching."""
    width, height = _PAGE
    ground, ink = (245, 20) if rng.random() < _DARK_ON_LIGHT else (30, 230)
    page = np.full((height, width), ground, np.uint8)
    thick = int(rng.integers(1, 4))

    def anywhere() -> tuple[int, int]:
        return int(rng.integers(width)), int(rng.integers(height))

    for _ in range(int(rng.integers(4, 30))):
        left, top = anywhere()
        right, bottom = left + int(rng.integers(30, 160)), top + int(rng.integers(15, 90))
        match int(rng.integers(5)):
            case 0:
                cv2.rectangle(page, (left, top), (right, bottom), ink, thick, cv2.LINE_AA)
                word = "".join(rng.choice(list("abcdefghijklmnoprstuvwxyz"), 9))
                cv2.putText(page, word, (left + 6, (top + bottom) // 2), _FONT, 0.5, ink, 1, cv2.LINE_AA)
            case 1:
                cv2.arrowedLine(page, (left, top), anywhere(), ink, thick, cv2.LINE_AA)
            case 2:
                middle, axes = (left, top), (int(rng.integers(10, 80)), int(rng.integers(10, 80)))
                cv2.ellipse(page, middle, axes, float(rng.uniform(0, 180)), 0, 360, ink, thick, cv2.LINE_AA)
            case 3:
                x = np.arange(0.0, width, 2.0)
                bends = waves(rng, count=3, wavelengths_px=(60.0, 400.0), size=25.0)
                curve = np.c_[x, top + bends.at(x, np.zeros_like(x))].astype(np.int32)
                cv2.polylines(page, [curve], False, ink, thick, cv2.LINE_AA)
            case _:
                # Hatched, or the lines of a table: about as far apart as ridges or further.
                for y in range(top, bottom, int(rng.integers(6, 16))):
                    cv2.line(page, (left, y), (right, y), ink, thick, cv2.LINE_AA)
    return _grey(page + rng.normal(0.0, rng.uniform(0.0, 4.0), page.shape))


def _grey(values: NDArray[np.float64]) -> Picture:
    return np.asarray(np.clip(values, 0.0, 255.0), dtype=np.uint8)
