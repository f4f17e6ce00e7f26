"""The ridge field tells which way the ridges run."""

from __future__ import annotations

import numpy as np
import pytest
from ridge_pictures import ridge_picture

from enrollment.orientation import ridge_field
from enrollment.segmentation import gradients


@pytest.mark.parametrize("degrees", [0, 10, 45, 80, 90, 100, 135, 170])
def test_straight_ridges_have_their_angle(degrees: int) -> None:
    """Counter-clockwise from +x as seen on the picture, within one of the 256 steps; fully coherent."""
    rows, columns = np.mgrid[:128, :160]
    angle = np.radians(degrees)
    across = columns * np.sin(angle) + rows * np.cos(angle)
    pixels = (128 + 100 * np.cos(2 * np.pi * across / 9)).astype(np.uint8)
    field = ridge_field(gradients(pixels), np.ones((128, 160), dtype=np.bool_))
    off = (field.orientation[1:-1, 1:-1] * (180 / 256) - degrees + 90) % 180 - 90
    assert np.abs(off).max() < 1.5
    assert field.coherence[1:-1, 1:-1].min() > 230


def test_minutiae_point_along_the_field() -> None:
    """Field and minutiae use one convention for angles."""
    picture = ridge_picture(320, 384, minutiae=24, seed=4)
    field = ridge_field(gradients(picture.pixels), np.ones((384, 320), dtype=np.bool_))
    ridge = field.orientation[picture.y.astype(int) // 16, picture.x.astype(int) // 16] * (np.pi / 256)
    assert np.cos(2 * (ridge - picture.angle)).min() > 0.9


def test_noise_is_not_coherent() -> None:
    """Without ridges there is no common direction."""
    noise = np.random.default_rng(1).integers(0, 256, (128, 128), dtype=np.uint8)
    field = ridge_field(gradients(noise), np.ones((128, 128), dtype=np.bool_))
    assert np.median(field.coherence) < 40


def test_grid_covers_the_picture() -> None:
    """Sides that are no multiple of 16 get a last, partial cell; cells outside are empty."""
    foreground = np.zeros((100, 70), dtype=np.bool_)
    foreground[16:57, :] = True
    field = ridge_field(gradients(ridge_picture(70, 100, minutiae=0).pixels), foreground)
    assert field.orientation.shape == field.coherence.shape == field.foreground.shape == (7, 5)
    np.testing.assert_array_equal(field.foreground[:, 0], [False, True, True, True, False, False, False])
    assert not field.orientation[~field.foreground].any()
    assert not field.coherence[~field.foreground].any()


def test_even_picture_has_no_coherence() -> None:
    """Nothing to divide by is no error."""
    field = ridge_field(gradients(np.full((64, 64), 9, dtype=np.uint8)), np.ones((64, 64), dtype=np.bool_))
    assert not field.coherence.any()
