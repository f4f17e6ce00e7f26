"""From the network's peaks to a template's columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.network import Detections
from enrollment.parameters import ENDING_THRESHOLD
from enrollment.segmentation import Crop
from matcher.codes import MinutiaKind
from matcher.template import MAX_MINUTIAE, RidgeField, Template


def to_template(
    detections: Detections, crop: Crop, foreground: NDArray[np.bool_], field: RidgeField
) -> Template:
    """The minutiae inside the foreground, surest first, in the frame of the whole picture."""
    x, y = detections.x + crop.left, detections.y + crop.top
    height, width = foreground.shape
    in_picture = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    kept = np.flatnonzero(in_picture)
    kept = kept[foreground[y[kept], x[kept]]]
    # Ties go by row and column, so that the same picture gives the same template everywhere.
    order = kept[np.lexsort((x[kept], y[kept], -detections.probability[kept]))][:MAX_MINUTIAE]
    ending = detections.ending[order] >= ENDING_THRESHOLD
    return Template(
        x=x[order].astype(np.int16),
        y=y[order].astype(np.int16),
        angle=detections.direction[order],
        kind=np.where(ending, MinutiaKind.ENDING, MinutiaKind.BIFURCATION).astype(np.uint8),
        quality=np.rint(np.clip(detections.probability[order], 0, 1) * 100).astype(np.uint8),
        width_px=width,
        height_px=height,
        field=field,
    )
