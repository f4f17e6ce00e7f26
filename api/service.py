"""The one place where the parts are put together, for the HTTP service and the command line alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from threadpoolctl import threadpool_limits

from api.engine import Engine, open_engine
from api.settings import Settings
from api.store import Store, open_store
from api.version import VERSION
from enrollment.encounter import Encounter
from enrollment.follower import GalleryFollower
from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.sealed_prints import SealedPrints
from matcher.bodies import HeldBodies
from matcher.gallery import Gallery
from matcher.scoring import Score
from workflow.desk_suggestions import Desk
from workflow.eurodac import Exporter
from workflow.eurodac_profile import Profile
from workflow.eurodac_queue import enqueue
from workflow.police import Police
from workflow.searching import Policy, Searcher

#: Receives (done, total) while the gallery is filled from the store.
Progress = Callable[[int, int], None]

MATCHER = f"tenprint-matcher/{VERSION}"


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """Everything a request may use. All parts are safe to use from many threads.

    ready: set once the gallery holds everything the store held at the start.
    """

    settings: Settings
    engine: Engine
    store: Store
    gallery: Gallery
    follower: GalleryFollower
    searcher: Searcher
    desk: Desk
    police: Police
    exporter: Exporter
    ready: threading.Event


@contextmanager
def open_service(settings: Settings, progress: Progress | None = None) -> Iterator[Service]:
    """Open store and engine and fill the gallery from the store; whoever gets it may search at once."""
    with assembled(settings) as service:
        service.follower.catch_up(progress)
        service.ready.set()
        yield service


@contextmanager
def assembled(settings: Settings) -> Iterator[Service]:
    """The service with an empty gallery: whoever opens it this way fills it with `follower.catch_up`."""
    # Searches share the cores task by task (`matcher.turns`); a library that spreads one small product over
    # all of them would only be in their way.
    with threadpool_limits(1), open_store(settings) as store, open_engine(settings) as engine:
        places = SealedPrints(settings.data / "prints") if settings.sealed_prints else HeldBodies
        gallery = Gallery(new_bodies=places)
        kept = GalleryCheckpoint(settings.data / "gallery", store.keyring)
        follower = GalleryFollower(store.database, store.records, gallery, checkpoint=kept)
        searcher = Searcher(gallery, follower.catch_up, _policy(settings))
        yield Service(
            settings=settings,
            engine=engine,
            store=store,
            gallery=gallery,
            follower=follower,
            searcher=searcher,
            desk=Desk(store.database, store.records, searcher, _queue_export, MATCHER),
            police=Police(store.database, store.records, searcher, Score(settings.verification_threshold)),
            exporter=Exporter(store.database, store.records, engine.decoder, Profile()),
            ready=threading.Event(),
        )


def _policy(settings: Settings) -> Policy:
    fixed = settings.identification_threshold
    return Policy(
        fpir=settings.identification_fpir,
        threshold=None if fixed is None else Score(fixed),
        limit=settings.candidate_limit,
    )


def _queue_export(tx: Connection, encounter: Encounter, at: datetime) -> str | None:
    """An encounter with a category waits for the next export from the moment it is stored."""
    return enqueue(tx, encounter, at, profile=Profile())
