"""Claims about slaps: each finger is found, named and told from the other hand's, or a refusal says why."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from enrollment.capture import FailureToAcquire, FingerprintImage, Reason
from enrollment.errors import ImageTooSmall, NoSlap
from enrollment.slap_hand import Hand
from enrollment.slaps import FINGERS_OF, CutSlap, UncutSlap, cut, fingers_expected
from fixtures.slaps import Slap, hand_of, slap
from matcher.codes import FingerPosition, ImpressionType

_SEED, _PERSON = 7, 0
_RIGHT, _LEFT, _THUMBS = (
    FingerPosition.PLAIN_RIGHT_FOUR,
    FingerPosition.PLAIN_LEFT_FOUR,
    FingerPosition.PLAIN_THUMBS,
)
_RING, _LITTLE = FingerPosition.RIGHT_RING, FingerPosition.RIGHT_LITTLE
#: NIST's tolerance of a finger's box: 3.3 mm.
_TOLERANCE_PX = 64


@pytest.fixture(scope="module")
def slaps() -> dict[FingerPosition, Slap]:
    """Both hands and the thumbs of one person."""
    return {
        position: slap(hand_of(_SEED, _PERSON, position), position, 1)
        for position in (_RIGHT, _LEFT, _THUMBS)
    }


@pytest.fixture(scope="module")
def three(slaps: dict[FingerPosition, Slap]) -> Slap:
    """The right hand without its ring finger."""
    masters = [finger.master for finger in slaps[_RIGHT].fingers]
    return slap(masters, _RIGHT, 1, missing=[_RING])


def _whole(answer: CutSlap | UncutSlap) -> CutSlap:
    assert isinstance(answer, CutSlap), answer
    return answer


def _refused(answer: CutSlap | UncutSlap) -> UncutSlap:
    assert isinstance(answer, UncutSlap), answer
    return answer


def _agree(answer: CutSlap, truth: Slap) -> bool:
    """Same fingers from left to right, each box within tolerance on its four sides."""
    assert [finger.position for finger in answer.fingers] == [finger.position for finger in truth.fingers]
    boxes = zip(answer.fingers, truth.fingers, strict=True)
    apart = [np.abs(np.subtract(found.box, true.box)).max() for found, true in boxes]
    return max(apart) <= _TOLERANCE_PX


@pytest.mark.parametrize("position", [_RIGHT, _LEFT, _THUMBS])
def test_each_finger_has_its_box_and_its_name(
    slaps: dict[FingerPosition, Slap], position: FingerPosition
) -> None:
    """Four fingers of either hand, and both thumbs; hands are seen as what they are."""
    answer = _whole(cut(slaps[position].image, position))
    assert _agree(answer, slaps[position])
    assert answer.hand is {_RIGHT: Hand.RIGHT, _LEFT: Hand.LEFT}.get(position)
    assert not answer.other_hand


@pytest.mark.parametrize(("position", "label"), [(_RIGHT, _LEFT), (_LEFT, _RIGHT)])
def test_the_wrong_label_is_noticed(
    slaps: dict[FingerPosition, Slap], position: FingerPosition, label: FingerPosition
) -> None:
    """Fingers are named as the label says; that they look like the other hand's is told beside it."""
    answer = _whole(cut(slaps[position].image, label))
    assert answer.other_hand
    assert {finger.position for finger in answer.fingers} == set(FINGERS_OF[label])


def test_a_cut_finger_shows_that_finger_alone(slaps: dict[FingerPosition, Slap]) -> None:
    """All its skin is in the picture, as captured; of its neighbours' hardly any."""
    truth = slaps[_RIGHT]
    for found, true in zip(_whole(cut(truth.image, _RIGHT)).fingers, truth.fingers, strict=True):
        left, top = max(found.box[0] - 24, 0), max(found.box[1] - 24, 0)
        height, width = found.image.pixels.shape
        window = slice(top, top + height), slice(left, left + width)
        others = np.zeros(truth.image.pixels.shape, np.bool_)
        for other in truth.fingers:
            others |= other.touched & (other is not true)
        own = true.touched[window]
        assert own.sum() > 0.97 * true.touched.sum()
        assert (found.image.pixels == truth.image.pixels[window])[own].mean() > 0.995
        assert (found.image.pixels < 128)[others[window]].sum() < 0.02 * own.sum()


def test_a_missing_finger_is_honoured(three: Slap) -> None:
    """Declared, the little finger keeps its name."""
    answer = _whole(cut(three.image, _RIGHT, [_RING]))
    assert _agree(answer, three)
    assert answer.fingers[-1].position is _LITTLE


def test_a_missing_finger_that_nobody_declared_is_a_refusal(three: Slap) -> None:
    """Rather than three fingers of which two might have the wrong name."""
    answer = _refused(cut(three.image, _RIGHT))
    assert (answer.reason, answer.seen) == (Reason.TOO_FEW_FINGERS, 3)
    assert "3 of 4 fingers are seen" in answer.advice
    assert "declare missing fingers" in answer.advice


def test_a_finger_declared_missing_that_is_there_is_a_refusal(slaps: dict[FingerPosition, Slap]) -> None:
    """The list of missing fingers is wrong, or the image."""
    answer = _refused(cut(slaps[_RIGHT].image, _RIGHT, [_RING]))
    assert (answer.reason, answer.seen) == (Reason.TOO_MANY_FINGERS, 4)
    assert "4 fingers are seen where 3 are expected" in answer.advice


def test_a_refusal_is_said_of_each_finger(three: Slap) -> None:
    """So that the desk counts four failures to acquire, with the operator's advice."""
    answer = _refused(cut(three.image, _RIGHT))
    failures = answer.failures(ImpressionType.LIVE_PLAIN)
    assert [failure.position for failure in failures] == list(FINGERS_OF[_RIGHT])
    assert failures[0] == FailureToAcquire(
        FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN, Reason.TOO_FEW_FINGERS, answer.advice
    )


@pytest.mark.parametrize("degrees", [-30.0, 30.0])
def test_a_turned_hand_is_cut(slaps: dict[FingerPosition, Slap], degrees: float) -> None:
    """Each finger's middle is where the turn has brought it, and so is its direction."""
    truth = slaps[_LEFT]
    turn = cv2.getRotationMatrix2D((800, 750), degrees, 1.0)
    turn[:, 2] += (150, 200)
    pixels = cv2.warpAffine(truth.image.pixels, turn, (1900, 1900), borderValue=240)
    answer = _whole(cut(FingerprintImage(np.asarray(pixels, np.uint8), 500), _LEFT))
    assert answer.hand is Hand.LEFT
    for found, true in zip(answer.fingers, truth.fingers, strict=True):
        left, top, right, bottom = found.box
        middle = turn @ np.array([*true.corners.mean(axis=0), 1.0])
        assert np.hypot(*(middle - ((left + right) / 2, (top + bottom) / 2))) < 50
        assert abs(np.degrees(found.turn - true.contact.rotation) - degrees) < 15


def test_a_slap_of_1000_ppi_is_cut_at_500(slaps: dict[FingerPosition, Slap]) -> None:
    """Boxes and pictures are in pixels at 500 ppi, whatever the scanner."""
    truth = slaps[_RIGHT]
    twice = cv2.resize(truth.image.pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    answer = _whole(cut(FingerprintImage(np.asarray(twice, np.uint8), 1000), _RIGHT))
    assert _agree(answer, truth)
    assert {finger.image.ppi for finger in answer.fingers} == {500}


@pytest.mark.parametrize("position", [FingerPosition.PLAIN_RIGHT_THUMB, FingerPosition.PLAIN_LEFT_THUMB])
def test_a_plain_thumb_is_cut_out(position: FingerPosition) -> None:
    """Without the skin below its joint."""
    truth = slap(hand_of(_SEED, _PERSON, position), position, 1)
    answer = _whole(cut(truth.image, position))
    assert _agree(answer, truth)
    assert answer.hand is None


def test_a_slap_is_cut_the_same_every_time(slaps: dict[FingerPosition, Slap]) -> None:
    """Same bytes, same boxes, same pixels."""
    one, again = (_whole(cut(slaps[_RIGHT].image, _RIGHT)) for _ in range(2))
    assert [finger.box for finger in one.fingers] == [finger.box for finger in again.fingers]
    pairs = zip(one.fingers, again.fingers, strict=True)
    assert all(np.array_equal(a.image.pixels, b.image.pixels) for a, b in pairs)


@pytest.mark.parametrize(
    ("position", "missing", "says"),
    [
        (FingerPosition.RIGHT_INDEX, (), "is no slap"),
        (FingerPosition.UNKNOWN, (), "is no slap"),
        (_RIGHT, FINGERS_OF[_RIGHT], "All fingers of plain_right_four are declared missing"),
    ],
)
def test_what_is_no_slap_is_refused(
    position: FingerPosition, missing: Collection[FingerPosition], says: str
) -> None:
    """One finger, a finger nobody knows, and a hand without fingers."""
    with pytest.raises(NoSlap, match=says):
        fingers_expected(position, missing)


def _blank(shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.full(shape, 235, np.uint8)


def _noise(shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def _stripes(shape: tuple[int, int]) -> NDArray[np.uint8]:
    wave = 127 + 120 * np.sin(np.arange(shape[1]) * (2 * np.pi / 9))
    return np.broadcast_to(wave.astype(np.uint8), shape).copy()


def _discs(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Round islands of stripes, up to two hundred: far more pieces than a hand has."""
    y, x = np.indices(shape)
    islands = np.hypot(x % 130 - 65, y % 130 - 65) < 52
    return np.where(islands, _stripes(shape), _blank(shape)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(90, 90), (1500, 1600), (90, 1600), (2000, 2000)], ids=str)
@pytest.mark.parametrize("draw", [_blank, _noise, _stripes, _discs])
def test_what_is_no_hand_is_never_cut(
    draw: Callable[[tuple[int, int]], NDArray[np.uint8]], shape: tuple[int, int]
) -> None:
    """From an empty glass to the largest picture that is read; a few seconds of computing at most."""
    began = time.process_time()
    answer = _refused(cut(FingerprintImage(draw(shape), 500), _RIGHT))
    assert time.process_time() - began < 4.0
    assert answer.reason in {Reason.NO_FINGERPRINT, *(_COUNTED if draw is not _blank else ())}
    assert answer.advice.endswith(".")


_COUNTED = (Reason.TOO_FEW_FINGERS, Reason.TOO_MANY_FINGERS, Reason.NO_HAND)


def test_a_picture_smaller_than_a_fingertip_is_refused() -> None:
    """As every picture is."""
    with pytest.raises(ImageTooSmall):
        cut(FingerprintImage(_blank((80, 400)), 500), _RIGHT)


def test_a_hand_upside_down_never_passes_in_silence(slaps: dict[FingerPosition, Slap]) -> None:
    """Half a turn swaps the order of the fingers: names would all be wrong."""
    turned = FingerprintImage(np.ascontiguousarray(slaps[_RIGHT].image.pixels[::-1, ::-1]), 500)
    answer = cut(turned, _RIGHT)
    assert isinstance(answer, UncutSlap) or answer.other_hand
