"""`python -m benchmarks.population_page DIR`: the pictures of docs/population.md, the same every time.

Everything in them is synthetic. Plots of measured distributions come from `python -m benchmarks.realism`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fixtures import scanners
from fixtures.capture import SyntheticCapture, capture, take
from fixtures.conditions import Conditions, draw_conditions
from fixtures.finger import MasterFinger, master_finger
from fixtures.heredity import anatomy_of
from fixtures.ink import inked
from fixtures.patterns import Pattern
from fixtures.rolled import rolled
from fixtures.sensor import BRIGHT
from fixtures.skin import Line, bent_line
from fixtures.streams import Topic, stream
from matcher.codes import FINGERS, FingerPosition

Pixels: TypeAlias = NDArray[np.uint8]

SEED: Final = 1
#: Whose finger shows the defects and the scanners.
_MODEL: Final = (6, FingerPosition.RIGHT_INDEX)
_TILE_PX: Final = (200, 240)
_GAP_PX: Final = 6
_MARGIN_GREY: Final = 255
_WEBP_QUALITY: Final = 62


def classes() -> list[Pixels]:
    """One right index finger of each class, in the order of `Pattern`."""
    found: dict[Pattern, int] = {}
    person = 0
    while len(found) < len(Pattern):
        found.setdefault(anatomy_of(SEED, person, FingerPosition.RIGHT_INDEX).pattern, person)
        person += 1
    masters = [master_finger(SEED, found[pattern], FingerPosition.RIGHT_INDEX) for pattern in Pattern]
    return [capture(master, 1, careful=True).image.pixels for master in masters]


def fingers() -> list[Pixels]:
    """The ten fingers of one person."""
    return [capture(master_finger(SEED, 4, one), 1, careful=True).image.pixels for one in FINGERS]


def defects() -> list[Pixels]:
    """One finger: as it should be, dry, wet, smeared, partial, creased, scratched, flat, faint."""
    master = _model()
    best = draw_conditions(master.anatomy, stream(SEED, Topic.CAPTURE, 0), BRIGHT, careful=True)
    best = replace(best, moisture=0.2, pressure=0.6, scratches=())
    wide, tall = best.footprint.half_axes_px
    cuts = [_line(master, heading, 200.0, 1.0) for heading in (0.3, 0.8, 2.2, 2.6)]
    creases = [_line(master, heading, 260.0, 4.0) for heading in (-0.5, 0.1, 0.4)]
    low = replace(best.contact, centre=(best.contact.centre[0], best.contact.centre[1] - 130.0))
    flat = replace(best.footprint, half_axes_px=(wide, tall + 30.0), middle_px=(0.0, 42.0), phalanx=True)
    small = replace(best.footprint, half_axes_px=(0.6 * wide, 0.5 * tall), middle_px=(30.0, -50.0))
    shown = [
        best,
        replace(best, moisture=-0.9, pressure=0.45),
        replace(best, moisture=1.3, pressure=0.8),
        replace(best, slip_px=(5.0, 4.0)),
        replace(best, footprint=small),
        replace(best, scratches=tuple(creases)),
        replace(best, scratches=tuple(cuts)),
        replace(best, contact=low, footprint=flat),
        replace(best, sensor=scanners.soft_optics(stream(SEED, Topic.SCANNER, 0)), pressure=0.3),
    ]
    return [_taken(master, conditions).image.pixels for conditions in shown]


def makes() -> list[Pixels]:
    """The same finger on one scanner of each make."""
    master = _model()
    family = (
        scanners.bright_optics,
        scanners.grey_optics,
        scanners.framed_optics,
        scanners.soft_optics,
        scanners.bright_chip,
        scanners.dark_chip,
        scanners.sweep,
    )
    return [capture(master, 1, make(stream(SEED, Topic.SCANNER, 0))).image.pixels for make in family]


def at_random() -> list[Pixels]:
    """The first captures of people 100 to 109, a finger each: what comes, not what was chosen."""
    return [capture(master_finger(SEED, 100 + row, one), 1).image.pixels for row, one in enumerate(FINGERS)]


def kinds() -> list[Pixels]:
    """One finger laid down, rolled, and rolled with ink."""
    master = _model()
    return [
        capture(master, 1, careful=True).image.pixels,
        rolled(master, 1).image.pixels,
        inked(master, 1).image.pixels,
    ]


def _model() -> MasterFinger:
    return master_finger(SEED, *_MODEL)


def _taken(master: MasterFinger, conditions: Conditions) -> SyntheticCapture:
    return take(master, conditions, stream(SEED, Topic.CAPTURE, 0, 1))


def _line(master: MasterFinger, heading: float, length_px: float, width_px: float) -> Line:
    rng = stream(SEED, Topic.SKIN, 0, round(1000 * (heading + math.pi)))
    middle = (master.anatomy.middle + float(rng.normal(0.0, 25.0)), 300.0 + float(rng.normal(0.0, 60.0)))
    return bent_line(rng, middle, heading=heading, length_px=length_px, width_px=width_px, depth=2.0)


def sheet(pictures: Sequence[Pixels], columns: int) -> Pixels:
    """Pictures at half their size (or less, to fit) in rows, on white."""
    tiles = [_tile(picture) for picture in pictures]
    tiles += [np.full_like(tiles[0], _MARGIN_GREY)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _tile(picture: Pixels) -> Pixels:
    width, height = _TILE_PX
    shrink = min(0.5, width / picture.shape[1], height / picture.shape[0])
    small = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=160)
    tile = np.full((height + _GAP_PX, width + _GAP_PX), _MARGIN_GREY, dtype=np.uint8)
    tile[: framed.shape[0], : framed.shape[1]] = framed
    return tile


def main() -> None:
    """Write the sheets as WebP."""
    parser = argparse.ArgumentParser(description="Make the pictures of docs/population.md.")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    sheets = {
        "classes": sheet(classes(), 6),
        "fingers": sheet(fingers(), 5),
        "defects": sheet(defects(), 5),
        "scanners": sheet(makes(), 7),
        "kinds": sheet(kinds(), 3),
        "random": sheet(at_random(), 5),
    }
    for name, pixels in sheets.items():
        Image.fromarray(pixels).save(out / f"{name}.webp", quality=_WEBP_QUALITY, method=6)
        print(f"{out / name}.webp: {(out / f'{name}.webp').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
