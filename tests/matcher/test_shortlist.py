"""The shortlist: sketches, the scan, and the cut over several parts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_sketch import pool, scan

from fixtures.templates import person
from matcher.candidates import ReferenceId
from matcher.codes import FINGERS, FingerPosition
from matcher.comparison import prepare
from matcher.fusion import best_of, fuse
from matcher.kernels_fusion import fuse_fingers
from matcher.kernels_sketch import pool_descriptors, scan_sketches
from matcher.references import prepare_tenprint
from matcher.scoring import Score
from matcher.shortlist import Shortlist, best_places, looks_of, merged
from matcher.sketches import HALVES, SKETCH_SIZE, SKETCH_STEPS, half_sketches, sketch_of
from matcher.template import Template

INDEX = FingerPosition.RIGHT_INDEX


@given(st.integers(0, 2**32 - 1), st.integers(0, 8), st.integers(1, 5))
@settings(max_examples=30)
def test_pooling_equals_its_naive_twin(seed: int, minutiae: int, centres: int) -> None:
    """Also with minutiae that have no descriptor."""
    rng = np.random.default_rng(seed)
    descriptors = rng.normal(0.0, 0.2, (minutiae, 6)).astype(np.float32)
    descriptors[rng.random(minutiae) < 0.2] = 0.0
    weights = rng.random(minutiae).astype(np.float32)
    around = rng.normal(0.0, 0.4, (centres, 6)).astype(np.float32)
    pooled = np.empty(centres * 6, np.float32)
    pool_descriptors(descriptors, weights, around, 0.2, 0.7, pooled)
    assert np.allclose(pooled, pool(descriptors, weights, around, 0.2, 0.7), atol=2e-4)


@given(st.integers(0, 2**32 - 1), st.integers(0, 20), st.integers(1, 5))
@settings(max_examples=30)
def test_the_scan_equals_its_naive_twin(seed: int, prints: int, rows: int) -> None:
    """To the last bit, extremes of 8 bits included; looked for as a whole or by parts, too."""
    rng = np.random.default_rng(seed)
    look = rng.integers(-127, 128, (rows, SKETCH_SIZE)).astype(np.int8)
    stored = rng.choice(np.array([-127, -1, 0, 5, 127], np.int8), (prints, SKETCH_SIZE))
    references = rng.integers(0, 9, prints).astype(np.int32)
    allowed, best = rng.random(9) < 0.7, rng.integers(-(10**5), 10**5, 9).astype(np.int32)
    expected = scan(look, stored, references, allowed, best)
    scan_sketches(look, stored, references, allowed, best)
    assert np.array_equal(best, expected)


def test_captures_of_a_finger_have_like_sketches() -> None:
    """And other fingers unlike ones."""
    firsts = [sketch_of(prepare(person(21, n).capture(INDEX, 0))).astype(int) for n in range(12)]
    seconds = [sketch_of(prepare(person(21, n).capture(INDEX, 1))).astype(int) for n in range(12)]
    alike = np.array(firsts) @ np.array(seconds).T
    assert np.mean(alike.argmax(axis=1) == np.arange(12)) >= 0.9
    assert alike.diagonal().mean() > 0.3 * SKETCH_STEPS**2 > 3.0 * alike.mean()


def test_halves_are_like_the_part_that_another_capture_shows() -> None:
    """Where only the left half is shown, that half is more like it than the whole or the others."""
    for n in range(6):
        template = person(21, n).capture(INDEX, 0)
        prepared = prepare(template)
        halves = half_sketches(prepared)
        assert halves.shape == (HALVES, SKETCH_SIZE)
        left = np.flatnonzero(template.x < np.median(template.x))
        rows = {name: getattr(template, name)[left] for name in ("x", "y", "angle", "kind", "quality")}
        shown = sketch_of(prepare(dataclasses.replace(template, **rows))).astype(int)
        alike = [int(shown @ each.astype(int)) for each in (sketch_of(prepared), *halves)]
        assert int(np.argmax(alike)) == 1


def test_a_print_without_minutiae_has_an_empty_sketch() -> None:
    """It is like nothing."""
    nothing, zeros = np.zeros(0, np.int16), np.zeros(0, np.uint8)
    empty = Template(nothing, nothing, nothing.astype(np.float32), zeros, zeros, 400, 400)
    assert not sketch_of(prepare(empty)).any()
    assert not half_sketches(prepare(empty)).any()


@pytest.mark.parametrize("fingers", [1, 2, 3])
def test_few_fingers_are_sought_by_their_halves(fingers: int) -> None:
    """The whole first; of more fingers the wholes alone."""
    positions = list(FINGERS[:fingers])
    probe = prepare_tenprint({each: person(21, 1).capture(each, 0) for each in positions})
    looks = looks_of(probe)
    assert list(looks) == positions
    for position, look in looks.items():
        assert np.array_equal(look[0], probe[position].sketch)
        assert len(look) == (1 + HALVES if fingers <= 2 else 1)


names = st.lists(st.text("abcd", min_size=1, max_size=4), unique=True, max_size=15)


@given(names, st.integers(1, 16), st.integers(1, 4), st.data())
def test_parts_cut_together_keep_what_one_would(
    ids: list[str], size: int, parts: int, data: st.DataObject
) -> None:
    """With many equal similarities."""
    values = np.array(data.draw(st.lists(st.integers(-2, 2), min_size=len(ids), max_size=len(ids))), np.int64)
    whole = {ids[place] for place in best_places(values, ids.__getitem__, size)}
    lists = []
    for part in range(parts):
        own, theirs = ids[part::parts], values[part::parts]
        places = best_places(theirs, own.__getitem__, size)
        listed = tuple(ReferenceId(own[place]) for place in places)
        lists.append(Shortlist(listed, tuple(int(theirs[place]) for place in places), len(own), 0))
    half = size // 2
    few, rest = ({each for kept in look for each in kept} for look in merged(lists, half, size))
    assert few == {ids[place] for place in best_places(values, ids.__getitem__, half)}
    assert few | rest == whole
    assert not few & rest


@given(st.lists(st.lists(st.floats(0.0, 120.0, width=32), max_size=3), min_size=1, max_size=10))
def test_many_references_fuse_as_one_does(fingers: list[list[float]]) -> None:
    """A finger without prints adds nothing."""
    best = np.array([[max(scores, default=0.0)] for scores in fingers], np.float32)
    counts = np.array([[len(scores)] for scores in fingers], np.int64)
    own, fused = np.empty((len(fingers), 1)), np.empty(1)
    fuse_fingers(best, counts, own, fused)
    compared = {
        FingerPosition(number + 1): best_of([Score(each) for each in scores])
        for number, scores in enumerate(fingers)
        if scores
    }
    assert np.isclose(fused[0], fuse(compared), atol=1e-4)
    assert np.allclose(
        own[:, 0], [compared.get(FingerPosition(k + 1), 0.0) for k in range(len(fingers))], atol=1e-4
    )
