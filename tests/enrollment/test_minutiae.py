"""From the network's peaks to a template."""

from __future__ import annotations

import numpy as np

from enrollment.minutiae import to_template
from enrollment.network import Detections
from enrollment.segmentation import Crop
from matcher.codes import MinutiaKind
from matcher.template import MAX_MINUTIAE, RidgeField, Template

FIELD = RidgeField(
    np.zeros((4, 4), dtype=np.uint8), np.zeros((4, 4), dtype=np.uint8), np.ones((4, 4), dtype=np.bool_)
)


def template_of(
    x: list[int], y: list[int], probability: list[float], *, left: int = 0, top: int = 0
) -> Template:
    """The template of peaks in a crop at (left, top) of a 64×64 picture whose right half is ground."""
    count = len(x)
    detections = Detections(
        np.array(x, dtype=np.int32),
        np.array(y, dtype=np.int32),
        np.linspace(0, 6, count, dtype=np.float32),
        np.linspace(0, 1, count, dtype=np.float32),
        np.array(probability, dtype=np.float32),
    )
    foreground = np.zeros((64, 64), dtype=np.bool_)
    foreground[:, :32] = True
    crop = Crop(np.zeros((32, 32), dtype=np.uint8), np.ones((32, 32), dtype=np.bool_), left, top)
    return to_template(detections, crop, foreground, FIELD)


def test_surest_minutia_comes_first() -> None:
    """In the frame of the whole picture, probability in percent."""
    template = template_of([1, 2, 3], [10, 11, 12], [0.4, 0.9, 0.25], left=5, top=-2)
    np.testing.assert_array_equal(template.x, [7, 6, 8])
    np.testing.assert_array_equal(template.y, [9, 8, 10])
    np.testing.assert_array_equal(template.quality, [90, 40, 25])
    np.testing.assert_array_equal(
        template.kind, [MinutiaKind.ENDING, MinutiaKind.BIFURCATION, MinutiaKind.ENDING]
    )


def test_what_lies_on_the_ground_is_dropped() -> None:
    """So is what lies beyond the picture's edge, where the crop was continued."""
    template = template_of([0, 20, 40, 3], [20, 20, 20, 63], [0.5] * 4, left=-4, top=4)
    np.testing.assert_array_equal(template.x, [16])


def test_equal_probabilities_go_by_row() -> None:
    """The order never depends on how the peaks arrived."""
    forward = template_of([9, 3, 6], [5, 5, 2], [0.5] * 3)
    np.testing.assert_array_equal(forward.x, [6, 3, 9])


def test_no_more_than_a_template_holds() -> None:
    """The least sure ones go."""
    count = 300
    template = template_of(
        [at % 30 for at in range(count)], [at // 30 for at in range(count)], [0.3, 0.6] * 150
    )
    assert len(template) == MAX_MINUTIAE
    assert (template.quality[:150] == 60).all()
