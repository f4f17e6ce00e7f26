"""The network's widest blocks, which mix the channels of each pixel by itself: two thirds of all arithmetic.

They run on rows of pixels, as many at a time as the processor's cache holds, and only where they are wanted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.network_kernels import gelu_rows, scale_rows
from enrollment.network_parts import Parts
from enrollment.sessions import session

#: Bytes of widened rows worked on at a time: what a processor's second cache holds with room to spare.
TILE_BYTES = 1 << 20


class Mixer:
    """Norm, expansion, GELU and narrowing of one block; may be used by several threads at once."""

    def __init__(self, parts: Parts, number: int, threads: int) -> None:
        self._widen = session(parts[f"widen_{number}"], threads)
        self._narrow = session(parts[f"narrow_{number}"], threads)
        self._shares = parts[f"shares_{number}"]
        wide, self.out = (int(size) for size in parts[f"sizes_{number}"])
        self._tile = max(TILE_BYTES // (4 * wide), 1)

    def run(self, rows: NDArray[np.float32], index: NDArray[np.int64], into: NDArray[np.float32]) -> None:
        """The rows float32[N, c] at `index` int64[n], mixed, are put into[index], float32[N, out]."""
        for start in range(0, len(index), self._tile):
            chosen = index[start : start + self._tile]
            scaled = np.empty((len(chosen), rows.shape[1]), dtype=np.float32)
            scale_rows(rows, chosen, self._shares, scaled)
            (wide,) = self._widen.run(None, {"rows": scaled})
            gelu_rows(wide)
            into[chosen] = self._narrow.run(None, {"wide": wide})[0]
