"""Candidate lists: their order, and one made of several."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matcher.candidates import Candidate, CandidateList, ReferenceId, merge, ranked
from matcher.scoring import Score

found = st.lists(
    st.builds(
        Candidate,
        reference_id=st.text("abc", min_size=1, max_size=3).map(ReferenceId),
        rank=st.just(0),
        score=st.sampled_from([0.0, 10.0, 10.5, 40.0]).map(Score),
        fingers=st.just({}),
    ),
    max_size=12,
    unique_by=lambda candidate: candidate.reference_id,
)


def answer(candidates: tuple[Candidate, ...], *, as_of: int = 3, complete: bool = True) -> CandidateList:
    """One shard's answer."""
    return CandidateList(candidates, Score(20.0), len(candidates), as_of, complete)


@given(found, st.integers(1, 12))
def test_candidates_fall_in_score_and_ties_go_by_reference_id(
    candidates: list[Candidate], limit: int
) -> None:
    """Whatever order they come in."""
    best = ranked(candidates, limit=limit)
    keys = [(-candidate.score, candidate.reference_id) for candidate in best]
    assert keys == sorted(keys)
    assert [candidate.rank for candidate in best] == list(range(1, len(best) + 1))
    assert best == ranked(reversed(candidates), limit=limit)


@given(found, st.integers(1, 12), st.integers(1, 4))
def test_several_shards_answer_as_one(candidates: list[Candidate], limit: int, shards: int) -> None:
    """However the candidates are spread."""
    whole = answer(ranked(candidates, limit=limit))
    parts = [answer(ranked(candidates[part::shards], limit=limit)) for part in range(shards)]
    assert merge(parts, limit=limit).candidates == whole.candidates


def test_a_merged_answer_is_as_old_as_its_oldest_part_and_as_complete_as_its_least() -> None:
    """No shard's silence is hidden."""
    merged = merge([answer((), as_of=7), answer((), as_of=5, complete=False)], limit=3)
    assert (merged.as_of, merged.complete, merged.gallery_size) == (5, False, 0)


def test_suggestions_are_the_candidates_from_the_threshold_on() -> None:
    """At the threshold counts as above."""
    candidates = ranked(
        [
            Candidate(ReferenceId("near"), 0, Score(19.9), {}),
            Candidate(ReferenceId("at"), 0, Score(20.0), {}),
        ],
        limit=5,
    )
    assert [candidate.reference_id for candidate in answer(candidates).suggestions] == ["at"]
