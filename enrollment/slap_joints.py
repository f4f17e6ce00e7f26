"""Where a fingertip ends: at the crease of its joint, a line across the finger without ridges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from enrollment.slap_pieces import Piece, measured
from enrollment.slap_ridges import RidgeMap

#: A piece this much longer than wide tells which way its finger points; one longer still is more than a tip.
_TELLING, _ALONE = 1.25, 2.3
#: Hands are not turned further; outlines that say so are cut off, or not long.
_MOST_TURN_RAD = math.radians(55.0)
#: A finger turns this far against the hand; beyond it the outline has misled.
_MOST_APART_RAD = math.radians(25.0)
#: The crease lies this far below the tip, in widths of the finger.
_JOINT_WIDTHS = (0.75, 2.2)
#: Across the crease the middle of the finger shows this share of the ridges above and below it.
_CREASE_SHARE = 0.55
#: How much of the finger's width is looked at, and how far above and below, in cells.
_MIDDLE, _AROUND = 0.6, 7
#: The crease does not always lie square to the finger.
_SLANTS_RAD = (0.0, -0.1, 0.1)
#: Where no crease is seen, a tip ends this many widths below its top.
_USUAL_WIDTHS = 1.75


def pointing(parts: Sequence[Piece]) -> float:
    """Which way the fingers point: the mean turn of the long pieces, counter-clockwise from upright, rad.

    0 where they disagree with any hand.
    """
    weights = np.array([part.area * max(part.length / part.width - 1.0, 0.01) for part in parts])
    turns = np.array([part.turn for part in parts])
    # An axis has no head: its angle counts twice.
    mean = float(0.5 * np.arctan2((weights * np.sin(2 * turns)).sum(), (weights * np.cos(2 * turns)).sum()))
    return mean if abs(mean) < _MOST_TURN_RAD else 0.0


def turn_of(part: Piece, hand_rad: float) -> float:
    """Which way one finger points: as its outline says, where that is clear and near the hand's direction."""
    apart = math.remainder(part.turn - hand_rad, math.pi)
    telling = part.length > _TELLING * part.width and abs(apart) < _MOST_APART_RAD
    return hand_rad + apart if telling else hand_rad


def cut_at_joints(parts: Sequence[Piece], ridges: RidgeMap, hand_rad: float) -> list[Piece]:
    """The pieces, those that hold a joint in two: the tip, and the rest where it is large enough."""
    found: list[Piece] = []
    for part in parts:
        found += _cut(part, ridges, turn_of(part, hand_rad))
    return sorted(found, key=lambda part: -part.area)


def _cut(part: Piece, ridges: RidgeMap, turn: float) -> list[Piece]:
    found = [_crease(part, ridges, turn + slant) for slant in _SLANTS_RAD]
    crease = min(found, key=lambda each: each.shown)
    if crease.shown > _CREASE_SHARE:
        crease = found[0]
        if crease.low - crease.top < _ALONE * crease.width:
            return [part]
        crease = replace(crease, place=crease.top + _USUAL_WIDTHS * crease.width)
    halves = [
        measured(part.cells & (crease.along < crease.place)),
        measured(part.cells & (crease.along >= crease.place)),
    ]
    return [half for half in halves if half is not None]


@dataclass(frozen=True, slots=True, eq=False)
class _Crease:
    """The likeliest crease of a piece; lengths in cells.

    along: float32[h/8, w/8], how far down the finger a cell lies. top, low, width: of the piece. place: of
    the crease. shown: share of ridges seen there against above and below, 1 where there is no place for one.
    """

    along: NDArray[np.float32]
    top: float
    low: float
    width: float
    place: float = 0.0
    shown: float = 1.0


def _crease(part: Piece, ridges: RidgeMap, turn: float) -> _Crease:
    along, across = _axes(part.cells.shape, turn)
    ends, sides = along[part.cells], across[part.cells]
    top, low = (float(each) for each in np.percentile(ends, (0.5, 99.5)))
    width = float(np.percentile(sides, 97) - np.percentile(sides, 3))
    crease = _Crease(along, top, low, width)
    inner = part.cells & (np.abs(across - float(np.median(sides))) < 0.5 * _MIDDLE * width)
    steps = np.rint(along[inner] - top).astype(np.intp).clip(0)
    shown = np.bincount(steps, ridges.full[inner]) / np.maximum(np.bincount(steps), 1)
    first, last = (round(widths * width) for widths in _JOINT_WIDTHS)
    places = range(max(first, _AROUND), min(last, len(shown) - _AROUND, round(low - top) - 3))
    if not places:
        return crease
    best = min(places, key=lambda place: _depth(shown, place))
    return replace(crease, place=top + best, shown=_depth(shown, best))


def _depth(shown: NDArray[np.float64], place: int) -> float:
    """Ridges at a place against what is shown above and below, whichever is less."""
    here = float(shown[place : place + 2].mean())
    above, below = shown[place - _AROUND : place - 1], shown[place + 2 : place + _AROUND]
    return here / max(min(float(np.median(above)), float(np.median(below))), 0.05)


def _axes(shape: tuple[int, ...], turn: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each cell, how far along the finger it lies (down) and how far across it (right), in cells."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    cos, sin = math.cos(turn), math.sin(turn)
    return (sin * x + cos * y).astype(np.float32), (cos * x - sin * y).astype(np.float32)
