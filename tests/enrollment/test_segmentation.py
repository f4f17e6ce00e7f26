"""The foreground is where the ridges are, and the crop holds it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from ridge_pictures import ridge_picture

from enrollment.orientation import ridge_field
from enrollment.segmentation import crop_to_foreground, gradients, is_grainy, segment, segment_ridges


def ellipse(height: int, width: int) -> NDArray[np.bool_]:
    """Where `ridge_picture` puts its print."""
    rows, columns = np.mgrid[:height, :width]
    radius = np.hypot((columns - width / 2) / (0.44 * width), (rows - height / 2) / (0.44 * height))
    return np.asarray(radius < 1, dtype=np.bool_)


def overlap(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((left & right).sum() / (left | right).sum())


@pytest.mark.parametrize(("light", "noise"), [(235, 2.0), (235, 12.0), (190, 6.0)])
def test_mask_covers_the_print(light: int, noise: float) -> None:
    """Clean, noisy and on grey ground: the mask is the print's ellipse within nine tenths."""
    picture = ridge_picture(320, 384, seed=2, light=light, noise=noise)
    assert overlap(segment(gradients(picture.pixels)), ellipse(384, 320)) > 0.9


@pytest.mark.parametrize("contrast", [0.15, 0.4])
def test_faint_print_is_found(contrast: float) -> None:
    """The threshold follows the picture's own contrast."""
    pixels = ridge_picture(320, 384, seed=2, noise=3).pixels
    faint = (235 - (235 - pixels.astype(np.float64)) * contrast).astype(np.uint8)
    assert overlap(segment(gradients(faint)), ellipse(384, 320)) > 0.85


def test_grain_of_the_glass_is_told_from_ridges() -> None:
    """On noisy, shaded glass all passes for skin but in the band of ridges; a clear print is not grainy."""
    picture = ridge_picture(320, 384, seed=2, noise=12.0)
    pixels = np.full((800, 700), 235, np.uint8)
    noise = np.random.default_rng(1).normal(0.0, 12.0, pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    pixels[200:584, 180:500] = picture.pixels
    true = np.zeros(pixels.shape, np.bool_)
    true[200:584, 180:500] = ellipse(384, 320)
    steps, whole = gradients(pixels), np.ones(pixels.shape, np.bool_)
    assert is_grainy(ridge_field(steps, whole))
    assert overlap(segment_ridges(pixels), true) > 0.9
    assert not is_grainy(ridge_field(steps, true))
    assert not is_grainy(ridge_field(steps, np.zeros(pixels.shape, np.bool_)))


def test_shaded_ground_is_no_print() -> None:
    """A slow change of light, as under a sensor's edge, is not foreground."""
    rows = np.linspace(0, 60, 384)[:, None]
    picture = ridge_picture(320, 384, seed=2, noise=2)
    shaded = np.clip(picture.pixels - rows, 0, 255).astype(np.uint8)
    assert overlap(segment(gradients(shaded)), ellipse(384, 320)) > 0.9


def test_specks_are_no_print() -> None:
    """Dust on the ground is dropped, a hole inside the print is filled."""
    pixels = ridge_picture(320, 384, seed=2, noise=2).pixels.copy()
    pixels[5:13, 5:13] = 0
    pixels[180:200, 150:170] = 235
    mask = segment(gradients(pixels))
    assert not mask[:20, :20].any()
    assert mask[180:200, 150:170].all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_even_picture_has_no_foreground(value: int) -> None:
    """A blank page, black or white."""
    assert not segment(gradients(np.full((200, 180), value, dtype=np.uint8))).any()


@given(
    st.integers(20, 200),
    st.integers(20, 200),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(1, 10**6),
)
def test_crop_shows_the_foreground_in_its_place(
    height: int, width: int, top: int, left: int, size: int
) -> None:
    """Sides are multiples of 32, the foreground is inside, and pixels keep their place."""
    top, left = top % height, left % width
    foreground = np.zeros((height, width), dtype=np.bool_)
    foreground[top : top + size % height + 1, left : left + size % width + 1] = True
    pixels = np.random.default_rng(size).integers(0, 256, (height, width), dtype=np.uint8)
    crop = crop_to_foreground(pixels, foreground)
    assert crop.pixels.shape[0] % 32 == crop.pixels.shape[1] % 32 == 0
    rows, columns = np.nonzero(foreground)
    np.testing.assert_array_equal(crop.pixels[rows - crop.top, columns - crop.left], pixels[rows, columns])
    assert crop.foreground[rows - crop.top, columns - crop.left].all()
    assert crop.foreground.sum() == foreground.sum()


def test_crop_is_no_larger_than_it_must_be() -> None:
    """At most 31 px beyond the margin on each axis: the network's time goes by area."""
    foreground = np.zeros((480, 500), dtype=np.bool_)
    foreground[100:300, 120:300] = True
    assert crop_to_foreground(np.zeros((480, 500), dtype=np.uint8), foreground).pixels.shape == (224, 192)
