"""The heads' compiled loops compute what their obvious twins in NumPy do, at the chosen pixels."""

from __future__ import annotations

import numpy as np
from framed_features import HEIGHT, WIDTH, framed, some_places
from test_network_kernels import naive_gelu

from enrollment.depthwise import MARGIN
from enrollment.head_kernels import finish_at, probability_at

CHANNELS, OUT = 5, 4


def test_finish_and_probability() -> None:
    """Norm, GELU, convolution and sigmoid; what was not chosen stays as it was."""
    features, places = framed(CHANNELS), some_places()
    random = np.random.default_rng(3)
    short, mix = (random.normal(size=size).astype(np.float32) for size in ((OUT, CHANNELS), (OUT, OUT)))
    short_bias, mix_bias = random.normal(size=(2, OUT)).astype(np.float32)
    mixed = random.normal(size=(len(places), OUT)).astype(np.float32)
    head = np.zeros((HEIGHT + 2, WIDTH + 2, OUT), dtype=np.float32)
    finish_at(features, places, mixed, short, short_bias, mix, mix_bias, head)
    y, x = places // WIDTH, places % WIDTH
    total = mixed + features[y + MARGIN, x + MARGIN] @ short.T + short_bias
    normed = total / np.sqrt((total**2).mean(axis=1, keepdims=True) + 1e-3)
    np.testing.assert_allclose(head[y + 1, x + 1], naive_gelu(normed @ mix.T + mix_bias), atol=1e-5)
    assert np.count_nonzero(head.any(axis=2)) == len(places)

    last, bias = (
        random.normal(size=(3, 3, OUT, 4)).astype(np.float32),
        random.normal(size=4).astype(np.float32),
    )
    position = np.zeros((2 * HEIGHT, 2 * WIDTH), dtype=np.float32)
    probability_at(head, places, last, bias, position)
    for row, column in zip(y, x, strict=True):
        logits = (head[row : row + 3, column : column + 3, :, None] * last).sum(axis=(0, 1, 2)) + bias
        seen = position[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel()
        np.testing.assert_allclose(seen, 1 / (1 + np.exp(-logits)), atol=1e-5)
    assert np.count_nonzero(position) == 4 * len(places)
