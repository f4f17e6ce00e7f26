"""The loops over framed features, and the convolution of them, do what their obvious twins in NumPy do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from framed_features import HEIGHT, WIDTH, framed, some_places
from hypothesis import given
from hypothesis import strategies as st

from enrollment.depthwise import MARGIN, TAPS, DepthwiseAt
from enrollment.feature_kernels import add_at, gate, halve, join
from enrollment.parameters import MIXED_MARGIN_PX
from enrollment.trunk import MIXER_STEPS, reached

INNER = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]


@pytest.mark.parametrize("channels", [5, 64])
def test_depthwise(channels: int) -> None:
    """Tap by tap."""
    features, places = framed(channels), some_places()
    kernel = np.random.default_rng(2).normal(size=(TAPS, TAPS, channels)).astype(np.float32)
    reach = MARGIN - TAPS // 2
    for place, row in zip(places, DepthwiseAt(features, kernel)(places), strict=True):
        y, x = place // WIDTH + reach, place % WIDTH + reach
        expected = (features[y : y + TAPS, x : x + TAPS] * kernel).sum(axis=(0, 1))
        np.testing.assert_allclose(row, expected, atol=1e-4)


def test_add_at() -> None:
    """At the chosen pixels only."""
    features, places = framed(3), some_places()
    rows = np.random.default_rng(2).normal(size=(len(places), 3)).astype(np.float32)
    expected = features.copy()
    for place, row in zip(places, rows, strict=True):
        expected[INNER][place // WIDTH, place % WIDTH] += row
    add_at(features, places, rows)
    np.testing.assert_array_equal(features, expected)


def test_gate() -> None:
    """The other channels and the frame are not touched."""
    values, gates = np.random.default_rng(2).normal(size=(2, 3, HEIGHT, WIDTH)).astype(np.float32)
    result = framed(5)
    expected = result.copy()
    expected[INNER][..., :3] = (values * gates).transpose(1, 2, 0)
    gate(values, gates, result)
    np.testing.assert_array_equal(result, expected)


def test_halve() -> None:
    """Blocks of two by two, half of the channels by their maximum."""
    features, result = framed(6), np.empty((HEIGHT // 2, WIDTH // 2, 6), dtype=np.float32)
    halve(features, result)
    blocks = features[INNER].reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 6)
    np.testing.assert_array_equal(result[..., :3], blocks.max(axis=(1, 3))[..., :3])
    np.testing.assert_allclose(result[..., 3:], blocks.mean(axis=(1, 3))[..., 3:], atol=1e-6)


def test_join() -> None:
    """The coarse pixel first, then the fine one; the frame is not touched."""
    fine = framed(3)
    coarse = np.random.default_rng(2).normal(size=(HEIGHT // 2, WIDTH // 2, 2)).astype(np.float32)
    result = np.full((*fine.shape[:2], 5), 7, dtype=np.float32)
    join(coarse, fine, result)
    np.testing.assert_array_equal(result[INNER][..., :2], coarse.repeat(2, axis=0).repeat(2, axis=1))
    np.testing.assert_array_equal(result[INNER][..., 2:], fine[INNER])
    result[INNER] = 7
    assert (result == 7).all()


@given(st.integers(0, 2**32 - 1), st.integers(0, 12))
def test_reached(seed: int, count: int) -> None:
    """What a square around each pixel of the foreground touches."""
    random = np.random.default_rng(seed)
    foreground = np.zeros((64, 96), dtype=np.bool_)
    foreground[random.integers(0, 64, count), random.integers(0, 96, count)] = True
    side = 2 * MIXED_MARGIN_PX + 1
    near = cv2.dilate(foreground.astype(np.uint8), np.ones((side, side), dtype=np.uint8))
    for step, cells in zip(MIXER_STEPS, reached(foreground), strict=True):
        blocks = near.reshape(64 // step, step, 96 // step, step)
        np.testing.assert_array_equal(cells, blocks.any(axis=(1, 3)))
