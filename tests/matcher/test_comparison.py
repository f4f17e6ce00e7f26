"""What must hold of every comparison, whatever the prints."""

from __future__ import annotations

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Motion, anything, chosen, motions, prints, scattered, spoiled, turned

from benchmarks.harder import noisier
from fixtures.templates import person, template_mated, template_non_mated, template_probe
from matcher import comparison
from matcher.codes import FINGERS, FingerPosition
from matcher.comparison import compare, prepare, raw_many, score_many, score_of
from matcher.measures import NAMES
from matcher.template import MAX_MINUTIAE, Template

INDEX = FingerPosition.RIGHT_INDEX


def raw_of(probe: Template, reference: Template) -> float:
    """Raw score of two templates."""
    return compare(prepare(probe), prepare(reference)).raw


def test_mated_prints_score_high_and_others_low() -> None:
    """Two captures of one finger are told from those of two people, with fields and without."""
    for strip in (False, True):
        probe, mated, other = (
            prepare(dataclasses.replace(t, field=None) if strip else t)
            for t in (template_probe(), template_mated(), template_non_mated())
        )
        assert score_of(probe, mated) > 60.0
        assert score_of(probe, other) < 30.0


def test_synthetic_population_is_told_apart() -> None:
    """Of thirty fingers, each second capture is nearest to its own first one."""
    people = range(30)
    first = [prepare(person(3, n).capture(FINGERS[n % 10], 0)) for n in people]
    second = [prepare(person(3, n).capture(FINGERS[n % 10], 1)) for n in people]
    table = np.stack([score_many(probe, first) for probe in second])
    assert list(table.argmax(axis=1)) == list(people)


def test_small_contacts_are_compared() -> None:
    """Six minutiae of a noisy capture: less support is asked of them, and most fingers are still found."""
    rng, raws, scores = np.random.default_rng(1), [], []
    for n in range(80):
        whole, noisy = (person(3, n).capture(FINGERS[n % 10], c) for c in (0, 1))
        noisy = noisier(noisy, rng)
        apart = (noisy.x - noisy.x.mean()) ** 2 + (noisy.y - noisy.y.mean()) ** 2
        found = compare(prepare(chosen(noisy, np.sort(np.argsort(apart)[:6]))), prepare(whole))
        raws.append(found.raw)
        scores.append(found.score)
    assert np.count_nonzero(np.array(raws) == 0.0) <= 2
    assert np.mean(np.array(scores) > 30.0) > 0.9


@given(anything(), anything())
@settings(max_examples=60, deadline=None)
def test_any_two_legal_templates_compare(one: Template, two: Template) -> None:
    """No crash, no NaN, nothing below 0; all paths give one score; roles do not matter."""
    probe, reference = prepare(one), prepare(two)
    found = compare(probe, reference)
    back = compare(reference, probe)
    assert math.isfinite(found.raw)
    assert found.raw >= 0.0
    assert found.score == back.score == score_of(probe, reference) == score_of(reference, probe)
    # Minutiae that are the same in every respect leave the order of the list open, not the pairs.
    assert sorted(map(tuple, found.pairs.tolist())) == sorted(map(tuple, back.pairs[:, ::-1].tolist()))
    np.testing.assert_allclose(score_many(probe, [reference, probe])[0], found.score, rtol=1e-5, atol=1e-4)


@given(anything(), anything())
@settings(max_examples=30, deadline=None)
def test_explanation_fits_the_templates(one: Template, two: Template) -> None:
    """Pairs are one to one, rows of the templates; the features make the raw score."""
    found = compare(prepare(one), prepare(two))
    assert found.pairs.dtype == np.int16
    assert np.all((found.pairs >= 0) & (found.pairs < [[len(one), len(two)]]))
    assert len(np.unique(found.pairs[:, 0])) == len(np.unique(found.pairs[:, 1])) == len(found.pairs)
    assert found.raw == pytest.approx(found.worth * found.share * found.ridges * found.trust)
    assert 0.4 < found.trust < 2.5
    assert list(found.because) in ([], list(NAMES))
    assert 0.0 <= found.share <= 1.0 + 1e-6


@given(prints(), prints())
@settings(max_examples=30, deadline=None)
def test_self_comparison_is_the_maximum(one: Template, two: Template) -> None:
    """No reference outscores the probe itself, and a print pairs all minutiae with themselves."""
    probe = prepare(one)
    own = compare(probe, probe)
    assert own.raw >= compare(probe, prepare(two)).raw * 0.99
    assert np.all(own.pairs[:, 0] == own.pairs[:, 1])
    assert len(own.pairs) == len(one)


@given(prints(), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_spoiling_never_gains(template: Template, seed: int) -> None:
    """Missed and spurious minutiae do not make a print more like itself, and hardly hide it."""
    probe = prepare(template)
    near = compare(probe, prepare(spoiled(template, seed, dropped=0.15, spurious=5)))
    assert near.raw <= compare(probe, probe).raw * 1.01
    assert near.score > 40.0


@given(prints(), prints(), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_order_of_minutiae_does_not_matter(one: Template, two: Template, random: object) -> None:
    """The same minutiae in another order: the same score to the last bit, the same pairs renamed."""
    rows = list(range(len(one)))
    random.shuffle(rows)
    straight = compare(prepare(one), prepare(two))
    shuffled = compare(prepare(chosen(one, np.array(rows))), prepare(two))
    assert shuffled.score == straight.score
    renamed = [(rows[i], j) for i, j in shuffled.pairs.tolist()]
    assert renamed == [tuple(pair) for pair in straight.pairs.tolist()]


@given(st.integers(0, 200), motions())
@settings(max_examples=30, deadline=None)
def test_turning_and_shifting_do_not_matter(number: int, motion: Motion) -> None:
    """Any turn, the half turn too, costs no more than the rounding to whole pixels; it is found."""
    probe = dataclasses.replace(person(4, number).capture(INDEX, 1), field=None)
    reference = dataclasses.replace(person(4, number).capture(INDEX, 2), field=None)
    straight = compare(prepare(probe), prepare(reference))
    found = compare(prepare(probe), prepare(turned(reference, motion)))
    assert found.raw == pytest.approx(straight.raw, rel=0.25, abs=1.0)
    own = compare(prepare(probe), prepare(turned(probe, motion)))
    cos, sin = own.motion[:2]
    assert math.cos(math.atan2(sin, cos) - motion[0]) > 0.999


def test_a_print_turned_with_its_field_scores_the_same() -> None:
    """A half turn of picture and field together, which whole cells survive exactly."""
    probe, reference = template_probe(), template_mated()
    assert reference.field is not None
    rows, columns = reference.field.orientation.shape
    upside = dataclasses.replace(
        reference,
        x=(16 * columns - reference.x).astype(np.int16),
        y=(16 * rows - reference.y).astype(np.int16),
        angle=np.mod(reference.angle + np.float32(math.pi), np.float32(2 * math.pi)),
        field=dataclasses.replace(
            reference.field,
            orientation=reference.field.orientation[::-1, ::-1].copy(),
            coherence=reference.field.coherence[::-1, ::-1].copy(),
            foreground=reference.field.foreground[::-1, ::-1].copy(),
        ),
    )
    assert raw_of(probe, upside) == pytest.approx(raw_of(probe, reference), rel=0.03)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, MAX_MINUTIAE])
def test_smallest_and_largest_templates(count: int) -> None:
    """The ends of what is legal compare with everything."""
    edge = prepare(scattered(count, count))
    for other in (prepare(template_probe()), edge, prepare(scattered(9, MAX_MINUTIAE, side=20))):
        assert math.isfinite(compare(edge, other).raw)


def test_many_at_once_equal_one_by_one() -> None:
    """The packed loop mixes prints with and without fields, large and empty, and none at all."""
    references = [prepare(scattered(n, n % 50, field=n % 3 > 0)) for n in range(40)]
    references += [prepare(template_mated()), prepare(dataclasses.replace(template_mated(), field=None))]
    for probe in (prepare(template_probe()), prepare(scattered(1, 30, field=False)), references[0]):
        expected = [compare(probe, reference) for reference in references]
        np.testing.assert_allclose(raw_many(probe, references), [each.raw for each in expected], rtol=1e-6)
        np.testing.assert_allclose(
            score_many(probe, references), [each.score for each in expected], rtol=1e-4, atol=1e-3
        )
    assert len(score_many(references[0], [])) == 0


def test_threads_do_not_disturb_each_other() -> None:
    """The same comparisons from several threads at once give the same scores."""
    fingers = [prepare(person(6, n).capture(INDEX)) for n in range(12)]
    expected = [score_many(probe, fingers) for probe in fingers]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            found = list(pool.map(lambda probe: score_many(probe, fingers), fingers))
            np.testing.assert_array_equal(found, expected)


def test_page_is_written_in_steps() -> None:
    """The page runs uncompiled too, and gives what the compiled one gives."""
    probe, reference = prepare(template_probe()), prepare(template_mated())
    first, second = comparison._ranked(probe, reference)
    arrays = comparison._arrays(first, fielded=True), comparison._arrays(second, fielded=True)
    pairs, motion, features, measures = comparison._weigh.py_func(*arrays)
    compiled = comparison._weigh(*arrays)
    np.testing.assert_array_equal(pairs, compiled[0])
    np.testing.assert_allclose(motion, compiled[1])
    np.testing.assert_allclose(features, compiled[2])
    np.testing.assert_allclose(measures, compiled[3], rtol=1e-5)
