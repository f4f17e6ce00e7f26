"""What a running service does by the clock, beside its requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from api.service import Service
from api.settings import Settings
from api.store import Store
from enrollment.audit_checkpoints import Checkpoint, Signer, notes_by_size, write_checkpoint
from enrollment.encounter import utc_now
from enrollment.timestamps import TimeStamps, post
from matcher.errors import FingerprintError
from workflow import eurodac_erasure, retention
from workflow.audit import Actor

#: How often what is due is looked for, seconds.
_RETENTION_S = 3600
#: Where the answers of time-stamp authorities lie in the data folder.
TIME_STAMPS = "audit-timestamps"
#: Who the audit log says acted.
_CLOCK = Actor("service:clock", "service")

logger = logging.getLogger("tenprint.api")


def start_chores(service: Service, stopping: threading.Event) -> threading.Thread:
    """Sign a checkpoint of the audit log every so often, and once more at the end; erase what is due."""

    def work() -> None:
        erased_at = float("-inf")
        while not stopping.wait(service.settings.audit_checkpoint_seconds):
            if time.monotonic() - erased_at > _RETENTION_S:
                erased_at = time.monotonic()
                _try(service, _erase)
                _try(service, _stamp)
                keep_gallery(service)
            _try(service, _checkpoint)
        _try(service, _checkpoint)

    thread = threading.Thread(target=work, name="chores")
    thread.start()
    return thread


def audit_signer(store: Store) -> Signer:
    """Who signs the checkpoints of this store."""
    return Signer(store.keyring.secret("audit-signing"))


def checkpoint(store: Store, sink: Path | None = None) -> Checkpoint | None:
    """Sign what the audit log holds now; None where nothing is new."""
    with store.database.transaction() as tx:
        return write_checkpoint(tx, audit_signer(store), utc_now(), sink)


def time_stamps(settings: Settings) -> TimeStamps | None:
    """The time-stamps of this store, where the settings say whom to believe."""
    roots = settings.audit_timestamp_roots
    return None if roots is None else TimeStamps(settings.data / TIME_STAMPS, roots)


def stamp(store: Store, settings: Settings) -> datetime | None:
    """Have the newest checkpoint time-stamped; gives the time, None where that is done or not asked for."""
    stamps, url = time_stamps(settings), settings.audit_timestamp_url
    if stamps is None or url is None:
        return None
    with store.database.reading() as tx:
        notes = notes_by_size(tx)
    size = max(notes, default=0)
    if size <= stamps.newest():
        return None
    return stamps.stamp(size, notes[size], partial(post, url))


def keep_gallery(service: Service) -> None:
    """Write the gallery down for the next start; without it, that takes longer and nothing is lost."""
    _try(service, _keep)


def follow(service: Service) -> None:
    """Have the gallery take in what was just stored, so that the next search need not."""
    _try(service, _follow)


def _follow(service: Service) -> None:
    service.follower.catch_up()


def _keep(service: Service) -> None:
    service.follower.keep()


def _checkpoint(service: Service) -> None:
    checkpoint(service.store, service.settings.audit_sink)


def _stamp(service: Service) -> None:
    stamp(service.store, service.settings)


def _erase(service: Service) -> None:
    """What is due, where the settings say so; and what earlier erasures left in export folders."""
    store = service.store
    if service.settings.retention:
        retention.erase_due(
            store.database, store.records, actor=_CLOCK, at=utc_now(), progress=lambda _done, _total: None
        )
        service.follower.catch_up()
    eurodac_erasure.forget_erased(store.database)


def _try(service: Service, chore: Callable[[Service], None]) -> None:
    """What fails now is tried again next time; nothing depends on it in between."""
    try:
        chore(service)
    except (OSError, SQLAlchemyError, FingerprintError) as fault:
        name = chore.__name__.strip("_")
        logger.error("%s failed, will be tried again: %s", name, type(fault).__name__)  # noqa: TRY400 - no ids
