"""Candidate lists: their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from matcher.candidates import Candidate, CandidateList, ReferenceId, ranked
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


def answer(candidates: tuple[Candidate, ...]) -> CandidateList:
    """An answer with a threshold of 20."""
    return CandidateList(candidates, Score(20.0), len(candidates), as_of=3, complete=True)


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
