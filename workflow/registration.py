"""The desk's main job: a person's prints go in, and whoever it may be comes out.

Search first, then one transaction: encounter, templates, pictures, suggested links, export queue, audit row
and the remembered answer, all or nothing. No code path here turns a score into an identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from enrollment import idempotency
from enrollment.capture import FailureToAcquire
from enrollment.change_log import Operation
from enrollment.database import order_changes
from enrollment.encounter import Encounter
from enrollment.record_rows import prepared_as_stored
from enrollment.record_writer import KeptPictures
from matcher.candidates import CandidateList, ranked
from matcher.codes import FingerPosition
from matcher.references import PreparedTenprint
from workflow import audit
from workflow.audit import Action, Actor
from workflow.desk_answer import DeskAnswer, finger_outcomes
from workflow.desk_suggestions import Desk, compare_claim, suggest_candidates, suggest_claim
from workflow.errors import FailureToEnroll
from workflow.sequence import SessionPrint, check_session

#: Changes that commit while one search runs; beyond a bulk load these are a handful.
_MAX_LATECOMERS = 100_000


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request that may arrive twice.

    key: this caller's. request_hash: hex SHA-256 of its content. encode, decode: the answer as kept.
    """

    key: str
    request_hash: str
    encode: Callable[[DeskAnswer], bytes]
    decode: Callable[[bytes], DeskAnswer]


def register(
    desk: Desk,
    encounter: Encounter,
    kept: KeptPictures,
    *,
    actor: Actor,
    at: datetime,
    new_id: Callable[[], str],
    repeat: Repeat | None = None,
    near: bool = False,
    session: Sequence[SessionPrint] = (),
    other_hands: Sequence[FingerPosition] = (),
) -> DeskAnswer:
    """Store the encounter and tell who it may be. Acknowledged when it returns; found by the next search.

    That search has the gallery follow first; who wants to spare it that does it once the answer has left.
    `kept`: its pictures (`Records.keep_pictures`); they are deleted where it is refused.
    `encounter.person_id` is a new file, or an existing one the capture subject claims. `near` also lists
    candidates below the threshold, not suggested. No template at all is a `FailureToEnroll`. `session`: all
    prints that were taken, also two of a finger, for the sequence check; `other_hands`: slaps that look like
    the other hand. What is wrong is flagged, not refused.
    """
    try:
        _require_template(desk, encounter, actor=actor, at=at)
        flags = check_session(session, other_hands)
        probe = prepared_as_stored(encounter.tenprint)
        search = partial(desk.searcher.search, probe)
        found, sealed = desk.records.seal_beside(encounter, kept, probe, search)
    except BaseException:
        desk.records.discard(kept)
        raise
    with desk.database.transaction() as tx:
        before = idempotency.claim(tx, repeat.key, repeat.request_hash) if repeat else None
        if repeat is not None and before is not None:
            desk.records.discard(kept)
            return repeat.decode(before)
        order_changes(tx)
        found = _with_latecomers(tx, desk, probe, found)
        claimed = compare_claim(tx, desk, encounter)
        sequence = desk.records.add(tx, encounter, sealed)
        claim = suggest_claim(tx, desk, encounter, found, claimed, at=at, new_id=new_id)
        candidates = suggest_candidates(tx, desk, encounter, found, at=at, new_id=new_id, near=near)
        answer = DeskAnswer(
            encounter_id=encounter.encounter_id,
            person_id=encounter.person_id,
            fingers=finger_outcomes(encounter.fingers),
            candidates=candidates,
            claim=claim,
            threshold=found.threshold,
            gallery_size=found.gallery_size,
            as_of=found.as_of,
            complete=found.complete,
            sequence=sequence,
            reference_number=desk.queue_export(tx, encounter, at),
            flags=flags,
        )
        _log(tx, encounter, answer, actor=actor, at=at)
        if repeat is not None:
            idempotency.remember(tx, repeat.key, repeat.encode(answer))
    return answer


def _require_template(desk: Desk, encounter: Encounter, *, actor: Actor, at: datetime) -> None:
    """Refuse a capture that could never be found again; the failure is logged, because it is counted."""
    if encounter.tenprint:
        return
    failures = [outcome for outcome in encounter.fingers.values() if isinstance(outcome, FailureToAcquire)]
    reasons = {int(failure.position): failure.reason.value for failure in failures}
    with desk.database.transaction() as tx:
        audit.record(tx, actor, Action.REGISTER, "failure_to_enroll", at=at, asked={"failures": reasons})
    told = " ".join(
        f"{failure.position.name.lower()}: {failure.reason.value}. {failure.advice}" for failure in failures
    )
    raise FailureToEnroll(f"no finger gave a template, nothing was stored. {told or 'Send at least one.'}")


def _with_latecomers(
    tx: Connection, desk: Desk, probe: PreparedTenprint, found: CandidateList
) -> CandidateList:
    """Add what was committed since the search began.

    Two desks may register one person at the same moment. This transaction now holds the order of changes, so
    whoever comes second sees the first.
    """
    changes = desk.records.changes(tx, found.as_of, _MAX_LATECOMERS)
    new = {change.encounter_id for change in changes if change.operation is Operation.ADD}
    if not new:
        return found
    late = desk.searcher.search(probe, within=new, threshold=found.threshold)
    both = (*(each for each in found.candidates if each.reference_id not in new), *late.candidates)
    return replace(
        found,
        candidates=ranked(both, limit=len(both)),
        gallery_size=found.gallery_size + late.gallery_size,
        as_of=late.as_of,
        complete=found.complete and late.complete,
    )


def _log(tx: Connection, encounter: Encounter, answer: DeskAnswer, *, actor: Actor, at: datetime) -> None:
    asked = {
        "encounter_id": answer.encounter_id,
        "person_id": answer.person_id,
        "category": encounter.category,
        "claimed": answer.claim is not None,
        "flags": [(flag.code.value, flag.fingers) for flag in answer.flags],
        "failures": {finger.position: finger.failure for finger in answer.fingers if finger.failure},
        "threshold": answer.threshold,
        "gallery_size": answer.gallery_size,
        "as_of": answer.as_of,
        "complete": answer.complete,
        **audit.probe_facts(encounter.tenprint),
    }
    returned = [candidate.person_id for candidate in answer.candidates]
    outcome = "candidates" if returned else "no_candidate"
    audit.record(tx, actor, Action.REGISTER, outcome, at=at, asked=asked, returned=returned)
