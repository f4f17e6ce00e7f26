"""Links between encounters: machines suggest, examiners decide, anyone can see by whom and undo it.

The ledger is two tables that are only ever added to: `links` (one row per pair of encounters that a search
or a claim brought together) and `judgements` (decisions and withdrawals, in order). All else is derived by
`workflow.ledger`. A pair that is suggested again keeps its first row; the later search is in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from enrollment.database import insert_if_absent
from enrollment.tables import judgements, links
from workflow import ledger
from workflow.errors import AlreadyWithdrawn, InvalidDecision, UnknownLink
from workflow.ledger import Case, Identity
from workflow.ledger_rows import edges_around, entry_from, judged_edges, link_from, link_query
from workflow.links import Entry, Judgement, Link, Signature, Standing, Suggestion

# Made once: to put a statement together takes longer than to run it.
_PAIR = link_query().where(
    links.c.left_encounter_id == bindparam("left"), links.c.right_encounter_id == bindparam("right")
)


def suggest(
    tx: Connection, suggestions: Iterable[Suggestion], *, at: datetime, new_id: Callable[[], str]
) -> tuple[Link, ...]:
    """Put each pair into the ledger once; a pair that is there already is given back as it stands."""
    return tuple(_suggest_one(tx, suggestion, at=at, new_id=new_id) for suggestion in suggestions)


def decide(
    tx: Connection, link_id: str, judgement: Judgement, signed: Signature, *, new_id: Callable[[], str]
) -> Link:
    """Record what an examiner says of a link. An earlier decision stays in the ledger; the latest counts."""
    link(tx, link_id, lock=True)
    _append(tx, link_id, judgement, None, signed, new_id)
    return link(tx, link_id)


def withdraw(tx: Connection, judgement_id: str, signed: Signature, *, new_id: Callable[[], str]) -> Link:
    """Take a decision back by a further row: what held before it holds again."""
    row = tx.execute(select(judgements).where(judgements.c.judgement_id == judgement_id)).one_or_none()
    if row is None or row.judgement is None:
        raise UnknownLink(f"the ledger holds no decision {judgement_id}")
    link(tx, row.link_id, lock=True)
    taken = tx.execute(select(judgements.c.sequence).where(judgements.c.withdraws == judgement_id)).first()
    if taken is not None:
        raise AlreadyWithdrawn("this decision was withdrawn before; decide again to set it anew")
    _append(tx, row.link_id, None, judgement_id, signed, new_id)
    return link(tx, row.link_id)


def withdraw_current(tx: Connection, link_id: str, signed: Signature, *, new_id: Callable[[], str]) -> Link:
    """Withdraw the decision that counts now."""
    decision = link(tx, link_id).decision
    if decision is None:
        raise AlreadyWithdrawn("no decision stands on this link; there is nothing to withdraw")
    return withdraw(tx, decision.judgement_id, signed, new_id=new_id)


def link(tx: Connection, link_id: str, *, lock: bool = False) -> Link:
    """One link as it stands; `lock` holds other examiners back until this transaction ends."""
    query = link_query().where(links.c.link_id == link_id)
    row = tx.execute(query.with_for_update(of=links) if lock else query).one_or_none()
    if row is None:
        raise UnknownLink(f"the ledger holds no link {link_id}")
    return link_from(row)


def search_links(
    tx: Connection,
    *,
    standing: Standing | None = None,
    encounter_id: str | None = None,
    person_id: str | None = None,
    after: str = "",
    limit: int = 100,
) -> Sequence[Link]:
    """Links in the order of their ids (UUIDv7: of time), from the one after `after` on."""
    query = link_query(standing=standing, encounter_id=encounter_id, person_id=person_id)
    rows = tx.execute(query.where(links.c.link_id > after).order_by(links.c.link_id).limit(limit))
    return [link_from(row) for row in rows]


def history(tx: Connection, link_id: str) -> tuple[Entry, ...]:
    """Every decision and withdrawal on a link, oldest first."""
    rows = tx.execute(
        select(judgements).where(judgements.c.link_id == link_id).order_by(judgements.c.sequence)
    )
    return tuple(entry_from(row) for row in rows)


def same_as(tx: Connection, encounter_id: str) -> Identity:
    """Every encounter that is the same person as this one, by decisions that stand and agree."""
    return ledger.identity_of(encounter_id, edges_around(tx, (encounter_id,)))


def standings(
    tx: Connection, group: Collection[str], others: Mapping[str, Collection[str]]
) -> Mapping[str, Standing]:
    """For each of `others` (label → encounters): what examiners say of it and `group`, links derived."""
    if not others:
        return {}
    everyone = {*group, *(encounter for members in others.values() for encounter in members)}
    edges = edges_around(tx, everyone)
    return {label: ledger.standing_between(group, members, edges) for label, members in others.items()}


def cases(tx: Connection) -> tuple[Case, ...]:
    """Where decisions contradict each other or the person files: work for an examiner."""
    return ledger.cases(*judged_edges(tx))


def _suggest_one(tx: Connection, suggestion: Suggestion, *, at: datetime, new_id: Callable[[], str]) -> Link:
    left, right = sorted((suggestion.one, suggestion.other))
    if left == right:
        raise InvalidDecision("a link joins two encounters, not one with itself")
    row = {
        "link_id": new_id(),
        "left_encounter_id": left,
        "right_encounter_id": right,
        "origin": suggestion.origin,
        "score": suggestion.score,
        "threshold": suggestion.threshold,
        "gallery_size": suggestion.gallery_size,
        "as_of": suggestion.as_of,
        "matcher": suggestion.matcher,
        "extractor": suggestion.extractor,
        "suggested_at": at,
    }
    insert_if_absent(tx, links, row)
    return link_from(tx.execute(_PAIR, {"left": left, "right": right}).one())


def _append(
    tx: Connection,
    link_id: str,
    judgement: Judgement | None,
    withdraws: str | None,
    signed: Signature,
    new_id: Callable[[], str],
) -> None:
    row = {
        "judgement_id": new_id(),
        "link_id": link_id,
        "judgement": judgement,
        "withdraws": withdraws,
        "examiner": signed.examiner,
        "reason": signed.reason,
        "decided_at": signed.at,
    }
    tx.execute(insert(judgements).values(row))
