"""The compiled twin of `matcher.fusion`, for many references at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel

_PER_NAT = 10.0 / math.log(10.0)


@kernel
def fuse_fingers(
    best: NDArray[np.float32],
    counts: NDArray[np.int64],
    fingers: NDArray[np.float64],
    fused: NDArray[np.float64],
) -> None:
    """Fill `fingers` float64[F, n] with each finger's score and `fused` float64[n] with their fusion.

    best, counts: [F, n], the best score of a probe finger among the prints of a reference it was compared
    with, and how many those were: see `fusion.best_of` and `fusion.fuse`. 0 prints: the finger adds nothing.
    """
    for k in range(len(fused)):
        total, compared = 0.0, 0
        for finger in range(len(best)):
            fingers[finger, k] = 0.0
            if counts[finger, k] > 0:
                fingers[finger, k] = max(0.0, best[finger, k] - 10.0 * math.log10(counts[finger, k]))
                total += fingers[finger, k] / _PER_NAT
                compared += 1
        term, series = 1.0, 1.0
        for order in range(1, compared):
            term *= total / order
            series += term
        fused[k] = max(0.0, total - math.log(series)) * _PER_NAT
