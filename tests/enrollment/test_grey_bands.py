"""Grain, ridges and shading are told apart by their width."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from ridge_pictures import ridge_picture

from enrollment.capture import Capture, Finger, FingerprintImage
from enrollment.grey_bands import GreyBands, grey_bands, without_grain
from enrollment.network import MinutiaeNetwork
from enrollment.parameters import GRAINY_SHARE
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType

_SIDE = 256
_ALL = np.ones((_SIDE, _SIDE), dtype=np.bool_)


def wave(period_px: float) -> NDArray[np.uint8]:
    """Upright stripes of one period."""
    columns = np.arange(_SIDE) * (2 * np.pi / period_px)
    return np.asarray(np.tile(128 + 100 * np.sin(columns), (_SIDE, 1)), dtype=np.uint8)


@pytest.mark.parametrize(("period_px", "grain", "ridges"), [(2.5, 1, 0), (9.0, 0, 1), (120.0, 0, 0)])
def test_each_width_is_in_its_band(period_px: float, grain: float, ridges: float) -> None:
    """Stripes of grain, of ridges and of shading."""
    found = grey_bands(wave(period_px), _ALL)
    assert found.grain == pytest.approx(grain, abs=0.15)
    assert found.ridges == pytest.approx(ridges, abs=0.25)


def test_only_the_foreground_counts() -> None:
    """Grain beside the print is not the print's; without foreground there is nothing."""
    pixels = np.where(np.arange(_SIDE) < _SIDE // 2, wave(9.0), wave(2.5)).astype(np.uint8)
    left = _ALL.copy()
    left[:, _SIDE // 2 - 8 :] = False
    assert grey_bands(pixels, left).grain < 0.1 < grey_bands(pixels, _ALL).grain
    assert grey_bands(pixels, ~_ALL) == GreyBands(0.0, 0.0)


def test_ridges_stay_without_their_grain() -> None:
    """The ridges' part of the energy grows, and they stand where they stood."""
    clean = ridge_picture(noise=0.0).pixels
    noisy = ridge_picture(noise=60.0).pixels
    inside = np.ones(clean.shape, dtype=np.bool_)
    assert grey_bands(without_grain(noisy), inside).grain < 0.3 * grey_bands(noisy, inside).grain
    assert np.corrcoef(without_grain(noisy).ravel(), clean.ravel())[0, 1] > 0.9


def test_the_network_sees_no_grain(network: MinutiaeNetwork) -> None:
    """In a grainy picture the crop it is given is the smooth one; in a clear one it is the picture's own."""
    for noise, grainy in ((6.0, False), (70.0, True)):
        stages = {}
        image = FingerprintImage(ridge_picture(noise=noise).pixels, 500)
        capture = Capture(FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN, image)
        assert isinstance(extract(capture, network, stages.__setitem__), Finger)
        assert (stages["grey_bands"].grain > GRAINY_SHARE) == grainy
        crop, seen = stages["crop"], stages["normalised"]
        height, width = crop.pixels.shape
        top, left = max(crop.top, 0), max(crop.left, 0)
        below, right = min(crop.top + height, seen.shape[0]), min(crop.left + width, seen.shape[1])
        shown = crop.pixels[top - crop.top : below - crop.top, left - crop.left : right - crop.left]
        expected = without_grain(seen) if grainy else seen
        assert np.array_equal(shown, expected[top:below, left:right])
