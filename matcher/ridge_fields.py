"""Two ridge fields laid over each other: how far they agree, and how much of them meets.

Compiled steps, on a print's cells, uint8[rows, columns], [0, 0] without a field. A cell is one byte:
orientation in the upper five bits (32 steps for π), coherence in the lower three (1 to 7); 0 where there is
no print. Origin: with eight bits each the errors on nine sets, as they are and made harder, were the same
within noise. Motions are as in `matcher.alignment`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.alignment import Motion
from matcher.compiled import kernel
from matcher.template import CELL_PX

Cells = NDArray[np.uint8]

#: The bits of a cell.
ORIENTATION: Final = 0b1111_1000
COHERENCE: Final = 0b0000_0111

#: cos 2Δ by difference of two orientations, 256 steps for π.
_AGREEMENT = np.cos(np.arange(256) * (2.0 * math.pi / 256.0)).astype(np.float32)


class Meeting(NamedTuple):
    """What two fields laid over each other show.

    agreement: coherence-weighted mean of cos 2Δ of the orientations where they meet, -1 to 1; 0 for nowhere.
    own, other, common: cells with ridges of the probe, of the reference, of both at one place.
    """

    agreement: float
    own: int
    other: int
    common: int


@kernel
def lay_fields(probe: Cells, reference: Cells, motion: Motion) -> Meeting:
    """Lay the probe's field, moved, over the reference's; a cell goes where its middle falls."""
    rows, columns = np.int32(reference.shape[0]), np.int32(reference.shape[1])
    others = reference.reshape(rows * columns)
    steps = np.int32(round(math.atan2(motion[1], motion[0]) * 256.0 / math.pi))
    agreement, total, shown, common = 0.0, 0, 0, 0
    for row in range(probe.shape[0]):
        # One more than the place, so that cutting off its fraction rounds down also just below 0.
        x = motion[0] * 0.5 + motion[1] * (row + 0.5) + motion[2] / CELL_PX + 1.0
        y = motion[0] * (row + 0.5) - motion[1] * 0.5 - motion[3] / CELL_PX + 1.0
        cells = probe[row]
        first, end = _shown(cells)
        for column in range(first, end):
            own = np.int32(cells[column])
            shown += int(own > 0)
            to_column = np.int32(x + motion[0] * column) - np.int32(1)
            to_row = np.int32(y - motion[1] * column) - np.int32(1)
            if (to_column >= 0) & (to_column < columns) & (to_row >= 0) & (to_row < rows):
                other = np.int32(others[np.uint32(to_row * columns + to_column)])
                weight = (own & COHERENCE) * (other & COHERENCE)
                turned = (own & ORIENTATION) + steps - (other & ORIENTATION)
                agreement += weight * _AGREEMENT[np.uint32(turned & 255)]
                total += int(weight)
                common += int(weight > 0)
    mean = agreement / total if total > 0 else 0.0
    return Meeting(mean, shown, cells_of(reference), common)


@kernel
def _shown(cells: NDArray[np.uint8]) -> tuple[int, int]:
    """The first cell of a row that shows ridges, and the one after the last."""
    first, end = 0, len(cells)
    while first < end and cells[first] == 0:
        first += 1
    while end > first and cells[end - 1] == 0:
        end -= 1
    return first, end


@kernel
def cells_of(field: Cells) -> int:
    """Cells of a field that show ridges."""
    count = np.int32(0)
    cells = field.reshape(field.shape[0] * field.shape[1])
    for cell in range(len(cells)):
        count += np.int32(cells[cell] > 0)
    return int(count)
