"""The shortlist of one position against its naive twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_index import cast_votes as naive_votes
from naive_index import nearest

from fixtures.templates import person
from matcher.codes import FingerPosition
from matcher.comparison import PreparedTemplate, prepare
from matcher.descriptors import DIMENSIONS, quantise, restore
from matcher.index import TURN_LIMIT, DescriptorIndex
from matcher.kernels_votes import cast_votes
from matcher.prints import directions_of

INDEX = FingerPosition.RIGHT_INDEX


def print_of(number: int, capture: int = 0) -> PreparedTemplate:
    """A finger of somebody who does not exist."""
    return prepare(person(5, number).capture(INDEX, capture))


def filled(people: int, *, scanned_rows: int = 10**6) -> DescriptorIndex:
    """An index of so many fingers, numbered from 0."""
    index = DescriptorIndex(scanned_rows)
    for number in range(people):
        prepared = print_of(number)
        references = np.full(len(prepared), number, np.int32)
        index.append(references, quantise(prepared.descriptors), directions_of(prepared))
    return index


def votes_for(index: DescriptorIndex, probe: PreparedTemplate, people: int, **kwargs: object) -> np.ndarray:
    """What a probe's minutiae vote for."""
    votes = np.zeros(people, np.float32)
    index.vote(probe.descriptors, directions_of(probe), votes, **kwargs)  # type: ignore[arg-type]
    return votes


def unit_vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Directions: float32[count, 2]."""
    angles = rng.uniform(0.0, 2.0 * np.pi, count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(1, 9))
@settings(max_examples=40)
def test_the_kernel_votes_as_its_naive_twin(seed: int, minutiae: int, neighbours: int) -> None:
    """Also with missing neighbours."""
    rng = np.random.default_rng(seed)
    similarities = -np.sort(-rng.random((minutiae, neighbours)).astype(np.float32), axis=1)
    rows = rng.integers(0, 30, (minutiae, neighbours))
    rows[:, rng.integers(1, neighbours + 1) :] = -1
    directions, stored = unit_vectors(rng, minutiae), unit_vectors(rng, 30)
    references = rng.integers(0, 8, 30).astype(np.int32)
    fast, slow = np.zeros(8, np.float32), np.zeros(8, np.float32)
    cast_votes(similarities, rows, directions, references, stored, TURN_LIMIT, fast)
    naive_votes(similarities, rows, directions, references, stored, TURN_LIMIT, slow)
    np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=1e-6)


def test_a_small_index_votes_as_exact_neighbours_do() -> None:
    """Scanned one by one: nothing is lost."""
    people = 12
    index, probe = filled(people), print_of(3, capture=1)
    stored = restore(index.codes(0, len(index)))
    asked = restore(quantise(probe.descriptors))
    similarities, rows = nearest(asked, stored, min(len(index), max(200, 18_000 // len(probe))))
    expected = np.zeros(people, np.float32)
    naive_votes(
        similarities,
        rows,
        directions_of(probe),
        index.references(),
        index.directions(0, len(index)),
        TURN_LIMIT,
        expected,
    )
    votes = votes_for(index, probe, people)
    np.testing.assert_allclose(votes, expected, rtol=1e-3, atol=1e-3)
    assert votes.argmax() == 3


def test_lists_find_the_mates_that_a_full_scan_finds() -> None:
    """The arrangement of a large index changes its speed, hardly its answers."""
    people = 60
    scanned, listed = filled(people), filled(people)
    listed.adopt(listed.arranged())
    mates = range(0, people, 3)
    probes = [print_of(number, capture=1) for number in mates]
    by_scan = [votes_for(scanned, probe, people) for probe in probes]
    by_lists = [votes_for(listed, probe, people) for probe in probes]
    agreement = [np.corrcoef(a, b)[0, 1] for a, b in zip(by_scan, by_lists, strict=True)]
    assert min(agreement) > 0.95
    assert sum(int(v.argmax()) == number for v, number in zip(by_lists, mates, strict=True)) >= 19


def test_an_outgrown_index_says_so_until_it_is_arranged() -> None:
    """What is added afterwards is found in the lists as well."""
    index = filled(8, scanned_rows=100)
    assert index.outgrown
    index.adopt(index.arranged())
    assert not index.outgrown
    late = print_of(8)
    index.append(np.full(len(late), 8, np.int32), quantise(late.descriptors), directions_of(late))
    assert votes_for(index, late, 9).argmax() == 8


@pytest.mark.parametrize("arranged", [False, True])
def test_only_allowed_references_get_votes(*, arranged: bool) -> None:
    """Filters are applied while neighbours are sought, not to what was found."""
    index = filled(10)
    if arranged:
        index.adopt(index.arranged())
    allowed = np.zeros(10, np.bool_)
    allowed[[2, 7]] = True
    votes = votes_for(index, print_of(4, capture=1), 10, allowed=allowed)
    assert votes[allowed].all()
    assert not votes[~allowed].any()


def test_nothing_votes_for_nothing() -> None:
    """An empty index, and a probe without minutiae."""
    empty = np.empty((0, DIMENSIONS), np.float32)
    votes = np.zeros(3, np.float32)
    DescriptorIndex().vote(print_of(1).descriptors, directions_of(print_of(1)), votes)
    filled(3).vote(empty, np.empty((0, 2), np.float32), votes)
    assert not votes.any()


def test_descriptors_are_kept_without_loss() -> None:
    """What `describe` gives is already what 8 bits can hold."""
    descriptors = print_of(2).descriptors
    assert np.array_equal(restore(quantise(descriptors)), descriptors)


def test_memory_is_counted() -> None:
    """About 115 bytes a minutia, spare room aside."""
    index = filled(30)
    assert 100 * len(index) < index.nbytes < 240 * len(index)
