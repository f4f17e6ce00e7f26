"""Negatives give the same template as their positives; positives of every scanner stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.defect_captures import FITTED_SEED
from enrollment.capture import Capture, Finger, FingerprintImage
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from enrollment.polarity import with_dark_ridges
from enrollment.segmentation import gradients, segment
from fixtures import named
from fixtures.capture import capture
from fixtures.finger import master_finger
from matcher.codes import FINGERS, FingerPosition, ImpressionType


def test_negative_gives_the_same_template(network: MinutiaeNetwork) -> None:
    """Bit for bit: nothing of the negative is left."""
    image = named.probe()
    negative = FingerprintImage(255 - image.pixels, 500)
    fingers = [
        extract(Capture(FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN, each), network)
        for each in (image, negative)
    ]
    positive, turned = fingers
    assert isinstance(positive, Finger)
    assert isinstance(turned, Finger)
    for column in ("x", "y", "angle", "kind", "quality"):
        np.testing.assert_array_equal(getattr(positive.template, column), getattr(turned.template, column))
    assert positive.quality == turned.quality


@pytest.mark.parametrize("person", range(6))
def test_each_scanner_is_understood(person: int) -> None:
    """However dark its ground, beneath a finger as it comes to a desk."""
    pixels = capture(master_finger(FITTED_SEED, person, FINGERS[person]), 1).image.pixels
    foreground = segment(gradients(pixels))
    assert with_dark_ridges(pixels, foreground) is pixels
    np.testing.assert_array_equal(with_dark_ridges(255 - pixels, foreground), pixels)


def test_without_ground_nothing_is_turned() -> None:
    """There is nothing to tell by."""
    pixels = np.zeros((100, 100), np.uint8)
    assert with_dark_ridges(pixels, np.ones_like(pixels, dtype=np.bool_)) is pixels
    assert with_dark_ridges(pixels, np.zeros_like(pixels, dtype=np.bool_)) is pixels
