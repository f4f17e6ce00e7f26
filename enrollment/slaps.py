"""Slaps: a picture of four fingers or of thumbs is cut into pictures of one finger each, step by step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.capture import Capture, FailureToAcquire, FingerprintImage, Reason
from enrollment.errors import NoSlap
from enrollment.image import TEMPLATE_PPI, normalise
from enrollment.slap_hand import Arrangement, Hand, arrange, count_tips, told
from enrollment.slap_joints import cut_at_joints, pointing, turn_of
from enrollment.slap_loops import right_by_loops
from enrollment.slap_pieces import Piece, pieces
from enrollment.slap_ridges import CELL_PX, ridge_map
from matcher.codes import FingerPosition, ImpressionType

#: Name and version of what cuts here; changes with every change of the boxes it finds.
CUTTER: Final = "tenprint-slaps-1"
#: The fingers of each picture that is cut up.
FINGERS_OF: Final[dict[FingerPosition, tuple[FingerPosition, ...]]] = {
    FingerPosition.PLAIN_RIGHT_THUMB: (FingerPosition.RIGHT_THUMB,),
    FingerPosition.PLAIN_LEFT_THUMB: (FingerPosition.LEFT_THUMB,),
    FingerPosition.PLAIN_RIGHT_FOUR: tuple(FingerPosition(code) for code in (2, 3, 4, 5)),
    FingerPosition.PLAIN_LEFT_FOUR: tuple(FingerPosition(code) for code in (7, 8, 9, 10)),
    FingerPosition.PLAIN_THUMBS: (FingerPosition.RIGHT_THUMB, FingerPosition.LEFT_THUMB),
}
_HANDS = {FingerPosition.PLAIN_RIGHT_FOUR: Hand.RIGHT, FingerPosition.PLAIN_LEFT_FOUR: Hand.LEFT}
#: Ground kept around a finger in its own picture, px at 500 ppi: the network sees past the print's edge.
_MARGIN_PX: Final = 24
#: An averaged map of ridges reaches this far beyond the last of them.
_BEYOND_PX: Final = 7
#: Skin of other fingers is painted over as far as this beyond its cells.
_RIM_PX: Final = 12
#: The ground is light: its grey is this percentile of the picture's.
_GROUND_PERCENTILE: Final = 90.0


@dataclass(frozen=True, slots=True, eq=False)
class CutFinger:
    """One finger of a slap; pixels of the slap at 500 ppi, y down.

    box: left, top, right, bottom, the last two just outside: the tip above its joint. turn: of the finger
    against upright, counter-clockwise, rad. image: its picture, 500 ppi, as it lies in the slap; other
    fingers in it are painted over with ground.
    """

    position: FingerPosition
    box: tuple[int, int, int, int]
    turn: float
    image: FingerprintImage

    def capture(self, impression: ImpressionType) -> Capture:
        """What `pipeline.extract` takes."""
        return Capture(self.position, impression, self.image)


@dataclass(frozen=True, slots=True, eq=False)
class CutSlap:
    """A slap cut up. fingers: from left to right, named as the slap's position says.

    hand: as told by places and ridges of the fingers; None for thumbs, and where too few fingers tell.
    """

    position: FingerPosition
    fingers: tuple[CutFinger, ...]
    hand: Hand | None

    @property
    def other_hand(self) -> bool:
        """The fingers lie as the other hand's do: the names are those of the label, and in doubt."""
        return self.hand is not None and self.hand is not _HANDS.get(self.position)


@dataclass(frozen=True, slots=True)
class UncutSlap:
    """A slap whose fingers could not be named for certain. Counted, hence no exception.

    seen: fingers that were found. advice: one English sentence for the operator.
    """

    position: FingerPosition
    expected: tuple[FingerPosition, ...]
    reason: Reason
    seen: int
    advice: str

    def failures(self, impression: ImpressionType) -> tuple[FailureToAcquire, ...]:
        """The same, said of each finger that was expected."""
        return tuple(
            FailureToAcquire(finger, impression, self.reason, self.advice) for finger in self.expected
        )


def cut(
    image: FingerprintImage, position: FingerPosition, missing: Collection[FingerPosition] = ()
) -> CutSlap | UncutSlap:
    """Cut a slap (positions 11-15) into the fingers that are not `missing` (amputated, bandaged).

    The pictures keep the fingers' turn: turning would blur the ridges, and the matcher does not mind.

    Raises NoSlap for another position or where no finger is left, and what `normalise` raises.
    """
    expected = fingers_expected(position, missing)
    pixels = normalise(image).pixels
    ridges = ridge_map(pixels)

    parts = pieces(ridges)
    if not parts:
        return _uncut(position, expected, Reason.NO_FINGERPRINT, 0)

    hand_rad = pointing(parts)
    parts = cut_at_joints(parts, ridges, hand_rad)

    both_hands = position in _HANDS
    found = arrange(parts, expected, hand_rad, both_hands=both_hands)
    problem = Reason.TOO_FEW_FINGERS if found is None else _problem(found)
    if found is None or problem is not None:
        seen = count_tips(parts, hand_rad, both_hands=both_hands)
        return _uncut(position, expected, problem or Reason.NO_HAND, seen)

    turns = [turn_of(tip, hand_rad) for tip in found.tips]
    named = sorted(expected, key=_from_the_left)
    fingers = (
        CutFinger(name, _box(tip), turn, _picture(pixels, tip, parts))
        for name, tip, turn in zip(named, found.tips, turns, strict=True)
    )
    return CutSlap(position, tuple(fingers), _hand(pixels, found, turns, expected) if both_hands else None)


def fingers_expected(
    position: FingerPosition, missing: Collection[FingerPosition] = ()
) -> tuple[FingerPosition, ...]:
    """The fingers a slap should show, by position; NoSlap where there are none."""
    if position not in FINGERS_OF:
        raise NoSlap(
            f"{position.name.lower()} is no slap. Positions that are cut up: "
            "11 and 12 (one thumb), 13 and 14 (four fingers), 15 (both thumbs)."
        )
    expected = tuple(finger for finger in FINGERS_OF[position] if finger not in missing)
    if not expected:
        raise NoSlap(
            f"All fingers of {position.name.lower()} are declared missing: leave the image out, "
            "or correct the list of missing fingers."
        )
    return expected


def _hand(
    pixels: NDArray[np.uint8],
    found: Arrangement,
    turns: Sequence[float],
    expected: Collection[FingerPosition],
) -> Hand | None:
    """The hand that places and ridges of its fingers tell."""
    digits = [(finger - 1) % 5 + 1 for finger in expected]
    return told(found.right + right_by_loops(pixels, found.tips, turns, digits))


def not_shown(position: FingerPosition, captured: Collection[FingerPosition]) -> tuple[FingerPosition, ...]:
    """The fingers that a stored slap does not show: `captured`, the encounter's, has nothing of them."""
    return tuple(finger for finger in FINGERS_OF.get(position, ()) if finger not in captured)


def _problem(found: Arrangement) -> Reason | None:
    if found.stacked:
        return Reason.TOO_FEW_FINGERS
    if found.left_out:
        return Reason.TOO_MANY_FINGERS
    return None if found.fits else Reason.NO_HAND


def _uncut(
    position: FingerPosition, expected: tuple[FingerPosition, ...], problem: Reason, seen: int
) -> UncutSlap:
    sentences = {
        Reason.NO_FINGERPRINT: "No finger is seen: clean the glass, place the fingers and capture again.",
        Reason.TOO_FEW_FINGERS: f"{seen} of {len(expected)} fingers are seen: declare missing fingers, "
        "or capture again with all fingertips on the glass and apart.",
        Reason.TOO_MANY_FINGERS: f"{seen} fingers are seen where {len(expected)} are expected: correct "
        "the position or the missing fingers, or capture again with nothing else on the glass.",
        Reason.NO_HAND: "The prints do not lie as the fingers of a hand do: check which fingers are "
        "missing, and capture again with the fingers pointing up and side by side.",
    }
    return UncutSlap(position, expected, problem, seen, sentences[problem])


def _from_the_left(finger: FingerPosition) -> int:
    """Order in the picture: left thumb, left little … left index; right thumb, right index … right little."""
    if finger is FingerPosition.LEFT_THUMB:
        return -20
    return -int(finger) if finger > FingerPosition.RIGHT_LITTLE else int(finger)


def _box(tip: Piece) -> tuple[int, int, int, int]:
    """Around all cells of the tip, which reach a little beyond the skin, but not at the picture's edge."""
    rows, columns = np.flatnonzero(tip.cells.any(axis=1)), np.flatnonzero(tip.cells.any(axis=0))
    last_row, last_column = tip.cells.shape[0] - 1, tip.cells.shape[1] - 1
    return (
        int(columns[0]) * CELL_PX + (_BEYOND_PX if columns[0] > 0 else 0),
        int(rows[0]) * CELL_PX + (_BEYOND_PX if rows[0] > 0 else 0),
        int(columns[-1] + 1) * CELL_PX - (_BEYOND_PX if columns[-1] < last_column else 0),
        int(rows[-1] + 1) * CELL_PX - (_BEYOND_PX if rows[-1] < last_row else 0),
    )


def _picture(pixels: NDArray[np.uint8], tip: Piece, parts: Collection[Piece]) -> FingerprintImage:
    """The box with its margin; skin of other pieces in it is painted over."""
    height, width = pixels.shape
    left, top, right, bottom = _box(tip)
    window = (
        slice(max(top - _MARGIN_PX, 0), min(bottom + _MARGIN_PX, height)),
        slice(max(left - _MARGIN_PX, 0), min(right + _MARGIN_PX, width)),
    )
    others = np.zeros(tip.cells.shape, dtype=np.bool_)
    for part in parts:
        if part is not tip:
            others |= part.cells
    rim = 2 * round(_RIM_PX / CELL_PX) + 1
    near = cv2.dilate(others.astype(np.uint8), np.ones((rim, rim), np.uint8)) > 0
    hidden = np.repeat(np.repeat(near & ~tip.cells, CELL_PX, axis=0), CELL_PX, axis=1)
    picture = pixels[window].copy()
    picture[hidden[:height, :width][window]] = np.percentile(pixels[::8, ::8], _GROUND_PERCENTILE)
    return FingerprintImage(picture, TEMPLATE_PPI)
