"""The compiled loops compute what their obvious twins in NumPy do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from enrollment.network_kernels import TILE, gelu_rows, scale_rows, stem


def naive_gelu(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Number by number."""
    flat = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in values.astype(np.float64).ravel()]
    return np.array(flat).reshape(values.shape)


def naive_stem(
    pixels: NDArray[np.float32], filters: NDArray[np.float32], bias: NDArray[np.float32], *, highest: bool
) -> NDArray[np.float64]:
    """Convolutions by shifting the whole picture; norm with gamma 1.5 and beta 0.1."""
    height, width = pixels.shape
    padded = np.pad(pixels.astype(np.float64), 4)
    maps = []
    for step, kernels in zip((1, 2), filters, strict=True):
        for kernel in kernels:
            total = np.zeros((height, width))
            for dy, dx in np.ndindex(5, 5):
                top, left = 4 + (dy - 2) * step, 4 + (dx - 2) * step
                total += kernel[dy, dx] * padded[top : top + height, left : left + width]
            maps.append(total)
    x = np.array(maps) + bias[:, None, None]
    normed = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)
    blocks = naive_gelu(1.5 * normed + 0.1).reshape(len(bias), height // 2, 2, width // 2, 2)
    return blocks.max(axis=(2, 4)) if highest else blocks.mean(axis=(2, 4))


@given(st.floats(-30, 30, width=32))
def test_gelu(value: float) -> None:
    """Within 2e-6, far out too."""
    rows = np.full((1, 9), value, dtype=np.float32)
    bias = np.arange(9, dtype=np.float32) / 4
    expected = naive_gelu(rows + bias)
    gelu_rows(rows, bias)
    np.testing.assert_allclose(rows, expected, atol=2e-6, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 8))
@settings(max_examples=30)
def test_scale_rows(seed: int, channels: int, empty: int) -> None:
    """Divided by the deviation of the channels that carry something."""
    random = np.random.default_rng(seed)
    carries = random.permutation(np.arange(channels + empty) < channels)
    rows = np.where(carries, random.normal(1, 3, (20, channels + empty)), 0).astype(np.float32)
    expected = rows / np.sqrt(rows[:, carries].astype(np.float64).var(axis=1, keepdims=True) + 1e-3)
    scale_rows(rows, (carries / channels).astype(np.float32))
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("highest", [True, False])
@pytest.mark.parametrize("shape", [(4, 6), (8, 34), (4, TILE + 22)])
def test_stem(shape: tuple[int, int], highest: bool) -> None:  # noqa: FBT001 - a test's parameter
    """One tile, parts of tiles, and across the border between two."""
    random = np.random.default_rng(shape[1])
    pixels = random.integers(0, 256, shape).astype(np.float32)
    filters = random.normal(0, 0.1, (2, 4, 5, 5)).astype(np.float32)
    bias = random.normal(0, 1, 8).astype(np.float32)
    result = np.empty((8, shape[0] // 2, shape[1] // 2), dtype=np.float32)
    gamma, beta = np.full(8, 1.5, dtype=np.float32), np.full(8, 0.1, dtype=np.float32)
    stem(np.pad(pixels, 4), filters, bias, gamma, beta, highest, result)
    np.testing.assert_allclose(result, naive_stem(pixels, filters, bias, highest=highest), atol=1e-4)
