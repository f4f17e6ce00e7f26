"""Is it alive, can it work, and how busy is it. None of these needs a key or tells about a person."""

from __future__ import annotations

import threading
import time

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.errors import NotReady
from api.metrics import Metrics
from api.service import Service
from enrollment.database import insert_if_absent
from enrollment.encounter import utc_now
from enrollment.tables import idempotency_keys

router = APIRouter(tags=["Health"])

_PROBE_KEY = "probe:readyz"
_PROBE_VALID_S = 5.0


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Readiness(BaseModel):
    """The service can enrol and search.

    as_of: the change of the store up to which the gallery searches; behind: changes it still has to apply.
    """

    status: str = "ready"
    gallery_size: int
    as_of: int
    behind: int


class WriteProbe:
    """Proves by a committed write that the store can be written; at most one write in five seconds."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._written_at = float("-inf")

    def check(self) -> None:
        """Write, unless that was done a moment ago. A failing write surfaces as the store's own exception."""
        with self._lock:
            if time.monotonic() - self._written_at < _PROBE_VALID_S:
                return
            row = {"key": _PROBE_KEY, "request_hash": "", "created_at": utc_now()}
            with self._service.store.database.transaction() as tx:
                tx.execute(idempotency_keys.delete().where(idempotency_keys.c.key == _PROBE_KEY))
                insert_if_absent(tx, idempotency_keys, row)
            self._written_at = time.monotonic()


@router.get("/livez", summary="Is the process alive?")
def livez() -> Alive:
    """Answer 200 as long as the process can answer at all. For the supervisor that restarts it."""
    return Alive()


@router.get("/readyz", summary="Can the service enrol and search?")
def readyz(request: Request) -> Readiness:
    """Answer 200 when a write to the store succeeds and the gallery holds all that is stored.

    503 while the gallery is filled at start; the sentence says how far it is. For the load balancer.
    """
    service: Service = request.app.state.service
    if not service.ready.is_set():
        if request.app.state.failed:
            raise NotReady("The gallery cannot be filled from the store: see the log, run `tenprint doctor`.")
        done, total = request.app.state.progress
        raise NotReady(f"The gallery is being filled from the store: {done} of {total} encounters.")
    request.app.state.probe.check()
    with service.store.database.reading() as tx:
        last = service.store.records.last_sequence(tx)
    as_of = service.gallery.sequence
    return Readiness(gallery_size=len(service.gallery), as_of=as_of, behind=max(0, last - as_of))


@router.get("/metrics", summary="Prometheus counters", response_class=Response)
def metrics(request: Request) -> Response:
    """Requests and latencies by route, gallery size, index lag, decoder deaths, encounters. No ids."""
    counters: Metrics = request.app.state.metrics
    return Response(counters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
