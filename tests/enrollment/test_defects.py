"""Each defect is seen in a capture that has it, and none in a clean one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from ridge_pictures import ridge_picture

from benchmarks.defect_captures import FITTED_SEED, Case, cases
from benchmarks.defects import outcome_of, recognised
from benchmarks.impostors import palm
from enrollment.advice import CODES, Language, advice
from enrollment.capture import Capture, Defect, FailureToAcquire, Finger, FingerprintImage, Reason
from enrollment.defects import find_defects, ridge_tone
from enrollment.network import MinutiaeNetwork
from enrollment.orientation import ridge_field
from enrollment.pipeline import extract
from enrollment.placement import placement
from enrollment.ridge_spectrum import ridge_spectrum
from enrollment.segmentation import gradients, segment
from enrollment.upright import uprightness
from fixtures import named
from matcher.codes import FingerPosition, ImpressionType
from matcher.template import Template

#: Defects made by `benchmarks.defect_captures`.
MADE = tuple(defect for defect in Defect if defect is not Defect.FEW_MINUTIAE)


@pytest.fixture(scope="module")
def captures() -> tuple[Case, ...]:
    """Two fingers on the bright scanner and on their own."""
    return tuple(cases(2, FITTED_SEED))


@pytest.mark.parametrize("defect", MADE)
def test_defect_is_seen(captures: Sequence[Case], network: MinutiaeNetwork, defect: Defect) -> None:
    """In every capture made with it on the bright scanner; `benchmarks.defects` counts the others."""
    made = [case for case in captures if case.defect is defect and case.bright]
    assert len(made) >= 2
    for case in made:
        assert recognised(defect, outcome_of(case.pixels, network)), case.finger


def test_clean_capture_has_no_defect(captures: Sequence[Case], network: MinutiaeNetwork) -> None:
    """Not one of ten codes, on either scanner."""
    for case in captures:
        if case.defect is None:
            outcome = outcome_of(case.pixels, network)
            assert isinstance(outcome, Finger)
            assert outcome.quality.defects == ()


def test_defects_come_in_their_order(network: MinutiaeNetwork) -> None:
    """Whatever is wrong is told once, in the order of the codes."""
    upside_down = np.ascontiguousarray(named.probe().pixels[::-1, ::-1])
    faint = np.clip(235 - (235 - upside_down.astype(np.float32)) * 0.1, 0, 255).astype(np.uint8)
    outcome = outcome_of(faint, network)
    assert isinstance(outcome, Finger)
    assert outcome.quality.defects == (Defect.LOW_CONTRAST, Defect.UPSIDE_DOWN)


@pytest.mark.parametrize(
    ("number", "window"), [(0, (368, 448)), (1, (300, 300)), (2, (504, 480)), (3, (1600, 1500))]
)
def test_palm_is_no_fingertip(network: MinutiaeNetwork, window: tuple[int, int], number: int) -> None:
    """Ridges as clear as any, but they run one way, or over more than a finger has."""
    outcome = outcome_of(palm(np.random.default_rng(number), window), network)
    assert isinstance(outcome, FailureToAcquire)
    assert outcome.reason in {Reason.NO_FINGERTIP, Reason.TOO_FEW_MINUTIAE}


def test_rolled_print_is_one_finger(network: MinutiaeNetwork) -> None:
    """From nail to nail it is large, and still a fingertip in the middle of its box."""
    image = named.rolled_probe()
    outcome = extract(Capture(FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_ROLLED, image), network)
    assert isinstance(outcome, Finger)
    assert not {Defect.SEVERAL_FINGERS, Defect.OFF_CENTRE, Defect.UPSIDE_DOWN} & set(outcome.quality.defects)


def test_slap_is_not_one_finger(network: MinutiaeNetwork) -> None:
    """Four fingers sent as one are refused, or at least told."""
    outcome = outcome_of(named.right_slap().pixels, network)
    assert isinstance(outcome, FailureToAcquire) or Defect.SEVERAL_FINGERS in outcome.quality.defects


def test_period_is_the_pictures() -> None:
    """Ridges nine pixels apart, clear all over; a stretched picture has a stretched period."""
    pixels = ridge_picture(320, 384, seed=2, noise=2).pixels
    for factor in (0.7, 1.0, 1.4):
        scaled = np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor), dtype=np.uint8)
        found = ridge_spectrum(scaled, segment(gradients(scaled)))
        assert found is not None
        assert found.period_px == pytest.approx(9.0 * factor, rel=0.05)
        assert found.share > 0.8


def test_half_a_turn_changes_the_sign() -> None:
    """Of the odds that the tip is up, to the last digit that matters; a mirror changes nothing."""
    pixels = named.probe().pixels
    height, width = (side // 16 * 16 for side in pixels.shape)
    upright = _uprightness(pixels[:height, :width])
    assert upright > 1.0
    assert _uprightness(pixels[:height, :width][::-1, ::-1]) == pytest.approx(-upright, abs=0.3)
    assert _uprightness(pixels[:height, :width][:, ::-1]) == pytest.approx(upright, abs=0.3)


def _uprightness(pixels: NDArray[np.uint8]) -> float:
    steps = gradients(np.ascontiguousarray(pixels))
    value = uprightness(ridge_field(steps, segment(steps)))
    assert value is not None
    return value


def test_placement_of_known_shapes() -> None:
    """Two blocks side by side, one of them at the edge."""
    foreground = np.zeros((200, 400), dtype=np.bool_)
    foreground[50:150, 0:100] = True
    alone = placement(foreground)
    assert (alone.width_px, alone.height_px, alone.parted) == (100, 100, 0.0)
    assert alone.off == pytest.approx(0.376, abs=0.002)
    assert alone.cut == pytest.approx(1.0)
    foreground[100:200, 200:300] = True
    assert placement(foreground).parted == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("odd", [0, 1])
def test_ridge_tone_equals_its_definition(odd: int) -> None:
    """Median and share, number by number, of an even and an odd number of pixels."""
    pixels = cv2.resize(np.random.default_rng(4).integers(0, 90, (30, 30), dtype=np.uint8), (120, 120))
    foreground = np.zeros_like(pixels, dtype=np.bool_)
    foreground[20:90, 30:110] = True
    foreground[0, 0] = odd
    smooth = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.0), dtype=np.uint8)
    square = np.ones((15, 15), dtype=np.uint8)
    darkest, lightest = (
        cv2.blur(grey, (15, 15)).astype(np.float64)
        for grey in (cv2.erode(smooth, square), cv2.dilate(smooth, square))
    )
    judged = foreground & (lightest - darkest > 8)
    dark = smooth[judged] < (lightest + darkest)[judged] / 2
    tone = ridge_tone(smooth, foreground)
    assert tone.contrast == np.median((lightest - darkest)[foreground])
    assert 0 < tone.dark_share == dark.mean() < 1


def test_nothing_to_judge_is_no_error() -> None:
    """An even picture has no contrast and no defect of moisture; no foreground is told in three codes."""
    even = np.full((150, 150), 7, dtype=np.uint8)
    tone = ridge_tone(even, np.ones_like(even, dtype=np.bool_))
    assert (tone.contrast, tone.dark_share) == (0.0, 0.5)
    empty = np.empty(0)
    template = Template(
        *(empty.astype(kind) for kind in (np.int16, np.int16, np.float32, np.uint8, np.uint8)), 150, 150
    )
    nowhere = np.zeros_like(even, dtype=np.bool_)
    assert find_defects(template, even, nowhere) == (
        Defect.FEW_MINUTIAE,
        Defect.TOO_SMALL,
        Defect.LOW_CONTRAST,
    )


@pytest.mark.parametrize("language", list(Language))
def test_every_code_has_a_sentence(language: Language) -> None:
    """In four languages, each its own, short enough for a screen."""
    sentences = [advice(code, language) for code in CODES]
    assert len(set(sentences)) == len(CODES)
    assert all(sentence.endswith(".") and len(sentence) < 200 for sentence in sentences)
    if language is not Language.ENGLISH:
        assert not set(sentences) & {advice(code) for code in CODES}


def test_code_of_the_first_release_is_read() -> None:
    """`small_area` became `too_small`."""
    assert Defect("small_area") is Defect.TOO_SMALL
    assert FingerprintImage(np.zeros((1, 1), np.uint8), 500).ppi == 500
