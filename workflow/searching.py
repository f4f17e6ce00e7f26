"""1:N as the office uses it: the gallery caught up, a threshold that fits its size, persons not prints."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from matcher.gallery import Candidate, CandidateList, Filter, Gallery, Priority, ReferenceId
from matcher.queue import SearchQueue
from matcher.references import PreparedTenprint
from matcher.scoring import Score
from matcher.template import Tenprint

#: References asked for per person wanted: a person may have several encounters.
_REFERENCES_PER_PERSON = 4


@dataclass(frozen=True, slots=True)
class Policy:
    """How a search is cut.

    fpir: share of searches without a mate in the gallery that may return a candidate all the same.
    threshold: fixed, or None to derive it from `fpir` and the gallery's size. floor: never below this score,
    however small the gallery. verification: from this score on a claim matches (1:1); 40 is one false match
    in 10,000. limit: persons in an answer.
    """

    fpir: float = 0.01
    threshold: Score | None = None
    floor: Score = Score(30.0)  # noqa: RUF009 - a float
    verification: Score = Score(40.0)  # noqa: RUF009 - a float
    limit: int = 10

    def threshold_for(self, gallery_size: int) -> Score:
        """The score from which a candidate is suggested."""
        if self.threshold is not None:
            return self.threshold
        return max(self.floor, default_threshold(gallery_size, self.fpir))


def default_threshold(gallery_size: int, fpir: float) -> Score:
    """The score above which N non-mated comparisons give a false candidate in a share `fpir` of searches.

    −10·log10(FPIR / N), N the gallery's size. It takes comparisons for independent, which they are not (worn
    fingers and dirty sensors repeat), and takes the score's FMR at its word beyond what was measured: an
    assumption, to be replaced by the FPIR measured at this gallery's size.
    """
    return Score(-10.0 * math.log10(fpir / max(gallery_size, 1)))


@dataclass(frozen=True, slots=True)
class PersonCandidate:
    """A person file found: its best score and every encounter of it that was found, best first."""

    person_id: str
    rank: int
    score: Score
    encounters: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Searcher:
    """The gallery behind its follower: what was acknowledged before a search begins is found by it."""

    gallery: Gallery
    catch_up: Callable[[], int]
    policy: Policy
    queue: SearchQueue = field(default_factory=SearchQueue)

    def search(
        self,
        probe: Tenprint | PreparedTenprint,
        *,
        within: Collection[str] | None = None,
        exclude: Collection[str] = (),
        limit: int | None = None,
        threshold: Score | None = None,
        only: Filter | None = None,
        priority: Priority = Priority.DESK,
    ) -> CandidateList:
        """The best references of the up-to-date gallery, near ones below the threshold included.

        Raises `SearchQueueFull` when too many searches wait.
        """
        with self.queue.turn(priority):
            self.catch_up()
            return self.gallery.search(
                probe,
                limit=(limit or self.policy.limit) * _REFERENCES_PER_PERSON,
                threshold=self.policy.threshold_for(len(self.gallery)) if threshold is None else threshold,
                within=None if within is None else [ReferenceId(each) for each in within],
                exclude=[ReferenceId(each) for each in exclude],
                only=only,
                priority=priority,
            )


def by_person(
    found: CandidateList, person_of: Mapping[str, str], *, limit: int, near: bool = False
) -> tuple[PersonCandidate, ...]:
    """Candidates at or above the threshold, grouped by person file and ranked by each one's best score.

    `near` also gives those below it. An encounter that `person_of` does not know was erased since: left out.
    """
    entries: dict[str, list[Candidate]] = {}
    for candidate in found.candidates:
        wanted = near or candidate.score >= found.threshold
        if wanted and candidate.reference_id in person_of:
            entries.setdefault(person_of[candidate.reference_id], []).append(candidate)
    ranked = sorted(entries.items(), key=lambda item: (-max(entry.score for entry in item[1]), item[0]))
    return tuple(
        PersonCandidate(
            person_id=person_id,
            rank=rank,
            score=max(entry.score for entry in own),
            encounters=tuple(sorted(own, key=lambda entry: (-entry.score, entry.reference_id))),
        )
        for rank, (person_id, own) in enumerate(ranked[:limit], start=1)
    )
