"""Police questions: is this the person (1:1), who is this (1:N). The answer holds no more than is needed.

Both need a legal ground. Both commit their audit row before the answer exists. Police never enrolls: a probe
is compared and dropped. What leaves is a decision, a band and person ids; no image, template, score,
encounter or other fact of a file.

A person id that does not exist answers as one with nothing to compare: `inconclusive`. So the question cannot
be used to learn who is in the register; the audit log tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from enrollment.database import Database
from enrollment.records import Records
from matcher.candidates import Candidate, CandidateList
from matcher.gallery import Priority
from matcher.scoring import Score, fmr_of
from matcher.template import Tenprint
from workflow import audit, identity
from workflow.audit import Action, Actor
from workflow.legal_ground import LegalGround
from workflow.links import Standing
from workflow.police_answer import Band, Decision, Identification, PoliceCandidate, Verification, band_of
from workflow.searching import PersonCandidate, Searcher, by_person

#: Persons in the answer to an identification.
MAX_CANDIDATES = 5


_ADVICE = {
    Decision.MATCH: "The prints match the claimed person at this threshold. No examiner has seen them.",
    Decision.NO_MATCH: "The prints do not match the claimed person at this threshold.",
    Decision.INCONCLUSIVE: (
        "Nothing could be compared. Check the person's number, or capture other fingers and ask again."
    ),
}


@dataclass(frozen=True, slots=True)
class Police:
    """What a police question needs. threshold: of a verification, −10·log10 FMR."""

    database: Database
    records: Records
    searcher: Searcher
    threshold: Score


def verify(
    police: Police, person_id: str, probe: Tenprint, ground: LegalGround, *, actor: Actor, at: datetime
) -> Verification:
    """Compare the probe with every active encounter of the claimed person."""
    with police.database.reading() as tx:
        known = police.records.person_exists(tx, person_id)
        encounters = police.records.encounter_ids_of(tx, person_id) if known else ()
    best = _best(police, probe, encounters)
    decision = _decide(best, police.threshold)
    band = band_of(best.score) if best else Band.NONE
    asked = {
        **audit.probe_facts(probe),
        "person_id": person_id,
        "person_known": known,
        "encounters": len(encounters),
        "threshold": float(police.threshold),
        "band": band,
    }
    with police.database.transaction() as tx:
        sequence = audit.record(
            tx,
            actor,
            Action.VERIFY,
            decision,
            at=at,
            ground=ground,
            asked=asked,
            returned=[person_id] if decision is Decision.MATCH else [],
        )
    return Verification(
        decision=decision,
        band=band,
        threshold=float(police.threshold),
        claimed_fmr=fmr_of(police.threshold),
        standing=Standing.UNDECIDED,
        advice=_ADVICE[decision],
        audit_sequence=sequence,
    )


def identify(
    police: Police, probe: Tenprint, ground: LegalGround, *, actor: Actor, at: datetime
) -> Identification:
    """Search the whole gallery; only person files at or above the threshold are named."""
    found = police.searcher.search(probe, limit=MAX_CANDIDATES, priority=Priority.STREET)
    with police.database.transaction() as tx:
        owners = police.records.persons_of(tx, [each.reference_id for each in found.candidates])
        persons = by_person(found, owners, limit=MAX_CANDIDATES)
        candidates = _candidates(tx, persons)
        sequence = _log_identification(tx, probe, found, candidates, ground, actor=actor, at=at)
    return Identification(
        candidates=candidates,
        threshold=float(found.threshold),
        gallery_size=found.gallery_size,
        as_of=found.as_of,
        complete=found.complete,
        audit_sequence=sequence,
    )


def _best(police: Police, probe: Tenprint, encounters: Sequence[str]) -> Candidate | None:
    """The claimed person's most similar encounter that has a finger in common with the probe."""
    if not encounters or not probe:
        return None
    found = police.searcher.search(
        probe,
        within=encounters,
        limit=len(encounters),
        threshold=police.threshold,
        priority=Priority.STREET,
    )
    return next((candidate for candidate in found.candidates if candidate.fingers), None)


def _decide(best: Candidate | None, threshold: Score) -> Decision:
    if best is None:
        return Decision.INCONCLUSIVE
    return Decision.MATCH if best.score >= threshold else Decision.NO_MATCH


def _candidates(tx: Connection, persons: Sequence[PersonCandidate]) -> tuple[PoliceCandidate, ...]:
    entries = {person.person_id: [entry.reference_id for entry in person.encounters] for person in persons}
    return tuple(
        _candidate(
            person,
            identity.standings(
                tx,
                entries[person.person_id],
                {other: members for other, members in entries.items() if other != person.person_id},
            ),
        )
        for person in persons
    )


def _candidate(person: PersonCandidate, standings: Mapping[str, Standing]) -> PoliceCandidate:
    strongest = (Standing.CONFIRMED, Standing.REFUSED, Standing.INCONCLUSIVE)
    said = set(standings.values())
    return PoliceCandidate(
        person_id=person.person_id,
        rank=person.rank,
        band=band_of(person.score),
        standing=next((standing for standing in strongest if standing in said), Standing.UNDECIDED),
        same_as=tuple(sorted(other for other, said in standings.items() if said is Standing.CONFIRMED)),
    )


def _log_identification(
    tx: Connection,
    probe: Tenprint,
    found: CandidateList,
    candidates: Sequence[PoliceCandidate],
    ground: LegalGround,
    *,
    actor: Actor,
    at: datetime,
) -> int:
    asked = {
        **audit.probe_facts(probe),
        "threshold": float(found.threshold),
        "gallery_size": found.gallery_size,
        "as_of": found.as_of,
        "complete": found.complete,
        "bands": [candidate.band for candidate in candidates],
    }
    returned = [candidate.person_id for candidate in candidates]
    outcome = "candidates" if returned else "no_candidate"
    return audit.record(
        tx, actor, Action.IDENTIFY, outcome, at=at, ground=ground, asked=asked, returned=returned
    )
