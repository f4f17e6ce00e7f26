"""From a search to the ledger: the claim and the candidates of a registration as suggested links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from enrollment.capture import Finger
from enrollment.database import Database
from enrollment.encounter import Encounter
from enrollment.records import Records
from matcher.candidates import Candidate, CandidateList
from workflow import identity
from workflow.desk_answer import CandidateEncounter, ClaimOutcome, DeskCandidate, FingerScore
from workflow.links import Origin, Standing, Suggestion
from workflow.searching import PersonCandidate, Searcher, by_person


@dataclass(frozen=True, slots=True)
class Desk:
    """What a registration needs.

    queue_export: puts the encounter into the outgoing queue and gives its reference number, or None.
    matcher: name/version of the comparison, kept with every suggestion.
    """

    database: Database
    records: Records
    searcher: Searcher
    queue_export: Callable[[Connection, Encounter, datetime], str | None]
    matcher: str


def compare_claim(tx: Connection, desk: Desk, encounter: Encounter) -> tuple[str, Candidate | None] | None:
    """The claimed file's best encounter and its comparison; its latest and None where nothing compares.

    None where there is no such file yet.
    """
    if not desk.records.person_exists(tx, encounter.person_id):
        return None
    known = desk.records.encounter_ids_of(tx, encounter.person_id)
    compared = desk.searcher.search(
        encounter.tenprint,
        within=known,
        limit=len(known),
        threshold=desk.searcher.policy.verification,
    )
    best = next((candidate for candidate in compared.candidates if candidate.fingers), None)
    return (best.reference_id if best else known[-1]), best


def suggest_claim(
    tx: Connection,
    desk: Desk,
    encounter: Encounter,
    found: CandidateList,
    claimed: tuple[str, Candidate | None] | None,
    *,
    at: datetime,
    new_id: Callable[[], str],
) -> ClaimOutcome | None:
    """A claim is a link too, whatever its score: an examiner decides it."""
    if claimed is None:
        return None
    other, best = claimed
    score = float(best.score) if best else None
    threshold = desk.searcher.policy.verification
    suggestion = _suggestion(desk, encounter, replace(found, threshold=threshold), other, score, Origin.CLAIM)
    (link,) = identity.suggest(tx, (suggestion,), at=at, new_id=new_id)
    return ClaimOutcome(
        person_id=encounter.person_id,
        encounter_id=other,
        score=score,
        threshold=float(threshold),
        matches=None if best is None else best.score >= threshold,
        link_id=link.link_id,
    )


def suggest_candidates(
    tx: Connection,
    desk: Desk,
    encounter: Encounter,
    found: CandidateList,
    *,
    at: datetime,
    new_id: Callable[[], str],
    near: bool,
) -> tuple[DeskCandidate, ...]:
    """Write a link for every encounter at or above the threshold, and say where each person file stands."""
    listed = found.candidates if near else found.suggestions
    owners = desk.records.persons_of(tx, [candidate.reference_id for candidate in listed])
    persons = by_person(found, owners, limit=desk.searcher.policy.limit, near=near)
    suggestions = [
        _suggestion(desk, encounter, found, entry.reference_id, float(entry.score), Origin.SEARCH)
        for entry in found.suggestions
        if entry.reference_id in owners
    ]
    links = identity.suggest(tx, suggestions, at=at, new_id=new_id)
    link_ids = {suggestion.other: link.link_id for suggestion, link in zip(suggestions, links, strict=True)}
    standings = _standings(tx, desk, encounter, persons)
    return tuple(
        DeskCandidate(
            person_id=person.person_id,
            rank=person.rank,
            score=float(person.score),
            suggested=person.score >= found.threshold,
            claimed=person.person_id == encounter.person_id,
            standing=standings[person.person_id],
            encounters=tuple(_entry(entry, link_ids) for entry in person.encounters),
        )
        for person in persons
    )


def _standings(
    tx: Connection, desk: Desk, encounter: Encounter, persons: tuple[PersonCandidate, ...]
) -> Mapping[str, Standing]:
    """Of the claimed file itself: between it and the new encounter. Of others: between the two files."""
    entries = {person.person_id: [entry.reference_id for entry in person.encounters] for person in persons}
    own = {label: members for label, members in entries.items() if label == encounter.person_id}
    others = {label: members for label, members in entries.items() if label != encounter.person_id}
    file = desk.records.encounter_ids_of(tx, encounter.person_id) if others else ()
    return {
        **identity.standings(tx, (encounter.encounter_id,), own),
        **identity.standings(tx, file, others),
    }


def _suggestion(
    desk: Desk, encounter: Encounter, found: CandidateList, other: str, score: float | None, origin: Origin
) -> Suggestion:
    extractors = {each.extractor for each in encounter.fingers.values() if isinstance(each, Finger)}
    return Suggestion(
        one=encounter.encounter_id,
        other=other,
        origin=origin,
        score=score,
        threshold=float(found.threshold),
        gallery_size=found.gallery_size,
        as_of=found.as_of,
        matcher=desk.matcher,
        extractor=" ".join(sorted(extractors)),
    )


def _entry(candidate: Candidate, link_ids: Mapping[str, str]) -> CandidateEncounter:
    return CandidateEncounter(
        encounter_id=candidate.reference_id,
        score=float(candidate.score),
        fingers=tuple(
            FingerScore(int(position), float(score)) for position, score in sorted(candidate.fingers.items())
        ),
        link_id=link_ids.get(candidate.reference_id),
    )
