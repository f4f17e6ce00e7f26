"""How well a print can be compared: one number, and what is wrong with its capture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.capture import Quality
from enrollment.defects import find_defects
from enrollment.parameters import FULL_AREA_PX2, FULL_MINUTIAE
from matcher.template import Template

#: Minutiae probability quality; version 2 has the number of version 1 and finds more defects.
ALGORITHM = "tenprint-mpq/2"


def assess(template: Template, pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> Quality:
    """Quality 0-100 and the defects of a capture at 500 ppi.

    value = 100 · sqrt(min(1, Σp / 40)) · sqrt(min(1, area / 65,000 px²)), p the minutiae's probabilities: the
    number of minutiae one can expect to find again, on an area that can overlap.
    """
    expected, area = float(template.quality.sum()) / 100, int(foreground.sum())
    value = 100 * (min(1.0, expected / FULL_MINUTIAE) * min(1.0, area / FULL_AREA_PX2)) ** 0.5
    return Quality(round(value), ALGORITHM, find_defects(template, pixels, foreground))
