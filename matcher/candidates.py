"""What a search returns: references in order of their score, and what it looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NewType

from matcher.codes import FingerPosition
from matcher.scoring import Score

#: What a gallery calls one reference: the id of the encounter its prints were taken in.
ReferenceId = NewType("ReferenceId", str)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reference of a candidate list.

    rank:    1 for the most similar.
    score:   fused over fingers, −10·log10(FMR).
    fingers: the score of each probe finger that had something to be compared with.
    """

    reference_id: ReferenceId
    rank: int
    score: Score
    fingers: Mapping[FingerPosition, Score]


@dataclass(frozen=True, slots=True)
class CandidateList:
    """The answer to one search.

    candidates:   the most similar references, by falling score, equal scores by reference id; also those
                  below the threshold, so that an examiner sees what was near.
    threshold:    scores from here on are suggestions.
    gallery_size: references the search was over, after its filters.
    as_of:        sequence number of the newest change the search has seen.
    complete:     False when a part of the gallery did not answer.
    """

    candidates: tuple[Candidate, ...]
    threshold: Score
    gallery_size: int
    as_of: int
    complete: bool

    @property
    def suggestions(self) -> tuple[Candidate, ...]:
        """The candidates at or above the threshold."""
        return tuple(candidate for candidate in self.candidates if candidate.score >= self.threshold)


def ranked(found: Iterable[Candidate], *, limit: int) -> tuple[Candidate, ...]:
    """The `limit` best candidates with their ranks; ties go by reference id, so that every run agrees."""
    best = sorted(found, key=lambda candidate: (-candidate.score, candidate.reference_id))[:limit]
    return tuple(
        Candidate(candidate.reference_id, rank, candidate.score, candidate.fingers)
        for rank, candidate in enumerate(best, start=1)
    )
