"""The ledger's two tables as the types of `workflow.ledger`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, or_, select

from enrollment.tables import encounters, judgements, links
from workflow.ledger import Edge
from workflow.links import Entry, Judgement, Link, Origin, Standing, standing_of

#: Ids in one `IN (…)`.
_BATCH = 500

_later = judgements.alias("later")
_withdrawal = judgements.alias("withdrawal")
_left = encounters.alias("left_encounter")
_right = encounters.alias("right_encounter")
#: Sequence of the decision that counts for a link: the latest one no row withdraws. Looked up link by link
#: through the index on link_id, so that one link costs the same however long the ledger is.
_latest = (
    select(func.max(_later.c.sequence))
    .where(
        _later.c.link_id == links.c.link_id,
        _later.c.judgement.is_not(None),
        ~select(_withdrawal.c.sequence).where(_withdrawal.c.withdraws == _later.c.judgement_id).exists(),
    )
    .correlate(links)
    .scalar_subquery()
)
_JUDGEMENT_OF = {standing_of(judgement): judgement for judgement in Judgement}


def link_query(
    *, standing: Standing | None = None, encounter_id: str | None = None, person_id: str | None = None
) -> Select[Any]:
    """Links with both person files and the decision that counts."""
    query = (
        select(
            links,
            _left.c.person_id.label("left_person_id"),
            _right.c.person_id.label("right_person_id"),
            judgements.c.sequence.label("decision_sequence"),
            judgements.c.judgement_id,
            judgements.c.judgement,
            judgements.c.examiner,
            judgements.c.reason,
            judgements.c.decided_at,
        )
        .select_from(links)
        .join(_left, _left.c.encounter_id == links.c.left_encounter_id)
        .join(_right, _right.c.encounter_id == links.c.right_encounter_id)
        .outerjoin(judgements, judgements.c.sequence == _latest)
    )
    if standing is not None:
        judgement = _JUDGEMENT_OF.get(standing)
        query = query.where(
            judgements.c.judgement.is_(None) if judgement is None else judgements.c.judgement == judgement
        )
    if encounter_id is not None:
        query = query.where(
            or_(links.c.left_encounter_id == encounter_id, links.c.right_encounter_id == encounter_id)
        )
    if person_id is not None:
        query = query.where(or_(_left.c.person_id == person_id, _right.c.person_id == person_id))
    return query


def link_from(row: Row[Any]) -> Link:
    """A row of `link_query`."""
    decision = None
    if row.judgement_id is not None:
        decision = Entry(
            sequence=row.decision_sequence,
            judgement_id=row.judgement_id,
            link_id=row.link_id,
            judgement=Judgement(row.judgement),
            withdraws=None,
            examiner=row.examiner,
            reason=row.reason,
            at=row.decided_at,
        )
    return Link(
        link_id=row.link_id,
        left=row.left_encounter_id,
        right=row.right_encounter_id,
        left_person=row.left_person_id,
        right_person=row.right_person_id,
        origin=Origin(row.origin),
        score=row.score,
        threshold=row.threshold,
        gallery_size=row.gallery_size,
        as_of=row.as_of,
        matcher=row.matcher,
        extractor=row.extractor,
        suggested_at=row.suggested_at,
        decision=decision,
    )


def entry_from(row: Row[Any]) -> Entry:
    """A row of `judgements`."""
    return Entry(
        sequence=row.sequence,
        judgement_id=row.judgement_id,
        link_id=row.link_id,
        judgement=Judgement(row.judgement) if row.judgement is not None else None,
        withdraws=row.withdraws,
        examiner=row.examiner,
        reason=row.reason,
        at=row.decided_at,
    )


def edges_around(tx: Connection, encounter_ids: Collection[str]) -> tuple[Edge, ...]:
    """All links that touch these encounters or any that confirmed links connect to them."""
    found: set[Edge] = set()
    seen: set[str] = set()
    frontier = set(encounter_ids)
    while frontier:
        seen |= frontier
        fresh = set(_edges_touching(tx, frontier)) - found
        found |= fresh
        confirmed = (edge for edge in fresh if edge.standing is Standing.CONFIRMED)
        frontier = {end for edge in confirmed for end in (edge.left, edge.right)} - seen
    return tuple(sorted(found))


def judged_edges(tx: Connection) -> tuple[tuple[Edge, ...], Mapping[str, str]]:
    """Every link confirmed or refused, and encounter → person file of their ends. Reads the whole ledger."""
    query = (
        _edge_query()
        .add_columns(_left.c.person_id.label("left_person_id"), _right.c.person_id.label("right_person_id"))
        .join(_left, _left.c.encounter_id == links.c.left_encounter_id)
        .join(_right, _right.c.encounter_id == links.c.right_encounter_id)
        .where(judgements.c.judgement.in_((Judgement.SAME, Judgement.DIFFERENT)))
    )
    edges: list[Edge] = []
    owners: dict[str, str] = {}
    for row in tx.execute(query):
        edges.append(_edge(row))
        owners[row.left_encounter_id] = row.left_person_id
        owners[row.right_encounter_id] = row.right_person_id
    return tuple(edges), owners


def _edges_touching(tx: Connection, encounter_ids: Collection[str]) -> Iterator[Edge]:
    ids = sorted(encounter_ids)
    for some in (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)):
        for touching in _TOUCHING:
            yield from (_edge(row) for row in tx.execute(touching, {"names": some}))


def _edge_query() -> Select[Any]:
    return (
        select(links.c.left_encounter_id, links.c.right_encounter_id, judgements.c.judgement)
        .select_from(links)
        .outerjoin(judgements, judgements.c.sequence == _latest)
    )


# Made once: to put a statement together takes longer than to run it.
_TOUCHING = tuple(
    _edge_query().where(end.in_(bindparam("names", expanding=True)))
    for end in (links.c.left_encounter_id, links.c.right_encounter_id)
)


def _edge(row: Row[Any]) -> Edge:
    judgement = Judgement(row.judgement) if row.judgement is not None else None
    return Edge(row.left_encounter_id, row.right_encounter_id, standing_of(judgement))
