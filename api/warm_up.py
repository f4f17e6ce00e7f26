"""Compile what is compiled on first use, so that nobody's first print waits for it.

`python -m api.warm_up` does it at set-up; the service does it before it says that it is ready.
"""

from __future__ import annotations

import numpy as np

from enrollment.network import MinutiaeNetwork
from matcher.codes import FingerPosition
from matcher.gallery import Gallery, ReferenceId
from matcher.scoring import Score
from matcher.template import CELL_PX, RidgeField, Template

_SIDE_PX = 256
_RIDGE_PERIOD_PX = 9.0
_GRID_PX = 40


def warm_up(network: MinutiaeNetwork) -> None:
    """Run the network once, and one search in a gallery of one; the results are thrown away."""
    network.detect(_grating())
    gallery, tenprint = Gallery(), {FingerPosition.RIGHT_INDEX: _template()}
    gallery.add(ReferenceId("warm-up"), tenprint)
    gallery.search(tenprint, limit=1, threshold=Score(40.0))


def _grating() -> np.ndarray:
    """Parallel ridges, uint8[256, 256]."""
    x = np.arange(_SIDE_PX, dtype=np.float32)
    row = 127.5 + 100.0 * np.sin(2.0 * np.pi * x / _RIDGE_PERIOD_PX)
    return np.tile(row.astype(np.uint8), (_SIDE_PX, 1))


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


if __name__ == "__main__":
    warm_up(MinutiaeNetwork.load(threads=1))
