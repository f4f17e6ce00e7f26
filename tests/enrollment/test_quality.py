"""Quality is one number with a formula; defects are measured (more of them: `test_defects`)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from ridge_pictures import ridge_picture

from enrollment.capture import Defect
from enrollment.quality import ALGORITHM, assess
from enrollment.segmentation import gradients, segment
from matcher.template import Template


def template_of(probabilities: list[float]) -> Template:
    """Minutiae with these probabilities, somewhere."""
    count = len(probabilities)
    return Template(
        np.zeros(count, dtype=np.int16),
        np.zeros(count, dtype=np.int16),
        np.zeros(count, dtype=np.float32),
        np.ones(count, dtype=np.uint8),
        np.array([round(value * 100) for value in probabilities], dtype=np.uint8),
        320,
        384,
    )


def defects_of(pixels: NDArray[np.uint8], count: int = 40) -> tuple[Defect, ...]:
    """The defects of a picture with enough minutiae."""
    return assess(template_of([0.9] * count), pixels, segment(gradients(pixels))).defects


@pytest.fixture(scope="module")
def clean() -> NDArray[np.uint8]:
    """A print without defects."""
    return ridge_picture(320, 384, seed=2, noise=2).pixels


def test_formula(clean: NDArray[np.uint8]) -> None:
    """100 · sqrt(Σp / 40) · sqrt(area / 65,000), each factor at most one."""
    foreground = np.ones((260, 250), dtype=np.bool_)
    quality = assess(template_of([0.8, 0.2] * 10), clean[:260, :250], foreground)
    assert (quality.value, quality.algorithm) == (50, ALGORITHM)
    assert assess(template_of([0.9] * 100), clean, np.ones_like(clean, dtype=np.bool_)).value == 100
    assert assess(template_of([]), clean, np.ones_like(clean, dtype=np.bool_)).value == 0


def test_clean_print_has_no_defects(clean: NDArray[np.uint8]) -> None:
    """No false alarm."""
    assert defects_of(clean) == ()


def test_faint_print_is_low_in_contrast(clean: NDArray[np.uint8]) -> None:
    """Ridges 25 grey levels darker than valleys."""
    assert Defect.LOW_CONTRAST in defects_of((235 - (235 - clean.astype(np.float64)) * 0.13).astype(np.uint8))


def test_few_minutiae_and_small_area() -> None:
    """Both are told, both lower the number."""
    pixels = ridge_picture(190, 200, minutiae=4, noise=2).pixels
    assert {Defect.FEW_MINUTIAE, Defect.TOO_SMALL} <= set(defects_of(pixels, 4))
