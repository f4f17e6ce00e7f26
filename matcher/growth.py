"""Comparison across growth: a child's print against a later one of the same finger.

Prints grow evenly in all directions, in proportion to stature (Gottschlich et al., "Modeling the growth of
fingerprints improves matching for adolescents", IEEE TIFS 6(3), 2011), and the comparison takes some per cent
of it for distortion. What is more is tried: the earlier print is enlarged step by step, and the best step
counts. A step is a comparison more in which a wrong finger may reach the threshold, so the score pays for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from matcher.comparison import Comparison, compare, prepare
from matcher.scoring import Score
from matcher.template import CELL_PX, MAX_SIDE_PX, RidgeField, Template

#: Enlargements tried: no growth, and steps of 8 % up to a print of a five-year-old's against an adult's.
STEPS: Final = tuple(1.08**step for step in range(6))


@dataclass(frozen=True, slots=True, eq=False)
class GrownComparison:
    """comparison: at the best step, pairs in rows of `enlarged(earlier, growth)` and the later template.

    growth: enlargement of the earlier print at that step. score: of the comparison, less 10·log10 of the
    number of steps tried (the union bound: no false match is more likely than the score says).
    """

    comparison: Comparison
    growth: float
    score: Score


def compare_grown(earlier: Template, later: Template, steps: Sequence[float] = STEPS) -> GrownComparison:
    """Compare a print with a later one of a finger that may have grown in between.

    Raises ValueError without steps.
    """
    reference = prepare(later)
    tried = [(compare(prepare(enlarged(earlier, growth)), reference), growth) for growth in steps]
    best, growth = max(tried, key=lambda each: each[0].score)
    paid = max(0.0, best.score - 10.0 * math.log10(len(steps)))
    return GrownComparison(comparison=best, growth=growth, score=Score(paid))


def enlarged(template: Template, factor: float) -> Template:
    """The same print, larger by `factor`: places and field; directions, kinds and qualities stay.

    Minutiae that would lie outside the largest template (4,000 px) are left out; no finger is so large.
    """
    if factor == 1.0:
        return template
    width, height = (
        min(MAX_SIDE_PX, math.ceil(side * factor)) for side in (template.width_px, template.height_px)
    )
    x, y = (np.rint(places * factor) for places in (template.x, template.y))
    # Rounding can push the outermost minutia onto the far edge.
    kept = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return replace(
        template,
        x=x[kept].astype(np.int16),
        y=y[kept].astype(np.int16),
        angle=template.angle[kept],
        kind=template.kind[kept],
        quality=template.quality[kept],
        width_px=width,
        height_px=height,
        field=None if template.field is None else _enlarged_field(template.field, width, height, factor),
    )


def _enlarged_field(field: RidgeField, width: int, height: int, factor: float) -> RidgeField:
    """Each cell takes what lies under its middle."""
    rows, columns = field.foreground.shape
    down, right = (
        ((np.arange(-(-side // CELL_PX)) + 0.5) / factor).astype(np.intp) for side in (height, width)
    )
    known = np.ix_(np.minimum(down, rows - 1), np.minimum(right, columns - 1))
    inside = (down < rows)[:, None] & (right < columns)[None, :]
    return RidgeField(
        orientation=np.ascontiguousarray(field.orientation[known]),
        coherence=np.ascontiguousarray(field.coherence[known]),
        foreground=np.ascontiguousarray(field.foreground[known] & inside),
    )
