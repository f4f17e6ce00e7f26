"""Auditors: who asked what, why, and what came back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.acts import log_act
from api.dependencies import Limit, Stored
from api.gate import may
from api.responses import refusals
from api.roles import Action, Principal
from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from workflow import audit

router = APIRouter(tags=["Audit"])


class AuditPage(BaseModel):
    """Some entries, oldest first; ask again with `after=next` while `next` is not null."""

    entries: list[AuditEntry]
    next: int | None


@router.get("/audit", summary="Read the audit log", responses=refusals())
def read(
    caller: Annotated[Principal, may(Action.AUDIT_READ)],
    store: Stored,
    after: Annotated[int, Query(ge=0, description="The `next` of the page before.")] = 0,
    file_number: Annotated[str | None, Query(max_length=128, description="Only this case.")] = None,
    about: Annotated[
        str | None,
        Query(max_length=64, description="Only what names this person, encounter or reference number."),
    ] = None,
    limit: Limit = 100,
) -> AuditPage:
    """Read a page of the append-only log. It holds numbers and keyed hashes of ids, never a print.

    Reading is logged too. Whoever knows an id finds its rows with `about`.
    """
    with store.database.reading() as tx:
        entries = audit_log.entries(tx, after=after, limit=limit, file_number=file_number, about=about)
    asked = {"audit": {"after": after, "file_number": file_number, "person_id": about}}
    log_act(store, caller, audit.Action.READ, asked)
    return AuditPage(entries=list(entries), next=entries[-1].sequence if len(entries) == limit else None)
