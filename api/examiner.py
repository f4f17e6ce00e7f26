"""Examiners: the links that wait for a decision, the two prints, the decision, and taking it back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.acts import log_act
from api.dependencies import Limit, Ready, Stored
from api.gate import may
from api.pictures import as_png, source_of, viewable
from api.responses import refusals
from api.roles import Action, Principal
from enrollment.encounter import new_id, utc_now
from enrollment.errors import UnknownRecord
from matcher.codes import FingerPosition
from matcher.explanation import Explanation, explain
from workflow import audit, identity
from workflow.links import Entry, Judgement, Link, Signature, Standing

router = APIRouter(prefix="/examiner", tags=["Examiner"])


class Decision(BaseModel):
    """What an examiner says of the two encounters of a link."""

    model_config = ConfigDict(extra="forbid")

    judgement: Judgement = Field(description="`same`, `different` or `inconclusive`.")
    reason: str = Field(min_length=1, max_length=4000, description="What the decision rests on.")


class Withdrawal(BaseModel):
    """Why the standing decision is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=4000)


class LinkView(BaseModel):
    """A link as it stands. `standing` follows from the ledger; only examiners move it."""

    link: Link
    standing: Standing


class LinkPage(BaseModel):
    """Some links in the order they were suggested; ask again with `after=next` while `next` is not null."""

    links: list[LinkView]
    next: str | None


class LinkFile(BaseModel):
    """A link with every decision and withdrawal on it, oldest first, and the fingers both sides have."""

    link: Link
    standing: Standing
    history: list[Entry]
    positions: dict[str, list[str]] = Field(description="Encounter id → finger positions that have an image.")


@router.get("/links", summary="Links waiting for a decision, or any other standing", responses=refusals())
def links(
    caller: Annotated[Principal, may(Action.LINK_READ)],
    store: Stored,
    standing: Annotated[Standing | None, Query(description="Only links that stand so.")] = None,
    person_id: Annotated[str | None, Query(max_length=64, description="Only links of this person.")] = None,
    after: Annotated[str, Query(max_length=64, description="The `next` of the page before.")] = "",
    limit: Limit = 50,
) -> LinkPage:
    """Read a page of links. `standing=undecided` is an examiner's work list."""
    with store.database.reading() as tx:
        found = identity.search_links(tx, standing=standing, person_id=person_id, after=after, limit=limit)
    log_act(store, caller, audit.Action.READ, {"links": standing}, returned=[link.link_id for link in found])
    following = found[-1].link_id if len(found) == limit else None
    return LinkPage(links=[_view(link) for link in found], next=following)


@router.get("/links/{link_id}", summary="One link with its history", responses=refusals(404))
def link_file(
    caller: Annotated[Principal, may(Action.LINK_READ)],
    link_id: str,
    store: Stored,
) -> LinkFile:
    """Read a link, all that examiners said of it, and which fingers can be looked at."""
    with store.database.reading() as tx:
        link = identity.link(tx, link_id)
        history = identity.history(tx, link_id)
        encounters = [store.records.get(tx, encounter_id) for encounter_id in (link.left, link.right)]
    log_act(store, caller, audit.Action.READ, {"link": link_id}, returned=[link.left, link.right])
    return LinkFile(
        link=link,
        standing=link.standing,
        history=list(history),
        positions={each.encounter_id: [p.name.lower() for p in viewable(each)] for each in encounters},
    )


@router.get(
    "/links/{link_id}/encounters/{encounter_id}/images/{position}",
    summary="The print of one finger, as PNG",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {"image/png": {}}}},
)
def image(
    caller: Annotated[Principal, may(Action.LINK_IMAGE)],
    link_id: str,
    encounter_id: str,
    position: str,
    service: Ready,
) -> Response:
    """Look at a print of one of the two encounters of a link, of nobody else. Every look is logged."""
    store, finger = service.store, _finger(position)
    with store.database.reading() as tx:
        link = identity.link(tx, link_id)
        if encounter_id not in (link.left, link.right):
            raise UnknownRecord(f"The link {link_id} does not join the encounter {encounter_id}.")
        encounter = store.records.get(tx, encounter_id)
        source = source_of(encounter, finger)
        data = store.records.image(tx, encounter_id, source.position if source else finger)
    png = as_png(service.engine, data, encounter, finger)
    asked = {"link": link_id, "encounter": encounter_id, "position": int(finger)}
    log_act(store, caller, audit.Action.READ, asked, returned=[encounter_id])
    return Response(png, media_type="image/png")


@router.get(
    "/links/{link_id}/comparisons/{position}", summary="Why two prints are alike", responses=refusals(404)
)
def comparison(
    caller: Annotated[Principal, may(Action.LINK_READ)],
    link_id: str,
    position: str,
    store: Stored,
) -> Explanation:
    """Tell what the machine saw in one finger of a link: pairs, motion, evidence. It decides nothing.

    `left` of the link is the probe, `right` the reference; pixels are those of the prints at 500 ppi.
    """
    finger = _finger(position)
    with store.database.reading() as tx:
        link = identity.link(tx, link_id)
        prints = [
            store.records.get(tx, encounter_id).tenprint.get(finger)
            for encounter_id in (link.left, link.right)
        ]
    probe, reference = prints
    if probe is None or reference is None:
        raise UnknownRecord(f"The link {link_id} does not have this finger on both sides.")
    told = explain(probe, reference)
    asked = {"link": link_id, "position": int(finger), "explained": True}
    log_act(store, caller, audit.Action.READ, asked, returned=[link.left, link.right])
    return told


@router.post("/links/{link_id}/decisions", summary="Decide on a link", responses=refusals(404))
def decide(
    caller: Annotated[Principal, may(Action.LINK_DECIDE)],
    link_id: str,
    decision: Decision,
    store: Stored,
) -> LinkView:
    """Record same, different or inconclusive, signed with your key's name and the time.

    An earlier decision stays in the ledger; the latest counts.
    """
    now = utc_now()
    signed = Signature(caller.actor, decision.reason, now)
    with store.database.transaction() as tx:
        link = identity.decide(tx, link_id, decision.judgement, signed, new_id=new_id)
        asked = {"link": link_id, "judgement": decision.judgement.value}
        audit.record(tx, caller.as_actor, audit.Action.DECIDE, "done", at=now, asked=asked)
    return _view(link)


@router.post(
    "/links/{link_id}/withdrawals", summary="Take the standing decision back", responses=refusals(404, 409)
)
def withdraw(
    caller: Annotated[Principal, may(Action.LINK_DECIDE)],
    link_id: str,
    withdrawal: Withdrawal,
    store: Stored,
) -> LinkView:
    """Withdraw the decision that counts now; what held before it holds again. Nothing is deleted."""
    now = utc_now()
    signed = Signature(caller.actor, withdrawal.reason, now)
    with store.database.transaction() as tx:
        link = identity.withdraw_current(tx, link_id, signed, new_id=new_id)
        audit.record(tx, caller.as_actor, audit.Action.WITHDRAW, "done", at=now, asked={"link": link_id})
    return _view(link)


def _view(link: Link) -> LinkView:
    return LinkView(link=link, standing=link.standing)


def _finger(text: str) -> FingerPosition:
    word = text.strip().replace("-", "_").upper()
    try:
        return FingerPosition(int(word)) if word.isdecimal() else FingerPosition[word]
    except (KeyError, ValueError) as error:
        raise UnknownRecord(f"`{text[:40]}` is no finger position.") from error
