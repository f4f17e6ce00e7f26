"""A large print is seen in strips: the same minutiae, and memory with a bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.memory import peak_of
from enrollment import strips as module
from enrollment.network import Detections, MinutiaeNetwork
from enrollment.segmentation import Crop, crop_to_foreground, gradients, segment
from enrollment.strips import strips
from fixtures import named

#: What the extraction of the largest accepted picture may take, network and libraries included.
MOST_MIB = 400


@given(st.integers(1, 40), st.integers(1, 40))
def test_every_pixel_is_read_once(rows: int, columns: int) -> None:
    """By a strip whose grid is the whole picture's, of at most the pixels allowed or as narrow as can be."""
    height, width = 32 * rows, 32 * columns
    read = np.zeros((height, width), dtype=np.int64)
    for strip in strips(height, width):
        window = read[strip.window]
        assert all(side % 32 == 0 for side in (*strip.corner, *window.shape))
        assert window.size <= max(module.STRIP_PX2, min(height, width) * module._NARROWEST_PX)
        window[strip.own] += 1
    assert (read == 1).all()


@pytest.fixture(scope="module")
def crop() -> Crop:
    """A rolled print, 544 × 544 pixels of it."""
    pixels = named.rolled_probe().pixels
    return crop_to_foreground(pixels, segment(gradients(pixels)))


def test_strips_find_what_the_whole_shows(
    network: MinutiaeNetwork, crop: Crop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly every minutia at its pixel, with its direction, type and probability."""
    whole = network.detect(crop.pixels, crop.foreground)
    monkeypatch.setattr(module, "STRIP_PX2", 230_000)
    assert len(strips(*crop.pixels.shape)) == 2
    parts = network.detect(crop.pixels, crop.foreground)
    assert (np.diff(parts.y) >= 0).all()
    places = {(int(x), int(y)): index for index, (x, y) in enumerate(zip(whole.x, whole.y, strict=True))}
    found = [
        (index, places[int(x), int(y)])
        for index, (x, y) in enumerate(zip(parts.x, parts.y, strict=True))
        if (int(x), int(y)) in places
    ]
    assert len(found) >= 0.95 * max(len(whole.x), len(parts.x))
    ours, theirs = np.array(found).T
    assert np.abs(parts.probability[ours] - whole.probability[theirs]).max() < 0.15
    assert _turned(parts, whole, ours, theirs).max() < 0.1


def _turned(parts: Detections, whole: Detections, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    difference = parts.direction[ours] - whole.direction[theirs]
    return np.abs(np.mod(difference + np.pi, 2 * np.pi) - np.pi)


def test_largest_picture_fits_in_memory() -> None:
    """Measured in a process of its own: nothing that is accepted takes more."""
    peak_of("plain")  # compiles what is not compiled yet, which takes memory too, but once a machine
    loaded, peak, outcome = peak_of("rolled, largest")
    assert loaded + 50 < peak < MOST_MIB
    assert outcome != "no_fingertip"
