"""Ridges that run one way, or bend evenly, all over the glass are a palm's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from enrollment.orientation import ridge_field
from enrollment.palm import is_palm
from enrollment.segmentation import gradients
from fixtures import named

_SIDE = 320
_ALL = np.ones((_SIDE, _SIDE), dtype=np.bool_)


def ridges(
    phase: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.uint8]:
    """A window full of ridges; phase: periods at x, y."""
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(np.float64)
    return np.asarray(128 + 100 * np.cos(2 * np.pi * phase(x, y)), dtype=np.uint8)


def judged(pixels: NDArray[np.uint8], foreground: NDArray[np.bool_] = _ALL) -> bool:
    """What `is_palm` says of a picture."""
    return is_palm(ridge_field(gradients(pixels), foreground), foreground, pixels)


@pytest.mark.parametrize("angle", np.radians([0, 30, 90, 150]))
def test_straight_ridges_are_a_palms(angle: float) -> None:
    """Whichever way they run."""
    assert judged(ridges(lambda x, y: (x * np.cos(angle) + y * np.sin(angle)) / 10))


def test_an_even_bend_is_a_palms() -> None:
    """Arcs around a point far away turn by 40 degrees in the window, and nowhere more than elsewhere."""
    assert judged(ridges(lambda x, y: np.hypot(x - 160, y + 300) / 10))


def test_ridges_that_turn_are_a_fingertips() -> None:
    """Rings around a point of the window; and a synthetic fingertip."""
    assert not judged(ridges(lambda x, y: np.hypot(x - 160, y - 160) / 10))
    pixels = named.probe().pixels
    assert not judged(pixels, np.ones(pixels.shape, dtype=np.bool_))


def test_what_cannot_be_told_is_no_palm() -> None:
    """Little of it, with glass around, or lost in grain."""
    straight = ridges(lambda x, _: x / 10)
    some = _ALL.copy()
    some[: _SIDE // 3] = False
    assert not judged(straight, some)
    assert not judged(straight[:180, :180], _ALL[:180, :180])
    noise = np.random.default_rng(3).normal(0.0, 400.0, straight.shape)
    assert not judged(np.clip(straight + noise, 0, 255).astype(np.uint8))
