"""How a search is cut and how its references become persons."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.gallery import Candidate, CandidateList, ReferenceId
from matcher.scoring import Score
from workflow.searching import Policy, by_person, default_threshold


def found(scores: dict[str, float], threshold: float = 50.0) -> CandidateList:
    """A candidate list of these references."""
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    candidates = (
        Candidate(ReferenceId(name), rank, Score(score), {}) for rank, (name, score) in enumerate(ranked, 1)
    )
    return CandidateList(tuple(candidates), Score(threshold), len(scores), 1, complete=True)


@pytest.mark.parametrize(
    ("gallery_size", "fpir", "expected"), [(1, 1.0, 0.0), (100, 0.01, 40.0), (1_000_000, 0.001, 90.0)]
)
def test_threshold_follows_gallery_size_and_fpir(gallery_size: int, fpir: float, expected: float) -> None:
    """−10·log10(FPIR / N): ten times the gallery, ten more."""
    assert default_threshold(gallery_size, fpir) == pytest.approx(expected)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_larger_gallery_never_has_a_lower_threshold(one: int, other: int) -> None:
    """Monotone, finite, and never below the floor."""
    small, large = sorted((one, other))
    policy = Policy()
    assert policy.floor <= policy.threshold_for(small) <= policy.threshold_for(large) < math.inf


def test_a_fixed_threshold_is_kept() -> None:
    """Settings may name the score themselves."""
    assert Policy(threshold=Score(12.0)).threshold_for(10**6) == 12.0


def test_references_become_persons() -> None:
    """One entry a person, by the best score; below the threshold only when asked; erased ones left out."""
    candidates = found({"a1": 70, "b1": 80, "a2": 90, "c1": 40, "gone": 99})
    owners = {"a1": "A", "a2": "A", "b1": "B", "c1": "C"}
    persons = by_person(candidates, owners, limit=10)
    assert [(each.person_id, each.rank, each.score) for each in persons] == [("A", 1, 90), ("B", 2, 80)]
    assert [entry.reference_id for entry in persons[0].encounters] == ["a2", "a1"]
    assert [each.person_id for each in by_person(candidates, owners, limit=10, near=True)] == ["A", "B", "C"]
    assert [each.person_id for each in by_person(candidates, owners, limit=1)] == ["A"]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 100), max_size=8), st.floats(0, 100))
def test_raising_the_threshold_never_adds_a_person(scores: dict[str, float], threshold: float) -> None:
    """Who is named at a threshold is named at every lower one."""
    owners = {name: name.upper() for name in scores}
    strict = {each.person_id for each in by_person(found(scores, threshold), owners, limit=99)}
    loose = {each.person_id for each in by_person(found(scores, threshold / 2), owners, limit=99)}
    assert strict <= loose
