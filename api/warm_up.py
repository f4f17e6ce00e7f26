"""Compile what is compiled on first use, so that nobody's first print waits for it.

`python -m api.warm_up` does it at set-up; the service does it before it says that it is ready.
"""

from __future__ import annotations

import numpy as np

from matcher.codes import FingerPosition
from matcher.gallery import Gallery, ReferenceId
from matcher.scoring import Score
from matcher.template import CELL_PX, RidgeField, Template

_SIDE_PX = 256
_GRID_PX = 40


def warm_up() -> None:
    """One search in a gallery of one; the result is thrown away. The network warms itself when it loads."""
    gallery, tenprint = Gallery(), {FingerPosition.RIGHT_INDEX: _template()}
    gallery.add(ReferenceId("warm-up"), tenprint)
    gallery.search(tenprint, limit=1, threshold=Score(40.0))


def _template() -> Template:
    """Minutiae on a grid: of nobody, but legal."""
    steps = np.arange(_GRID_PX, _SIDE_PX - 1, _GRID_PX, dtype=np.int16)
    x, y = (grid.ravel() for grid in np.meshgrid(steps, steps))
    count, cells = len(x), (_SIDE_PX // CELL_PX, _SIDE_PX // CELL_PX)
    field = RidgeField(
        orientation=np.zeros(cells, np.uint8),
        coherence=np.full(cells, 200, np.uint8),
        foreground=np.ones(cells, np.bool_),
    )
    return Template(
        x=x,
        y=y,
        angle=np.linspace(0.0, 6.0, count, dtype=np.float32),
        kind=np.ones(count, np.uint8),
        quality=np.full(count, 80, np.uint8),
        width_px=_SIDE_PX,
        height_px=_SIDE_PX,
        field=field,
    )


def main() -> None:
    """The network's parts and loops, and those of a search."""
    from enrollment.network import MinutiaeNetwork  # noqa: PLC0415 - the service has it in other processes

    MinutiaeNetwork.load(threads=1)
    warm_up()


if __name__ == "__main__":
    main()
