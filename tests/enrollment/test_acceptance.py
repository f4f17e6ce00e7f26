"""What rules a print out, on templates and fields made for it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from stored_people import random_template

from enrollment.acceptance import print_evidence, print_measures, why_no_fingertip, why_no_template
from enrollment.capture import Reason
from enrollment.parameters import LEAST_PRINT_EVIDENCE
from matcher.template import RidgeField, Template

SMALL, LARGE = np.ones((100, 100), dtype=np.bool_), np.ones((400, 400), dtype=np.bool_)


def field_of(coherence: float, cells: tuple[int, int] = (25, 25)) -> RidgeField:
    """Ridges that run one way, as clear everywhere."""
    return RidgeField(
        orientation=np.zeros(cells, np.uint8),
        coherence=np.full(cells, round(255 * coherence), np.uint8),
        foreground=np.ones(cells, np.bool_),
    )


def template_of(probabilities: list[int]) -> Template:
    """A template whose minutiae have these probabilities, in per cent."""
    template = random_template(np.random.default_rng(1), minutiae=len(probabilities))
    return replace(template, quality=np.array(probabilities, dtype=np.uint8))


def test_measures_are_what_they_say() -> None:
    """Of 80, 80 and 20 %: (0.64 + 0.64 + 0.04) / 1.8 sure, 1.8 in 10,000 px², half as clear as can be."""
    measures = print_measures(template_of([80, 80, 20]), SMALL, field_of(0.5), 0.7)
    assert measures.sureness == pytest.approx(1.32 / 1.8)
    assert measures.crowd == pytest.approx(math.log(1.8))
    assert measures.clearness == pytest.approx(0.5, abs=0.01)
    assert measures.ridges == 0.7


def test_clear_lines_ask_for_surer_minutiae() -> None:
    """The same minutiae, neither sure nor unsure: a misted print's, or a photograph's."""
    doubtful = template_of([45] * 30)
    misted, sharp = (print_measures(doubtful, LARGE, field_of(clear), 0.5) for clear in (0.2, 0.7))
    assert print_evidence(sharp) < LEAST_PRINT_EVIDENCE < print_evidence(misted)
    assert why_no_template(doubtful, LARGE, field_of(0.2), 0.5) is None
    assert why_no_template(doubtful, LARGE, field_of(0.7), 0.5) is Reason.NO_FINGERPRINT
    assert why_no_template(template_of([90] * 30), LARGE, field_of(0.7), 0.5) is None


def test_few_minutiae_of_a_small_print_are_for_its_size() -> None:
    """Sure ones, but too few of them to compare; unsure ones show no print at all."""
    sure, unsure, none = template_of([80] * 4), template_of([35] * 4), template_of([])
    assert why_no_template(sure, SMALL, field_of(0.4), 0.5) is Reason.TOO_SMALL
    assert why_no_template(sure, LARGE, field_of(0.4), 0.5) is Reason.TOO_FEW_MINUTIAE
    assert why_no_template(unsure, LARGE, field_of(0.4), 0.5) is Reason.NO_FINGERPRINT
    assert why_no_template(none, LARGE, field_of(0.4), 0.5) is Reason.TOO_FEW_MINUTIAE


@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_ridges_in_every_corner_are_no_fingertips(corner: tuple[int, int]) -> None:
    """A window full of ridges; not where in one corner only the glass is seen, whatever its grain."""
    pixels = np.zeros((400, 400), dtype=np.uint8)
    # Ridges that turn: otherwise they were a palm's for another reason.
    turning = np.mod(np.add.outer(np.arange(25) * 9, np.arange(25) ** 2 // 3), 256).astype(np.uint8)
    full = replace(field_of(0.6), orientation=turning)
    assert why_no_fingertip(pixels, LARGE, full, 0.6) is Reason.NO_FINGERTIP
    coherence = full.coherence.copy()
    rows, columns = (slice(0, 6) if end == 0 else slice(-6, None) for end in corner)
    coherence[rows, columns] = 30
    assert why_no_fingertip(pixels, LARGE, replace(full, coherence=coherence), 0.6) is None
