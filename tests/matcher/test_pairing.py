"""The pairing kernels against their naive twins."""

from __future__ import annotations

import naive_pairing
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import anything, scattered

from matcher import pairing, parameters
from matcher.comparison import prepare
from matcher.descriptors import DIMENSIONS, MOST_STEPS, STEPS
from matcher.template import Template

SEEDS = st.integers(0, 10_000)


def table_of(seed: int, rows: int, columns: int) -> np.ndarray:
    """Similarities, in steps of 1/STEPS² as real ones are, from -2,000 steps on and without equal values."""
    steps = np.random.default_rng(seed).choice(4_000, (rows, columns), replace=False) - 2_000
    return (steps / STEPS**2).astype(np.float32)


def crowded_table(seed: int, rows: int, columns: int) -> np.ndarray:
    """Similarities of which many are equal."""
    return (np.random.default_rng(seed).integers(-3, 4, (rows, columns)) / STEPS**2).astype(np.float32)


def padded(values: np.ndarray) -> np.ndarray:
    """The same with 0 behind it on every side, as the kernels keep what belongs to the pairs."""
    behind = [(0, parameters.PAIRS_KEPT - length) for length in values.shape]
    return np.pad(values, behind).astype(np.float32)


@given(SEEDS, st.integers(0, 20), st.integers(0, 255))
@settings(max_examples=30, deadline=None)
def test_similarities_equal_naive(seed: int, rows: int, columns: int) -> None:
    """Inner products of all rows, each rounded once: equal sums are equal similarities."""
    rng = np.random.default_rng(seed)
    probe = rng.integers(-MOST_STEPS, MOST_STEPS + 1, (rows, DIMENSIONS)).astype(np.float32)
    reference = rng.integers(-MOST_STEPS, MOST_STEPS + 1, (columns, DIMENSIONS)).astype(np.float32)
    found = pairing.similarities(probe, reference)
    np.testing.assert_allclose(found, naive_pairing.similarities(probe, reference), rtol=1e-6)
    sums = (probe @ reference.T).astype(int)
    assert len(np.unique(found)) == len(np.unique(sums))


@given(SEEDS, st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_strongest_pairs_equal_naive(seed: int, rows: int, columns: int) -> None:
    """The best few of each row, the best of all first; of equal ones the earlier minutiae's."""
    for table in (table_of(seed, rows, columns), crowded_table(seed, rows, columns)):
        pairs = pairing.strongest_pairs(table)
        assert [tuple(pair) for pair in pairs.tolist()] == naive_pairing.strongest_pairs(table)


def test_strongest_pairs_of_the_largest_prints() -> None:
    """255 minutiae on both sides and the largest similarities fit into a key."""
    table = np.zeros((255, 255), np.float32)
    table[254, 254] = table[0, 0] = table[254, 0] = DIMENSIONS * MOST_STEPS**2 / STEPS**2
    assert pairing.strongest_pairs(table).tolist() == [[0, 0], [254, 0], [254, 254]]


@given(SEEDS, st.integers(0, 12), st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_compatibilities_equal_naive(seed: int, rows: int, columns: int) -> None:
    """Products of three parabolas, computed without angles."""
    probe = prepare(scattered(seed, rows, side=60)).minutiae
    reference = prepare(scattered(seed + 1, columns, side=60)).minutiae
    pairs = pairing.strongest_pairs(table_of(seed, rows, columns))
    found = pairing.compatibilities(probe, reference, pairs)
    expected = naive_pairing.compatibilities(probe, reference, pairs)
    np.testing.assert_allclose(found, padded(expected), atol=2e-4)


@given(SEEDS, st.integers(0, 12))
@settings(max_examples=30, deadline=None)
def test_relaxation_equals_naive(seed: int, count: int) -> None:
    """Belief flows between compatible pairs; each seed takes what it explains."""
    table = np.abs(table_of(seed, count, count))
    pairs = pairing.strongest_pairs(table)
    fits = np.random.default_rng(seed + 1).random((len(pairs), len(pairs)), np.float32)
    fits = np.minimum(fits, fits.T)
    np.fill_diagonal(fits, 0.0)
    compatible = padded(fits)
    belief = pairing.relax(table, pairs, compatible)
    np.testing.assert_allclose(belief, padded(naive_pairing.relax(table, pairs, fits)), rtol=1e-4)
    taken, support = np.zeros_like(belief), np.zeros_like(belief)
    for _ in range(parameters.SEEDS if count else 0):
        expected, taken_after = naive_pairing.next_seed(belief, compatible, taken.copy())
        total = pairing.next_seed(belief, compatible, taken, support)
        np.testing.assert_allclose(support, expected, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(taken, taken_after, rtol=1e-5)
        np.testing.assert_allclose(total, expected.sum(), rtol=1e-4, atol=1e-7)


@given(anything(), anything())
@settings(max_examples=20, deadline=None)
def test_no_pair_uses_a_minutia_that_is_not_there(one: Template, two: Template) -> None:
    """Indices stay inside both prints, and few pairs are kept."""
    a, b = prepare(one), prepare(two)
    pairs = pairing.strongest_pairs(pairing.similarities(a.descriptors, b.descriptors))
    assert len(pairs) <= parameters.PAIRS_KEPT
    assert np.all((pairs >= 0) & (pairs < [[len(a), len(b)]]))
