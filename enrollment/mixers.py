"""The network's widest blocks, which mix the channels of each pixel by itself: two thirds of all arithmetic.

They run on rows of pixels, as many at a time as the processor's cache holds, and only where they are wanted.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from enrollment.network_kernels import gelu_rows, scale_rows
from enrollment.network_parts import Parts
from enrollment.sessions import session

#: Bytes of widened rows worked on at a time: what a processor's second cache holds with room to spare.
TILE_BYTES = 1 << 20

#: From places int64[n] to a new array of their rows, float32[n, c].
RowsAt = Callable[[NDArray[np.int64]], NDArray[np.float32]]


class Mixer:
    """Norm, expansion, GELU and narrowing of one block; may be used by several threads at once."""

    def __init__(self, parts: Parts, number: int, threads: int) -> None:
        self._widen = session(parts[f"widen_{number}"], threads)
        self._narrow = session(parts[f"narrow_{number}"], threads)
        self._shares, self._bias = parts[f"shares_{number}"], parts[f"bias_{number}"]
        wide, self.out = (int(size) for size in parts[f"sizes_{number}"])
        self._tile = max(TILE_BYTES // (4 * wide), 1)

    def run(self, rows_at: RowsAt, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32[n, out], the rows at `places`, int64[n], mixed."""
        result = np.empty((len(places), self.out), dtype=np.float32)
        for start in range(0, len(places), self._tile):
            rows = rows_at(places[start : start + self._tile])
            scale_rows(rows, self._shares)
            (wide,) = self._widen.run(None, {"rows": rows})
            gelu_rows(wide, self._bias)
            result[start : start + self._tile] = self._narrow.run(None, {"wide": wide})[0]
        return result
