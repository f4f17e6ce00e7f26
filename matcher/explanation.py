"""Why a comparison scored as it did, in numbers an examiner can check on the two pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from matcher.alignment import Motion, inverse, unmoved
from matcher.codes import MinutiaKind
from matcher.comparison import compare, prepare
from matcher.region import Corners, common_region
from matcher.scoring import Score, is_extrapolated, score_interval
from matcher.template import Template

#: Prints turned against each other by more than this are not how fingers are laid down: one stands on its
#: head, or is of another hand's sheet. Found all the same, and said.
UPSIDE_DOWN_DEG: Final = 135.0
_KINDS: Final = {int(kind): kind.name.lower() for kind in MinutiaKind}


@dataclass(frozen=True, slots=True)
class PairedMinutiae:
    """Two minutiae taken for one. Pixels at 500 ppi of each picture, origin top left, y down.

    probe, reference: x and y. apart_px: how far the probe's lies from the reference's once laid over it.
    kinds: what each was read as: ending, bifurcation, or other.
    """

    probe: tuple[int, int]
    reference: tuple[int, int]
    apart_px: float
    kinds: tuple[str, str]


@dataclass(frozen=True, slots=True)
class CommonRegion:
    """The polygon that both prints' minutiae span, by its corners (x, y) in pixels of each picture, in order.

    Empty where the prints do not meet. What lies outside it in one print cannot be told from the other.
    """

    probe: tuple[tuple[int, int], ...]
    reference: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A comparison told in its parts.

    score: −10·log10(FMR). interval: between these it lies with 95 % confidence, as far as the number of
    comparisons behind the calibration tells; the upper end is None beyond what they support.
    extrapolated: the score lies beyond them.
    turn_deg: the probe is turned by this, counter-clockwise, to lie on the reference; -180 to 180.
    shift_px: and then shifted by this: right, down. upside_down: by more than 135 degrees.
    region: what both prints show.
    worth, share, ridges, trust: their product is the evidence, `Comparison` says what each is.
    because: what each circumstance adds to the logarithm of the trust.
    """

    score: Score
    interval: tuple[float, float | None]
    extrapolated: bool
    pairs: tuple[PairedMinutiae, ...]
    turn_deg: float
    shift_px: tuple[float, float]
    upside_down: bool
    region: CommonRegion
    worth: float
    share: float
    ridges: float
    trust: float
    because: Mapping[str, float]


def explain(probe: Template, reference: Template) -> Explanation:
    """Compare two prints and tell why; the score is the one that every other path gives."""
    first, second = prepare(probe), prepare(reference)
    found = compare(first, second)
    fielded = probe.field is not None and reference.field is not None
    cos, sin, right, up = found.motion
    turn = math.degrees(math.atan2(sin, cos)) if len(found.pairs) else 0.0
    pairs = []
    for own, other in found.pairs.tolist():
        x, y = float(probe.x[own]), -float(probe.y[own])
        laid = (cos * x - sin * y + right, sin * x + cos * y + up)
        there = (int(reference.x[other]), int(reference.y[other]))
        apart = math.hypot(laid[0] - there[0], laid[1] + there[1])
        kinds = _kind(probe.kind[own]), _kind(reference.kind[other])
        here = (int(probe.x[own]), int(probe.y[own]))
        pairs.append(PairedMinutiae(here, there, round(apart, 1), kinds))
    motion = np.array(found.motion)
    region = common_region(first, second, motion) if pairs else np.zeros((0, 2))
    return Explanation(
        score=found.score,
        interval=score_interval(found.score, with_field=fielded),
        extrapolated=is_extrapolated(found.score, with_field=fielded),
        pairs=tuple(pairs),
        turn_deg=turn,
        shift_px=(right, -up),
        upside_down=abs(turn) > UPSIDE_DOWN_DEG,
        region=CommonRegion(_in_picture(region, inverse(motion)), _in_picture(region, unmoved())),
        worth=found.worth,
        share=found.share,
        ridges=found.ridges,
        trust=found.trust,
        because=found.because,
    )


def _kind(code: int) -> str:
    return _KINDS.get(int(code), "other")


def _in_picture(region: Corners, motion: Motion) -> tuple[tuple[int, int], ...]:
    """Corners after a motion, as pixels of a picture, y down."""
    cos, sin, right, up = motion
    x, y = region.T
    places = np.rint([cos * x - sin * y + right, -(sin * x + cos * y + up)]).astype(int)
    return tuple((across, down) for across, down in places.T.tolist())
