"""Large crops in overlapping strips, so that the network's memory has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enrollment.parameters import CROP_MULTIPLE_PX, STRIP_MARGIN_PX, STRIP_PX2

#: Less would be all margin.
_NARROWEST_PX = 2 * STRIP_MARGIN_PX + CROP_MULTIPLE_PX


@dataclass(frozen=True, slots=True)
class Strip:
    """Part of a picture. window: what the network sees. own: what is read of it, in the window's pixels."""

    window: tuple[slice, slice]
    own: tuple[slice, slice]

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the window's first pixel."""
        return self.window[0].start, self.window[1].start

    def owns(self, y: NDArray[np.int32], x: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which pixels of the window are read."""
        rows, columns = self.own
        inside = (y >= rows.start) & (y < rows.stop) & (x >= columns.start) & (x < columns.stop)
        return np.asarray(inside)


def strips(height: int, width: int) -> tuple[Strip, ...]:
    """The whole, where it has at most `STRIP_PX2` pixels; else strips across the longer side.

    Sides are multiples of 32, and so are all bounds: the network then sees the same grid.
    """
    longer, shorter = max(height, width), min(height, width)
    window_px = min(STRIP_PX2 // shorter // CROP_MULTIPLE_PX * CROP_MULTIPLE_PX, longer)
    window_px = max(window_px, min(_NARROWEST_PX, longer))
    across = slice(0, shorter)
    made = []
    for window, own in _along(longer, window_px):
        rows, columns = ((window, own), (across, across))[:: 1 if height >= width else -1]
        made.append(Strip((rows[0], columns[0]), (rows[1], columns[1])))
    return tuple(made)


def _along(length: int, window_px: int) -> Iterator[tuple[slice, slice]]:
    """Windows one after another, each with what is read of it; the last is as wide as what is left."""
    start = begin = 0
    while start + window_px < length:
        end = start + window_px - STRIP_MARGIN_PX
        yield slice(start, start + window_px), slice(begin - start, end - start)
        start, begin = end - STRIP_MARGIN_PX, end
    yield slice(start, length), slice(begin - start, length - start)
