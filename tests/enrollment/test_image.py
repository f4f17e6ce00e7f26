"""Every picture at 500 ppi."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from enrollment.capture import FingerprintImage
from enrollment.errors import ImageTooLarge, ImageTooSmall, UnknownResolution
from enrollment.image import low_pass_sigma_px, normalise


def grating(period_px: float, size: int = 400) -> NDArray[np.uint8]:
    """Vertical stripes of amplitude 100 around mid-grey."""
    wave = 127.5 + 100 * np.sin(2 * np.pi * np.arange(size) / period_px)
    return np.tile(wave, (size, 1)).astype(np.uint8)


def amplitude(pixels: NDArray[np.uint8]) -> float:
    return float(np.std(pixels[40:-40, 40:-40]) * np.sqrt(2))


def test_500_ppi_comes_back_as_it_is() -> None:
    """Not one pixel is touched."""
    image = FingerprintImage(grating(9), 500)
    assert normalise(image) is image


@pytest.mark.parametrize(("ppi", "size"), [(1000, 200), (569, 351), (250, 800), (1200, 167)])
def test_size_follows_the_resolution(ppi: int, size: int) -> None:
    """Sides scale by 500 / ppi, to the nearest pixel."""
    image = normalise(FingerprintImage(grating(9), ppi))
    assert (image.pixels.shape, image.ppi, image.pixels.dtype) == ((size, size), 500, np.uint8)


@pytest.mark.parametrize("ppi", [569, 1000, 1200])
def test_ridges_survive(ppi: int) -> None:
    """A ridge period of 9 px at 500 ppi keeps at least 95 % of its contrast."""
    image = normalise(FingerprintImage(grating(9 * ppi / 500), ppi))
    assert amplitude(image.pixels) > 95


@pytest.mark.parametrize(("cycles_per_new_px", "most"), [(0.6, 25), (0.75, 12), (0.95, 3)])
def test_what_500_ppi_cannot_hold_does_not_alias(cycles_per_new_px: float, most: float) -> None:
    """Stripes above the new limit of 0.5 would come back as false ridges."""
    image = normalise(FingerprintImage(grating(2 / cycles_per_new_px), 1000))
    assert amplitude(image.pixels) < most


def test_low_pass_is_that_of_nistir_7839_at_1000_ppi() -> None:
    """Sigma 0.8475 px for halving, none for enlarging."""
    assert low_pass_sigma_px(2.0) == pytest.approx(0.8475)
    assert low_pass_sigma_px(0.9) == 0


def test_pixel_centres_stay_aligned() -> None:
    """A dot moves to (x + 0.5) * 500 / ppi - 0.5."""
    pixels = np.zeros((400, 400), np.uint8)
    pixels[100:102, 200:202] = 255  # centre (200.5, 100.5)
    small = normalise(FingerprintImage(pixels, 1000)).pixels.astype(float)
    y, x = np.mgrid[0:200, 0:200]
    assert (x * small).sum() / small.sum() == pytest.approx(100, abs=0.02)
    assert (y * small).sum() / small.sum() == pytest.approx(50, abs=0.02)


@pytest.mark.parametrize("ppi", [72, 249, 1201])
def test_impossible_resolution_is_refused(ppi: int) -> None:
    """Nobody can hand in an array with a resolution that no scanner has."""
    with pytest.raises(UnknownResolution, match=f"{ppi} ppi"):
        normalise(FingerprintImage(grating(9), ppi))


def test_limits_hold_at_500_ppi_too() -> None:
    """A small 1000 ppi picture has no room for a finger; a large 250 ppi one grows too large."""
    with pytest.raises(ImageTooSmall, match="75 x 75"):
        normalise(FingerprintImage(grating(9, 150), 1000))
    with pytest.raises(ImageTooLarge):
        normalise(FingerprintImage(grating(9, 1_100), 250))


def test_no_side_is_longer_than_a_templates() -> None:
    """A long strip has few pixels; beyond the longest side that a template can have it is refused."""
    for ppi, longest in ((500, 4_000), (1000, 8_000)):
        strip = np.full((longest, 200), 230, dtype=np.uint8)
        assert normalise(FingerprintImage(strip, ppi)).pixels.shape[0] == 4_000
        with pytest.raises(ImageTooLarge, match="at most 4000 on a side"):
            normalise(FingerprintImage(np.vstack([strip, strip[: ppi // 250]]), ppi))
