"""The alignment and evidence kernels against their naive twins."""

from __future__ import annotations

import math

import naive_alignment as naive
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Motion, motions, prints, scattered, turned

from matcher import alignment, distortion, evidence, measures, ridge_fields
from matcher.comparison import PreparedTemplate, compare, prepare
from matcher.hulls import corners_of
from matcher.parameters import FOLLOWED_PX, NARROW_PX, STRETCHED_PX
from matcher.ridge_fields import COHERENCE, ORIENTATION
from matcher.template import Template

SEEDS = st.integers(0, 10_000)
COUNTS = st.integers(0, 25)


def two_prints(seed: int, rows: int, columns: int) -> tuple[PreparedTemplate, PreparedTemplate]:
    """Two crowded prints, so that minutiae have many possible partners."""
    return prepare(scattered(seed, rows, side=90)), prepare(scattered(seed + 1, columns, side=90))


def some_pairs(seed: int, rows: int, columns: int) -> np.ndarray:
    """One-to-one pairs of anything with anything."""
    rng = np.random.default_rng(seed)
    count = min(rows, columns)
    pairs = np.stack([rng.permutation(rows)[:count], rng.permutation(columns)[:count]], axis=1)
    return pairs.astype(np.int32)


def as_complex(motion: np.ndarray) -> tuple[complex, complex]:
    """Turn and shift."""
    return complex(motion[0], motion[1]), complex(motion[2], motion[3])


def off_the_edges(motion: Motion) -> tuple[complex, complex]:
    """Turn and shift; no cell's middle falls on the edge between two, where rounding would decide."""
    turn = complex(math.cos(motion[0]), math.sin(motion[0]))
    return turn, complex(motion[1] + 0.137, motion[2] + 0.219)


@given(SEEDS, COUNTS, COUNTS)
@settings(max_examples=40, deadline=None)
def test_fitted_motion_equals_naive(seed: int, rows: int, columns: int) -> None:
    """The weighted least-squares motion; nothing moves without pairs."""
    a, b = two_prints(seed, rows, columns)
    pairs = some_pairs(seed, rows, columns)
    weights = np.random.default_rng(seed).random(len(pairs)).astype(np.float32)
    turn, shift = naive.fit_motion(a.minutiae, b.minutiae, pairs, weights)
    found_turn, found_shift = as_complex(alignment.fit_motion(a.minutiae, b.minutiae, pairs, weights))
    assert abs(found_turn - turn) < 1e-4
    assert abs(found_shift - shift) < 0.05


@given(prints(), motions())
@settings(max_examples=20, deadline=None)
def test_fitted_motion_finds_the_motion(template: Template, motion: Motion) -> None:
    """A turned and shifted print is laid back within the rounding, and `inverse` undoes it."""
    a, b = prepare(template), prepare(turned(template, motion))
    pairs = np.stack([np.argsort(a.order), np.argsort(b.order)], axis=1).astype(np.int32)
    found = alignment.fit_motion(a.minutiae, b.minutiae, pairs, np.ones(len(pairs), np.float32))
    laid = alignment.moved(a.minutiae, found)
    back = alignment.moved(laid, alignment.inverse(found))
    apart = naive.places(laid)[pairs[:, 0]] - naive.places(b.minutiae)[pairs[:, 1]]
    assert np.abs(apart).max() < 1.5
    np.testing.assert_allclose(back, a.minutiae, atol=2e-3)


@given(SEEDS, COUNTS, COUNTS, st.sampled_from([11.0, 18.0]))
@settings(max_examples=40, deadline=None)
def test_pairs_within_reach_equal_naive(seed: int, rows: int, columns: int, reach: float) -> None:
    """Closest first, one to one."""
    a, b = two_prints(seed, rows, columns)
    pairs = alignment.pair_within(a.minutiae, b.minutiae, alignment.strip_starts(b.minutiae), reach)
    assert sorted(map(tuple, pairs.tolist())) == sorted(naive.pair_within(a.minutiae, b.minutiae, reach))


@given(SEEDS, st.integers(0, 60))
@settings(max_examples=30, deadline=None)
def test_ranks_are_places_among_the_sorted(seed: int, count: int) -> None:
    """Equal costs keep their order; the cheapest are kept as they stand."""
    costs = np.random.default_rng(seed).integers(0, 12, count).astype(np.float32)
    order = np.argsort(costs, kind="stable")
    assert alignment.ranks(costs)[order].tolist() == list(range(count))
    near = np.arange(count, dtype=np.int32)
    kept = alignment.keep_closest(costs.copy(), near, count, 7)
    assert near[:kept].tolist() == sorted(order[:7].tolist())


def test_a_crowd_at_one_place_is_paired() -> None:
    """More near minutiae than there is room for: each still gets a partner, none two."""
    crowd = prepare(scattered(3, 200, side=8)).minutiae.copy()
    crowd[2], crowd[3] = 1.0, 0.0
    pairs = alignment.pair_within(crowd, crowd, alignment.strip_starts(crowd), 18.0)
    assert len(pairs) > 100
    assert all(len(np.unique(side)) == len(side) for side in pairs.T)


@given(SEEDS, COUNTS, COUNTS)
@settings(max_examples=40, deadline=None)
def test_unbending_and_worth_equal_naive(seed: int, rows: int, columns: int) -> None:
    """Each minutia follows the pairs around it; near and similar pairs are worth more."""
    a, b = two_prints(seed, rows, columns)
    pairs = some_pairs(seed, rows, columns)
    table = np.random.default_rng(seed).uniform(-1, 1, (rows, columns)).astype(np.float32)
    laid = distortion.unbend(a.minutiae, b.minutiae, pairs, table)
    places, ways = naive.unbend(a.minutiae, b.minutiae, pairs, table)
    np.testing.assert_allclose(naive.places(laid), places, atol=1e-3)
    np.testing.assert_allclose(naive.directions(laid), ways, atol=1e-4)
    bent = np.zeros(measures.COUNT)
    measures.measure_strain(a.minutiae, laid, pairs, bent)
    np.testing.assert_allclose(bent[measures.STRAIN], naive.strain(a.minutiae, laid, pairs), atol=1e-3)
    expected = naive.worth_of_pairs(a.minutiae, b.minutiae, pairs, table)
    found = evidence.worth_of_pairs(a.minutiae, b.minutiae, pairs, table)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@given(SEEDS, COUNTS, COUNTS, motions())
@settings(max_examples=40, deadline=None)
def test_shared_region_equals_naive(seed: int, rows: int, columns: int, motion: Motion) -> None:
    """A minutia counts when it is paired or falls onto the other print's hull."""
    a, b = two_prints(seed, rows, columns)
    pairs = some_pairs(seed, rows, columns)[:3]
    turn, shift = complex(math.cos(motion[0]), math.sin(motion[0])), complex(motion[1], motion[2])
    moved_by = np.array([turn.real, turn.imag, shift.real, shift.imag])
    there = alignment.moved(a.minutiae, moved_by)
    back = alignment.moved(b.minutiae, alignment.inverse(moved_by))
    found = evidence.weight_inside(there, pairs[:, 0].copy(), b.hull)
    expected = naive.weight_inside(a.minutiae, pairs[:, 0], turn, shift, b.hull)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    common = evidence.common_weights(there, back, pairs, a.hull, b.hull)
    assert common[0] == found
    share = evidence.share_of_pairs(a.minutiae, b.minutiae, pairs, common)
    assert 0.0 <= share <= 1.0 + 1e-6


@given(SEEDS, COUNTS, COUNTS)
@settings(max_examples=40, deadline=None)
def test_stretching_equals_naive(seed: int, rows: int, columns: int) -> None:
    """Ridge regression of the residuals on the places; directions follow the matrix."""
    a, b = two_prints(seed, rows, columns)
    pairs = some_pairs(seed, rows, columns)
    table = np.random.default_rng(seed).uniform(-1, 1, (rows, columns)).astype(np.float32)
    found = distortion.stretch(a.minutiae, b.minutiae, pairs, table)
    places, ways = naive.stretch(a.minutiae, b.minutiae, pairs, table)
    np.testing.assert_allclose(naive.places(found), places, atol=0.02)
    np.testing.assert_allclose(naive.directions(found), ways, atol=1e-3)


def test_stretching_undoes_a_sweep() -> None:
    """A print that a sensor stretched by 8 % along one axis is laid on its mate."""
    a = prepare(scattered(4, 40, side=300))
    swept = a.minutiae.copy()
    swept[1] *= np.float32(1.08)
    pairs = np.stack([np.arange(40)] * 2, axis=1).astype(np.int32)
    similar = np.ones((40, 40), np.float32)
    before = np.abs(naive.places(swept) - naive.places(a.minutiae)).mean()
    after = np.abs(
        naive.places(distortion.stretch(swept, a.minutiae, pairs, similar)) - naive.places(a.minutiae)
    )
    assert after.mean() < 0.05 * before


def test_distortion_is_followed_to_the_edges() -> None:
    """Of a bent print a motion pairs less than half the minutiae; round by round the rest joins, rightly."""
    a = prepare(scattered(4, 60, side=320))
    bent = a.minutiae.copy()
    bent[0] += 16.0 * np.sin(2.0 * np.pi * a.minutiae[1] / 420.0)
    bent[1] += 10.0 * np.cos(2.0 * np.pi * a.minutiae[0] / 380.0)
    similar = np.eye(60, dtype=np.float32)
    starts = alignment.strip_starts(a.minutiae)

    def right(laid: np.ndarray) -> int:
        pairs = alignment.pair_within(laid, a.minutiae, starts, NARROW_PX)
        return int((pairs[:, 0] == pairs[:, 1]).sum())

    middle = np.abs(naive.places(a.minutiae) - naive.places(a.minutiae).mean()) < 90.0
    pairs = np.flatnonzero(middle)[:, None].repeat(2, axis=1).astype(np.int32)
    motion = alignment.fit_motion(bent, a.minutiae, pairs, np.ones(len(pairs), np.float32))
    laid = alignment.moved(bent, motion)
    found = [right(laid)]
    for reach in (STRETCHED_PX, *FOLLOWED_PX):
        near = alignment.pair_within(laid, a.minutiae, starts, reach)
        laid = distortion.unbend(laid, a.minutiae, near, similar)
        found.append(right(laid))
    assert found == sorted(found)
    assert found[0] < 30
    assert found[-1] > 55


def test_unbending_without_pairs_moves_nothing() -> None:
    """As in a comparison whose alignment pairs nothing within reach."""
    a = prepare(scattered(6, 20)).minutiae
    nothing = np.zeros((0, 2), np.int32)
    assert np.array_equal(distortion.unbend(a, a, nothing, np.zeros((20, 20), np.float32)), a)


@given(SEEDS, st.integers(0, 60), st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_the_hull_holds_all_minutiae(seed: int, count: int, side: int) -> None:
    """Its edges have length, and no minutia lies beyond one; crowds and lines of minutiae, too."""
    prepared = prepare(scattered(seed, count, side=side))
    x, y = prepared.minutiae[:2]
    assert prepared.hull.shape == (3, len(corners_of(x, y)))
    np.testing.assert_allclose(np.hypot(*prepared.hull[:2]), 1.0, atol=1e-5)
    assert (prepared.hull.T[:, :2] @ prepared.minutiae[:2] <= prepared.hull[2][:, None] + 0.01).all()
    assert (prepared.hull.shape[1] == 0) == (len(set(zip(x.tolist(), y.tolist(), strict=True))) < 2)


def test_cells_keep_the_field_to_the_nearest_step() -> None:
    """A 32nd of π of orientation, a seventh of coherence, at least one of it; nothing around the print."""
    template = scattered(2, 20, side=300)
    field = template.field
    assert field is not None
    cells = prepare(template).cells
    assert (cells[~field.foreground] == 0).all()
    seen = cells[field.foreground].astype(int)
    away = (seen & ORIENTATION) - field.orientation[field.foreground].astype(int)
    assert np.abs((away + 128) % 256 - 128).max() <= 4
    coherence = np.maximum(field.coherence[field.foreground] / 255.0, 1.0 / 7.0)
    assert np.abs((seen & COHERENCE) / 7.0 - coherence).max() <= 0.5 / 7.0 + 1e-6


@given(SEEDS, COUNTS, COUNTS, motions())
@settings(max_examples=40, deadline=None)
def test_measures_equal_naive(seed: int, rows: int, columns: int, motion: Motion) -> None:
    """Every number that trust rests on."""
    a, b = two_prints(seed, rows, columns)
    pairs = some_pairs(seed, rows, columns)
    table = np.random.default_rng(seed).uniform(-1, 1, (rows, columns)).astype(np.float32)
    turn, shift = off_the_edges(motion)
    moved_by = np.array([turn.real, turn.imag, shift.real, shift.imag])
    found = np.zeros(measures.COUNT)
    measures.measure_pairs(a.minutiae, b.minutiae, pairs, table, found)
    meeting = ridge_fields.lay_fields(a.cells, b.cells, moved_by)
    measures.measure_region(0.4, (3.0, 5.0), meeting, found)
    measures.measure_strain(a.minutiae, a.minutiae, pairs, found)
    expected = naive.measures(a, b, pairs, table, (turn, shift), 0.4, (3.0, 5.0))
    np.testing.assert_allclose(found, expected, atol=2e-3)


@given(SEEDS, motions())
@settings(max_examples=30, deadline=None)
def test_ridge_agreement_equals_naive(seed: int, motion: Motion) -> None:
    """Cells that fall on each other agree as the cosine of twice their difference."""
    a, b = (prepare(scattered(seed + k, 5, side=300)).cells for k in range(2))
    turn, shift = off_the_edges(motion)
    moved_by = np.array([turn.real, turn.imag, shift.real, shift.imag])
    found = ridge_fields.lay_fields(a, b, moved_by)
    np.testing.assert_allclose(found.agreement, naive.ridge_agreement(a, b, turn, shift), atol=1e-5)


def test_a_missing_field_says_nothing() -> None:
    """Without a field on either side the factor is 1."""
    for fields in ((True, False), (False, True)):
        a, b = (prepare(scattered(1, 25, field=field)) for field in fields)
        found = compare(a, b)
        assert found.worth > 0.0
        assert found.ridges == 1.0
