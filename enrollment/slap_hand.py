"""Which pieces of a slap are its fingertips, and which hand they are: what fits a hand best.

Every choice of as many pieces as fingers are expected is laid on the outline of a right and of a left hand
and weighed: how well places and widths fit, and whether a piece that was left out is explained as skin below
a joint. Costs are negative logarithms of a likelihood with the spreads below; hands differ less than that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from enrollment.slap_joints import turn_of
from enrollment.slap_pieces import MOST_PIECES, Piece
from matcher.codes import FingerPosition


class Hand(StrEnum):
    """The side of the body."""

    RIGHT = "right"
    LEFT = "left"


#: Middle of each tip of an adult's right hand, in px right of the middle finger's and below it, and its
#: width: thumb (beside the other thumb), index, middle, ring, little.
_RIGHT_HAND: Final[Mapping[int, tuple[float, float, float]]] = {
    1: (330.0, 0.0, 270.0),
    2: (-310.0, 170.0, 240.0),
    3: (0.0, 0.0, 245.0),
    4: (300.0, 120.0, 235.0),
    5: (590.0, 420.0, 200.0),
}
#: Spreads: of a place (px of an adult's hand), of a width and of the hand's size (log), of turns (rad).
_PLACE_PX, _WIDTH, _SIZE, _TURN_RAD, _UPRIGHT_RAD = 70.0, 0.14, 0.3, math.radians(9.0), math.radians(25.0)
#: Places that deviate more than this were not measured badly but chosen badly: cost of one at most.
_MOST_PER_PLACE = 12.0
#: Skin below a joint lies within this angle of the finger's direction and within so many lengths of the tip.
#: Thumbs lean, and have no neighbours.
_BELOW_RAD, _BELOW_THUMB_RAD, _BELOW_LENGTHS = math.radians(27.0), math.radians(42.0), 2.6
#: Cost of a piece that looks like a tip and is none, and of a tip that lies below another.
_UNEXPLAINED, _TIP_BELOW_TIP = 14.0, 25.0
#: A piece of less than this share of the tips' area is no tip left out; the second is for pieces that the
#: picture's edge cuts off.
_TIP_SHARE, _EDGE_SHARE = 0.45, 0.9
#: Area of an adult's thumb.
_USUAL_AREA_PX2 = 80_000.0
#: A little finger has this share of the largest tip's area.
_LEAST_TIP_SHARE = 0.25
#: A hand is told from the other at odds of e^3 to one: twenty.
_SURE = 3.0
#: An arrangement that costs more than this for each finger is no hand.
_NO_HAND = 14.0


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """tips: one of each expected finger, from left to right.

    right: log odds that their places are those of a right hand, 0 for thumbs.

    left_out: pieces that look like tips but are not among them. cost: for each finger, lower is better.
    stacked: one of the tips lies below another.
    """

    tips: tuple[Piece, ...]
    right: float
    left_out: tuple[Piece, ...]
    stacked: bool
    cost: float

    @property
    def fits(self) -> bool:
        """Whether this can be a hand."""
        return self.cost < _NO_HAND


def arrange(
    parts: Sequence[Piece], expected: Sequence[FingerPosition], hand_rad: float, *, both_hands: bool
) -> Arrangement | None:
    """The best choice of tips for the fingers expected; None where there are fewer pieces.

    parts: largest first. expected: in any order, of one hand or both thumbs. both_hands: whether it may be
    either hand.
    """
    parts = parts[:MOST_PIECES]
    best: dict[Hand | None, tuple[float, tuple[Piece, ...]]] = {}
    hands = (Hand.RIGHT, Hand.LEFT) if both_hands else (None,)
    outlines = {hand: _outline(expected, hand) for hand in hands}
    below = _below(parts, hand_rad, _BELOW_RAD if both_hands else _BELOW_THUMB_RAD)
    for choice in combinations(range(len(parts)), len(expected)):
        order = sorted(choice, key=lambda one: _across(parts[one], hand_rad))
        tips = tuple(parts[one] for one in order)
        common = _cost_of_rest(parts, order, below)
        for hand, outline in outlines.items():
            cost = common + _cost_of_fit(tips, outline, hand_rad)
            if hand not in best or cost < best[hand][0]:
                best[hand] = (cost, tips)
    if not best:
        return None
    hand = min(best, key=lambda each: best[each][0])
    cost, tips = best[hand]
    chosen = [parts.index(tip) for tip in tips]
    left_out = tuple(parts[each] for each in _unexplained(parts, chosen, below))
    return Arrangement(
        tips=tips,
        right=best[Hand.LEFT][0] - best[Hand.RIGHT][0] if both_hands else 0.0,
        left_out=left_out,
        stacked=_stacked(chosen, below) > 0,
        cost=(cost - _UNEXPLAINED * len(left_out)) / len(tips),
    )


def told(right: float) -> Hand | None:
    """The hand that log odds tell; None where they are not clear."""
    if abs(right) < _SURE:
        return None
    return Hand.RIGHT if right > 0 else Hand.LEFT


def count_tips(parts: Sequence[Piece], hand_rad: float, *, both_hands: bool) -> int:
    """How many pieces look like fingertips: large, and below no other."""
    below = _below(parts, hand_rad, _BELOW_RAD if both_hands else _BELOW_THUMB_RAD)
    largest = max((part.area for part in parts), default=0.0)
    return sum(
        part.area > _LEAST_TIP_SHARE * largest and not below[:, number].any()
        for number, part in enumerate(parts)
    )


def _outline(expected: Sequence[FingerPosition], hand: Hand | None) -> NDArray[np.float64]:
    """x, y, width of each finger from left to right; both thumbs where hand is None."""
    if hand is None:
        sides = [-1.0 if finger > FingerPosition.RIGHT_LITTLE else 1.0 for finger in expected]
    else:
        sides = [1.0 if hand is Hand.RIGHT else -1.0] * len(expected)
    digits = [(finger - 1) % 5 + 1 for finger in expected]
    rows = [
        (side * _RIGHT_HAND[digit][0], *_RIGHT_HAND[digit][1:])
        for side, digit in zip(sides, digits, strict=True)
    ]
    return np.array(sorted(rows))


def _cost_of_fit(tips: Sequence[Piece], outline: NDArray[np.float64], hand_rad: float) -> float:
    """How badly tips lie on the outline, turned, sized and shifted to fit, and how badly widths agree."""
    widths = np.log([tip.width for tip in tips]) - np.log(outline[:, 2])
    size = float(widths.mean())
    cost = 0.5 * float((np.square(widths - size)).sum()) / _WIDTH**2
    if len(tips) == 1:
        # The largest: its fingertip is all there is to a picture of one finger.
        return cost - 4.0 * math.log(tips[0].area / _USUAL_AREA_PX2)
    # As complex numbers, a turn and a size are one factor.
    places = np.array([complex(tip.x, tip.y) for tip in tips])
    model = outline[:, 0] + 1j * outline[:, 1]
    places, model = places - places.mean(), model - model.mean()
    spread = float((np.abs(model) ** 2).sum())
    factor = complex((places * model.conj()).sum() / spread)
    # Angles of pixels run clockwise.
    turn, stretch = -math.atan2(factor.imag, factor.real), max(abs(factor), 1e-3)
    apart = np.abs(places - factor * model) / (stretch * _PLACE_PX)
    cost += float(np.minimum(0.5 * np.square(apart), _MOST_PER_PLACE).sum())
    cost += 0.5 * ((math.log(stretch) - size) / _SIZE) ** 2
    telling = sum(abs(turn_of(tip, hand_rad) - hand_rad) > 0 for tip in tips)
    meant = float(np.mean([turn_of(tip, hand_rad) for tip in tips]))
    spread_of_turn = _TURN_RAD if telling > 1 else 1.5 * _TURN_RAD
    return cost + 0.5 * ((turn - meant) / spread_of_turn) ** 2 + 0.5 * (turn / _UPRIGHT_RAD) ** 2


def _cost_of_rest(parts: Sequence[Piece], chosen: Sequence[int], below: NDArray[np.bool_]) -> float:
    loose = len(_unexplained(parts, chosen, below))
    return _UNEXPLAINED * loose + _TIP_BELOW_TIP * _stacked(chosen, below)


def _stacked(chosen: Sequence[int], below: NDArray[np.bool_]) -> int:
    return sum(bool(below[one, other]) for one in chosen for other in chosen)


def _unexplained(parts: Sequence[Piece], chosen: Sequence[int], below: NDArray[np.bool_]) -> list[int]:
    """Pieces as large as a tip that are none, and lie below none."""
    usual = float(np.median([parts[one].area for one in chosen]))
    return [
        other
        for other, part in enumerate(parts)
        if other not in chosen
        and part.area > (_EDGE_SHARE if part.beside else _TIP_SHARE) * usual
        and not below[list(chosen), other].any()
    ]


def _below(parts: Sequence[Piece], hand_rad: float, within_rad: float) -> NDArray[np.bool_]:
    """below[i, j]: piece j is skin below the joint of piece i, or further down the finger."""
    table = np.zeros((len(parts), len(parts)), dtype=np.bool_)
    for above, tip in enumerate(parts):
        turn = turn_of(tip, hand_rad)
        for under, part in enumerate(parts):
            if above == under:
                continue
            x, y = part.x - tip.x, part.y - tip.y
            along, across = math.sin(turn) * x + math.cos(turn) * y, math.cos(turn) * x - math.sin(turn) * y
            far = math.hypot(x, y) > _BELOW_LENGTHS * tip.length
            table[above, under] = along > 0 and not far and abs(math.atan2(across, along)) < within_rad
    return table


def _across(part: Piece, hand_rad: float) -> float:
    return math.cos(hand_rad) * part.x - math.sin(hand_rad) * part.y
