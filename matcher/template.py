"""One finger's minutiae as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.codes import FingerPosition
from matcher.errors import InvalidTemplate

#: Side of one cell of the orientation field and of the foreground mask, in pixels at 500 ppi.
CELL_PX = 16
MAX_MINUTIAE = 255
MAX_SIDE_PX = 4000


@dataclass(frozen=True, slots=True, eq=False)
class RidgeField:
    """What the print looks like between its minutiae, on a grid of `CELL_PX` pixels.

    orientation: uint8[rows, cols], ridge orientation, 256 steps for [0, π), counter-clockwise from +x.
    coherence:   uint8[rows, cols], 0 (no orientation) to 255.
    foreground:  bool[rows, cols], True where there is a print.
    Cell (r, c) covers pixels y in [16r, 16r+16), x in [16c, 16c+16) of the template's frame.
    """

    orientation: NDArray[np.uint8]
    coherence: NDArray[np.uint8]
    foreground: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A finger's minutiae, at 500 ppi, origin top left, y down.

    x, y:    int16[n], pixels.
    angle:   float32[n], radians in [0, 2π), counter-clockwise from +x as seen on the picture
             (so the direction vector in pixels is (cos a, -sin a)), ISO/IEC 19794-2 direction.
    kind:    uint8[n], `MinutiaKind`.
    quality: uint8[n], 0-100: the network's probability in percent; 0 where it is unknown.
    field:   the ridge field, or None for templates imported without one.
    Minutiae are ordered by falling quality. At most `MAX_MINUTIAE` of them.
    """

    x: NDArray[np.int16]
    y: NDArray[np.int16]
    angle: NDArray[np.float32]
    kind: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    width_px: int
    height_px: int
    field: RidgeField | None = None

    def __post_init__(self) -> None:
        """Refuse columns that do not fit together."""
        columns: dict[str, tuple[NDArray[Any], type]] = {
            "x": (self.x, np.int16),
            "y": (self.y, np.int16),
            "angle": (self.angle, np.float32),
            "kind": (self.kind, np.uint8),
            "quality": (self.quality, np.uint8),
        }
        count = len(self.x)
        for name, (column, dtype) in columns.items():
            if column.ndim != 1 or column.dtype != dtype or len(column) != count:
                raise InvalidTemplate(f"column {name} must be {np.dtype(dtype).name}[{count}]")
        if count > MAX_MINUTIAE:
            raise InvalidTemplate(f"{count} minutiae; a template holds at most {MAX_MINUTIAE}")
        if not (0 < self.width_px <= MAX_SIDE_PX and 0 < self.height_px <= MAX_SIDE_PX):
            raise InvalidTemplate(f"a template side must be 1-{MAX_SIDE_PX} px")
        if not bool(np.isfinite(self.angle).all()):
            raise InvalidTemplate("angles must be finite")
        if self.field is not None:
            shape = self.field.orientation.shape
            if self.field.coherence.shape != shape or self.field.foreground.shape != shape or len(shape) != 2:
                raise InvalidTemplate("the arrays of a ridge field must have one shape")

    def __len__(self) -> int:
        return len(self.x)


#: A person's fingers, by position; `UNKNOWN` may appear once.
Tenprint: TypeAlias = Mapping[FingerPosition, Template]
