"""Who is the same: components of confirmed links, contradictions, cases; all independent of order."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.ledger import Case, CaseKind, Edge, cases, components, identity_of, standing_between
from workflow.links import Standing

CONFIRMED, REFUSED = Standing.CONFIRMED, Standing.REFUSED
OPEN, UNSURE = Standing.UNDECIDED, Standing.INCONCLUSIVE
NAMES = "abcdefgh"
PERSONS = {name: f"p-{name}" for name in NAMES}

pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] < pair[1])
ledgers = st.dictionaries(pairs, st.sampled_from(Standing), max_size=14).map(
    lambda held: [Edge(left, right, standing) for (left, right), standing in held.items()]
)


def naive_component(encounter: str, edges: Collection[Edge]) -> frozenset[str]:
    """Grow by one confirmed link at a time, until nothing is added."""
    reached = {encounter}
    while True:
        ends = [{edge.left, edge.right} for edge in edges if edge.standing is CONFIRMED]
        grown = reached.union(*(pair for pair in ends if pair & reached))
        if grown == reached:
            return frozenset(reached)
        reached = grown


@given(ledgers)
def test_components_equal_the_naive_twin(edges: list[Edge]) -> None:
    """Merging sets finds what walking from each encounter finds."""
    found = components(edges)
    assert all(found[name] == naive_component(name, edges) for name in found)


@given(ledgers, st.randoms())
def test_nothing_depends_on_the_order_of_links(edges: list[Edge], chance: random.Random) -> None:
    """Identities, standings and cases are the same for any order of the same rows."""
    shuffled = list(edges)
    chance.shuffle(shuffled)
    assert [identity_of(name, edges) for name in NAMES] == [identity_of(name, shuffled) for name in NAMES]
    assert standing_between("a", "b", edges) == standing_between("a", "b", shuffled)
    assert cases(edges, PERSONS) == cases(shuffled, PERSONS)


@given(ledgers)
def test_identity_is_an_equivalence(edges: list[Edge]) -> None:
    """Who is the same as me sees me, and whoever I see, in the same way."""
    for name in NAMES:
        members = identity_of(name, edges).encounters
        assert name in members
        assert all(identity_of(other, edges).encounters == members for other in members)


@given(ledgers)
def test_an_identity_never_holds_a_refused_pair(edges: list[Edge]) -> None:
    """What an examiner told apart is not derived to be one."""
    for edge in edges:
        if edge.standing is REFUSED:
            assert edge.right not in identity_of(edge.left, edges).encounters


@given(ledgers)
def test_undecided_and_inconclusive_links_derive_nothing(edges: list[Edge]) -> None:
    """Only confirmed links connect: a machine's suggestion changes no identity."""
    decided = [edge for edge in edges if edge.standing in (CONFIRMED, REFUSED)]
    assert [identity_of(name, edges) for name in NAMES] == [identity_of(name, decided) for name in NAMES]


@given(ledgers, st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_standing_between_two_is_symmetric(edges: list[Edge], one: str, other: str) -> None:
    """The ledger says the same of (a, b) and (b, a)."""
    assert standing_between(one, other, edges) is standing_between(other, one, edges)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([], OPEN),
        ([Edge("a", "b", OPEN)], OPEN),
        ([Edge("a", "b", CONFIRMED)], CONFIRMED),
        ([Edge("a", "b", REFUSED)], REFUSED),
        ([Edge("a", "b", UNSURE)], UNSURE),
        ([Edge("a", "c", CONFIRMED), Edge("b", "c", CONFIRMED)], CONFIRMED),
        ([Edge("a", "c", CONFIRMED), Edge("b", "c", REFUSED)], REFUSED),
        ([Edge("a", "c", CONFIRMED), Edge("b", "c", UNSURE)], UNSURE),
        ([Edge("a", "c", CONFIRMED), Edge("b", "c", CONFIRMED), Edge("a", "b", REFUSED)], UNSURE),
        ([Edge("a", "b", CONFIRMED), Edge("b", "c", CONFIRMED), Edge("a", "c", REFUSED)], UNSURE),
    ],
)
def test_standing_between_two_encounters(edges: Sequence[Edge], expected: Standing) -> None:
    """Confirmed and refused reach through confirmed links; contradiction is inconclusive."""
    assert standing_between("a", "b", edges) is expected


def test_standing_between_files_uses_every_encounter() -> None:
    """A file is what all of its encounters say."""
    edges = [Edge("a", "c", CONFIRMED), Edge("b", "d", REFUSED)]
    assert standing_between("a", ("c", "e"), edges) is CONFIRMED
    assert standing_between(("a", "b"), ("c", "d"), edges) is UNSURE


def test_a_contradicted_component_falls_apart() -> None:
    """Nothing is derived where decisions contradict each other, and the pair is named."""
    edges = [
        Edge("a", "b", CONFIRMED),
        Edge("b", "c", CONFIRMED),
        Edge("a", "c", REFUSED),
        Edge("c", "d", CONFIRMED),
    ]
    identity = identity_of("d", edges)
    assert identity.encounters == {"d"}
    assert identity.contradictions == (Edge("a", "c", REFUSED),)


def test_cases_are_found() -> None:
    """Contradictions, one person in several files, several persons in one file."""
    persons = {"a": "p-1", "b": "p-2", "c": "p-2", "d": "p-3", "e": "p-3"}
    edges = [
        Edge("a", "b", CONFIRMED),
        Edge("b", "c", CONFIRMED),
        Edge("a", "c", REFUSED),
        Edge("d", "e", REFUSED),
    ]
    assert cases(edges, persons) == (
        Case(CaseKind.CONTRADICTION, ("a", "b", "c"), ("p-1", "p-2")),
        Case(CaseKind.MIXED_FILE, ("d", "e"), ("p-3",)),
        Case(CaseKind.SEVERAL_FILES, ("a", "b", "c"), ("p-1", "p-2")),
    )
