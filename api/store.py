"""The durable side of a running service: database, pictures and records, opened together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.settings import Settings
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.records import Records


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """What must survive; everything else is a view of it."""

    database: Database
    blobs: BlobStore
    records: Records


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open (and bring up to date) the store the settings name, and close it at the end."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with Database.open(settings.database_url or settings.data) as database:
        blobs = BlobStore(settings.data / "blobs")
        yield Store(database, blobs, Records(database, blobs))
