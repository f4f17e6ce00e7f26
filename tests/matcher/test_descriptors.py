"""The local descriptor against its naive twin and its own claims."""

from __future__ import annotations

import dataclasses

import naive_cylinder
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import anything, chosen, motions, prints, scattered, turned

from fixtures.templates import template_non_mated, template_probe
from matcher import descriptors, hulls, kernels_cylinder
from matcher.descriptors import CYLINDER_SHAPE, CYLINDER_SIZE, DIMENSIONS, STEPS, describe
from matcher.template import Template

NOTHING = np.zeros((0, 0), np.bool_)


def points_of(template: Template) -> np.ndarray:
    """Points as the kernels take them, sorted."""
    rows = descriptors.canonical_order(template)
    columns = (template.x, -template.y.astype(np.int32), template.angle, descriptors.weights_of(template))
    return np.stack([column[rows] for column in columns]).astype(np.float32)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 25])
def test_cylinders_equal_naive(*, known: bool, count: int) -> None:
    """Cell by cell, the kernel gives what the paper's formulas give."""
    template = scattered(count, count, side=260)
    mean = np.random.default_rng(1).random(CYLINDER_SHAPE).astype(np.float32)
    foreground = template.field.foreground if known else NOTHING
    values, expected = np.ones((2, count, *CYLINDER_SHAPE), np.float32)
    kernels_cylinder.fill_cylinders(points_of(template), foreground, mean, values)
    naive_cylinder.fill_cylinders(points_of(template), foreground, mean, expected)
    np.testing.assert_allclose(values, expected, atol=2e-3)


@given(st.integers(0, 1000), st.integers(1, 40), st.sampled_from([3, 30, 300]))
@settings(max_examples=40, deadline=None)
def test_hull_margin_equals_naive(seed: int, count: int, side: int) -> None:
    """A place is near the hull exactly when no edge has it too far outside."""
    points = points_of(scattered(seed, count, side=side))
    hull = hulls.convex_hull(points[0], points[1])
    for px, py in np.random.default_rng(seed).uniform(-side, 2 * side, (10, 2)):
        expected = naive_cylinder.near_hull(px, py, points[0], points[1])
        assert kernels_cylinder.near_hull(px, py, points[0], points[1], hull) == expected


def test_layers_equal_naive() -> None:
    """Products and a bias; rows scaled to length 1; a row of nothing stays nothing."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(7, CYLINDER_SIZE)).astype(np.float32)
    values[3] = 0.0
    weights = rng.normal(size=(CYLINDER_SIZE, DIMENSIONS)).astype(np.float32)
    for bias in (np.zeros(DIMENSIONS, np.float32), rng.normal(size=DIMENSIONS).astype(np.float32)):
        found, expected = np.empty((2, 7, DIMENSIONS), np.float32)
        kernels_cylinder.fill_layer(values, weights, bias, found)
        naive_cylinder.fill_layer(values, weights, bias, expected)
        np.testing.assert_allclose(found, expected, atol=1e-3)
        kernels_cylinder.scale_rows(found)
        naive_cylinder.scale_rows(expected)
        np.testing.assert_allclose(found, expected, atol=1e-4)


@given(anything())
@settings(max_examples=30, deadline=None)
def test_rows_have_length_one_or_nothing(template: Template) -> None:
    """Whatever the template, an inner product is a cosine, or 0.

    Four bits cut the largest parts of the odd neighbourhood and round the others, so lengths vary.
    """
    described = describe(template)
    lengths = np.linalg.norm(described, axis=1) / STEPS
    assert np.array_equal(described, np.rint(described))
    assert described.shape == (len(template), DIMENSIONS)
    assert described.dtype == np.float32
    assert np.all((lengths == 0.0) | (lengths > 0.5))
    assert np.all(lengths < 1.15)


@given(prints(), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_order_of_minutiae_does_not_matter(template: Template, random: object) -> None:
    """Descriptors follow their minutiae."""
    rows = list(range(len(template)))
    random.shuffle(rows)
    np.testing.assert_array_equal(describe(chosen(template, np.array(rows))), describe(template)[rows])


@given(prints(), motions())
@settings(max_examples=20, deadline=None)
def test_turning_a_print_keeps_descriptors(template: Template, motion: tuple[float, int, int]) -> None:
    """Turned and shifted, but for the rounding to whole pixels, a neighbourhood looks the same.

    Asked of minutiae that have one: a minutia without neighbours has no descriptor.
    """
    still = dataclasses.replace(template, field=None)
    before, after = describe(still), describe(turned(still, motion))
    known = before.any(axis=1) & after.any(axis=1)
    assume(known.any())
    likeness = (before[known] * after[known]).sum(axis=1) / STEPS**2
    assert np.median(likeness) > 0.97
    assert np.quantile(likeness, 0.1) > 0.85


def test_other_prints_look_different() -> None:
    """Neighbourhoods of different fingers are not alike on average."""
    table = describe(template_probe()) @ describe(template_non_mated()).T / STEPS**2
    assert abs(float(np.mean(table))) < 0.2
