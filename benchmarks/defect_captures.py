"""Captures with one thing wrong each, and the careful ones they are compared with.

Made with the same fingers: what is wrong is the only difference. Every finger is laid on the bright scanner,
and on the scanner of the person's first visit, which may be any of the family.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.capture import Defect
from fixtures.capture import take
from fixtures.conditions import Conditions, draw_conditions
from fixtures.finger import MasterFinger, master_finger
from fixtures.scanners import scanner_of
from fixtures.sensor import BRIGHT
from matcher.codes import FINGERS

#: Where the fingers of the benchmark and those that the constants were chosen on begin: never the same ones.
JUDGED_SEED: Final = 20_260_005
FITTED_SEED: Final = 20_260_105


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A picture at what is taken for 500 ppi, uint8[h, w]; `defect` None: nothing is wrong with it."""

    defect: Defect | None
    bright: bool
    finger: int
    pixels: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """The defect's code, or `clean`."""
        return "clean" if self.defect is None else self.defect.value


def cases(fingers: int, seed: int = JUDGED_SEED) -> Iterator[Case]:
    """A clean capture of each finger on two scanners, and each defect on the bright or on both in turn."""
    for number in range(fingers):
        master = master_finger(seed, number, FINGERS[number % len(FINGERS)])
        for bright in (True, False):
            sensor = BRIGHT if bright else scanner_of(seed, number, 1)
            rng = np.random.default_rng([seed, number, bright])
            usual = draw_conditions(master.anatomy, rng, sensor, careful=True)
            clean = _picture(master, usual, rng)
            yield Case(None, bright, number, clean)
            if bright or number % 2:
                made = (*_captured(master, usual, rng), *_altered(clean, rng), _beside(master, usual, rng))
                for defect, pixels in made:
                    yield Case(defect, bright, number, pixels)


def _picture(master: MasterFinger, conditions: Conditions, rng: np.random.Generator) -> NDArray[np.uint8]:
    return take(master, conditions, rng).image.pixels


def _captured(
    master: MasterFinger, usual: Conditions, rng: np.random.Generator
) -> Iterator[tuple[Defect, NDArray[np.uint8]]]:
    """What goes wrong at the glass."""
    parched, firm = 0.75 * usual.pressure, min(1.3 * usual.pressure, 1.0)
    heading, slip = rng.uniform(0.0, math.pi), rng.uniform(6.0, 10.0)
    wide, tall = (float(rng.uniform(0.40, 0.52)) * half for half in usual.footprint.half_axes_px)
    small = replace(usual.footprint, half_axes_px=(wide, tall), phalanx=False)
    for defect, conditions in (
        (Defect.TOO_DRY, replace(usual, moisture=float(rng.uniform(-1.0, -0.75)), pressure=parched)),
        (Defect.TOO_WET, replace(usual, moisture=float(rng.uniform(1.3, 1.7)), pressure=firm)),
        (Defect.TOO_SMALL, replace(usual, footprint=small)),
        (Defect.SMEARED, replace(usual, slip_px=(slip * math.cos(heading), slip * math.sin(heading)))),
        (Defect.OFF_CENTRE, _aside(usual, rng)),
    ):
        yield defect, _picture(master, conditions, rng)


def _aside(usual: Conditions, rng: np.random.Generator) -> Conditions:
    """Nearly half the finger lies beyond one edge of the glass."""
    across, along = ((-1, 0), (1, 0), (0, -1), (0, 1))[int(rng.integers(4))]
    sensor, (x, y) = usual.sensor, usual.contact.centre
    moved = (x + 0.42 * across * sensor.width_px, y + 0.41 * along * sensor.height_px)
    return replace(usual, contact=replace(usual.contact, centre=moved))


def _altered(
    clean: NDArray[np.uint8], rng: np.random.Generator
) -> Iterator[tuple[Defect, NDArray[np.uint8]]]:
    """What goes wrong after the glass: faint light, the picture on its head, another resolution than told."""
    light = np.percentile(clean, 90.0)
    faint = light - (light - clean) * rng.uniform(0.06, 0.13) + rng.normal(0.0, 1.0, clean.shape)
    yield Defect.LOW_CONTRAST, np.clip(faint, 0.0, 255.0).astype(np.uint8)
    yield Defect.UPSIDE_DOWN, np.ascontiguousarray(clean[::-1, ::-1])
    half = cv2.resize(clean, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    yield Defect.WRONG_RESOLUTION, np.asarray(half, dtype=np.uint8)
    double = cv2.resize(clean, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_CUBIC)
    yield Defect.WRONG_RESOLUTION, np.asarray(double, dtype=np.uint8)


def _beside(
    master: MasterFinger, usual: Conditions, rng: np.random.Generator
) -> tuple[Defect, NDArray[np.uint8]]:
    """The next finger lies on the glass too, a little lower or higher; the glass is wide enough."""
    sensor, y = usual.sensor, usual.contact.centre[1]
    apart = float(rng.uniform(205.0, 290.0))
    room = round(max(sensor.width_px, 368) + apart)
    wide = replace(sensor, width_px=room, frame=0.0)
    left = replace(usual, sensor=wide, contact=replace(usual.contact, centre=(room / 2 - apart / 2, y)))
    position = FINGERS[(FINGERS.index(master.position) + 1) % len(FINGERS)]
    neighbour = master_finger(master.seed, master.person, position)
    other = draw_conditions(neighbour.anatomy, rng, wide, careful=True)
    level = y + float(rng.normal(0.0, 30.0))
    right = replace(other, contact=replace(other.contact, centre=(room / 2 + apart / 2, level)))
    pictures = [_picture(*each, rng) for each in ((master, left), (neighbour, right))]
    return Defect.SEVERAL_FINGERS, np.minimum(*pictures)
