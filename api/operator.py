"""Operators: what waits for the EURODAC-style export, and writing it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.acts import log_act
from api.dependencies import Limit, Ready, Stored
from api.gate import may
from api.responses import refusals
from api.roles import Action, Principal
from enrollment.encounter import utc_now
from workflow import audit, eurodac, eurodac_queue
from workflow.eurodac import ExportReport
from workflow.eurodac_queue import QueueEntry, State

router = APIRouter(prefix="/operator/eurodac", tags=["Operator"])


class QueuePage(BaseModel):
    """Some entries, oldest first; ask again with `after=next` while `next` is not null."""

    entries: list[QueueEntry]
    next: int | None


@router.get("/queue", summary="What waits for the export, and what was exported", responses=refusals())
def queue(
    caller: Annotated[Principal, may(Action.EXPORT_READ)],
    store: Stored,
    state: Annotated[State | None, Query(description="Absent: all.")] = None,
    after: Annotated[int, Query(ge=0, description="The `next` of the page before.")] = 0,
    limit: Limit = 100,
) -> QueuePage:
    """Read a page of the queue: encounter, category, reference number, state. No prints."""
    with store.database.reading() as tx:
        entries = eurodac_queue.entries(tx, state=state, after=after, limit=limit)
    asked = {"queue": state, "after": after}
    log_act(store, caller, audit.Action.READ, asked)
    return QueuePage(entries=list(entries), next=entries[-1].sequence if len(entries) == limit else None)


@router.post("/exports", summary="Write the waiting encounters", responses=refusals(409))
def export(
    caller: Annotated[Principal, may(Action.EXPORT_WRITE)],
    service: Ready,
) -> ExportReport:
    """Write one ANSI/NIST-ITL file per waiting encounter and a Parquet manifest with their hashes.

    One call writes one batch into `exports/` in the data folder; `batch` is null where nothing waits. A call
    that was interrupted is finished by the next one: the same files, nobody sent twice.

    The files are EURODAC-style: the interface document of the central system is not public, and they do not
    claim to conform to it.
    """
    folder = service.settings.data / "exports"
    return eurodac.export(service.exporter, folder, actor=caller.as_actor, now=utc_now)
