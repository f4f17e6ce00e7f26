"""The HTTP service: routes, door and health around one `Service`."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api import auditor, desk, examiner, health, operator, osia_records, osia_search, police, sessions
from api.chores import keep_gallery, start_chores
from api.docs_page import interface_page, problems_page
from api.gate import authenticate
from api.guard import Guard
from api.health import WriteProbe
from api.metrics import Meter, Metrics
from api.problems import add_handlers
from api.roles import Principal
from api.service import Service, assembled
from api.settings import Settings
from api.store import Store
from api.version import VERSION
from api.warm_up import warm_up
from enrollment import idempotency
from enrollment.data_folder import owned
from enrollment.encounter import utc_now

#: How long at least a repeated post is recognised by its Idempotency-Key.
KEYS_KEPT = timedelta(days=7)

logger = logging.getLogger("tenprint.api")

_ABOUT = """
An open fingerprint identification service. Images go in; a person is found again; examiners decide.

Every request but the health checks carries an API key of one role:

    curl -H "Authorization: Bearer KEY" -F right_index=@print.png -F ppi=500 \\
         http://127.0.0.1:8000/desk/encounters

Scores are −10·log10(FMR): 40 is one false match in 10,000 comparisons. A candidate is a suggestion, never an
identity: `standing` says what examiners made of it. Addresses under `/v1` are the OSIA ABIS interface 1.6.0.

Refusals are `application/problem+json`; see `/problems`.
"""

pages = APIRouter(include_in_schema=False)


@pages.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The interface as a page that needs no internet."""
    return HTMLResponse(interface_page(request.app.openapi()))


@pages.get("/problems")
def problems() -> HTMLResponse:
    """Every problem code."""
    return HTMLResponse(problems_page())


@pages.get("/")
def front() -> Response:
    """Lead whoever comes by browser to the documentation."""
    return RedirectResponse("docs")


def create_app(settings: Settings) -> FastAPI:
    """The application; it opens its store when it starts and closes it when it stops."""
    app = FastAPI(
        title="tenprint",
        version=VERSION,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    for module in (desk, sessions, police, examiner, operator, auditor, osia_records, osia_search, health):
        app.include_router(module.router)
    app.include_router(pages)
    add_handlers(app)
    app.add_middleware(Guard, settings=settings, authenticate=_authenticator(app))
    app.add_middleware(Meter, metrics=app.state.metrics)
    return app


def _authenticator(app: FastAPI) -> Any:
    def of_running_service(authorization: str | None) -> Principal:
        return authenticate(app.state.store, authorization)

    return of_running_service


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the service, fill its gallery beside serving, close it at the end."""
    opening = _owning(app.state.settings)
    service = await run_in_threadpool(opening.__enter__)
    stopping = threading.Event()
    try:
        _install(app, service)
        filling = threading.Thread(target=_fill, args=(app, service, stopping), name="fill-gallery")
        filling.start()
        chores = start_chores(service, stopping)
        yield
        stopping.set()
        await run_in_threadpool(filling.join)
        await run_in_threadpool(chores.join)
    finally:
        await run_in_threadpool(opening.__exit__, None, None, None)


@contextmanager
def _owning(settings: Settings) -> Iterator[Service]:
    """The service, as the only one on its data folder."""
    with owned(settings.data), assembled(settings) as service:
        yield service
        keep_gallery(service)


def _install(app: FastAPI, service: Service) -> None:
    app.state.service = service
    app.state.store = service.store
    app.state.progress = (0, 0)
    app.state.failed = False
    app.state.probe = WriteProbe(service)
    gauge = app.state.metrics.gauge
    gauge("tenprint_gallery_references", "Encounters the gallery searches.", lambda: len(service.gallery))
    gauge("tenprint_gallery_lag", "Changes of the store not yet searched.", lambda: _lag(service))
    gauge("tenprint_encounters", "Encounters stored.", lambda: _encounters(service))
    gauge(
        "tenprint_decoder_deaths_total",
        "Decoder processes that died.",
        lambda: deaths(service.engine.decoder.counts),
    )
    gauge(
        "tenprint_extraction_deaths_total",
        "Extraction processes that died or hung.",
        lambda: service.engine.pool.counts.get("lost", 0),
    )


def _fill(app: FastAPI, service: Service, stopping: threading.Event) -> None:
    """Bring the gallery up to the store; searches are refused with 503 until that is done."""

    def note(done: int, total: int) -> None:
        app.state.progress = (done, total)
        if stopping.is_set():
            raise SystemExit  # ends this thread only: whoever stops the service need not wait for the rest

    try:
        _tidy(service.store)
        service.engine.pool.wait()
        warm_up()
        service.follower.catch_up(note)
    except Exception:
        app.state.failed = True
        logger.exception("the gallery cannot be filled; `tenprint doctor` checks the store")
    else:
        service.ready.set()
        logger.info("ready: %d encounters in the gallery", len(service.gallery))


def _tidy(store: Store) -> None:
    """What an earlier process left undone: pictures nobody refers to, idempotency keys of last week."""
    store.records.sweep_released()
    store.records.sweep_orphans()
    with store.database.transaction() as tx:
        idempotency.forget(tx, utc_now() - KEYS_KEPT)


def deaths(counts: Mapping[str, int]) -> int:
    """How many decoder processes an image took with it."""
    return counts.get("crashed", 0) + counts.get("timed_out", 0)


def _lag(service: Service) -> int:
    with service.store.database.reading() as tx:
        return max(0, service.store.records.last_sequence(tx) - service.gallery.sequence)


def _encounters(service: Service) -> int:
    with service.store.database.reading() as tx:
        return service.store.records.count(tx)
