"""Random features in the frame that the network's loops read, and pixels of them to choose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.depthwise import MARGIN

HEIGHT, WIDTH = 10, 24


def framed(channels: int) -> NDArray[np.float32]:
    """float32[HEIGHT + 8, WIDTH + 8, channels], zeros around."""
    inner = np.random.default_rng(1).normal(size=(HEIGHT, WIDTH, channels)).astype(np.float32)
    return np.pad(inner, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))


def some_places() -> NDArray[np.int64]:
    """Corners, single pixels, runs longer than those made together; row ends are no neighbours."""
    chosen = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    chosen[[0, 0, -1, -1, 4], [0, -1, 0, -1, 3]] = True
    chosen[2:4, 1:] = True
    return np.flatnonzero(chosen)
