"""kill -9 as a test. What is killed has four verbs, so that a worker or the whole service can be it."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Protocol

from enrolling_process import INDEX, keys_beside, picture_of
from sqlalchemy import text
from stored_people import random_encounter

from enrollment.blobs import BlobStore
from enrollment.change_log import Operation
from enrollment.database import Database
from enrollment.follower import GalleryFollower
from enrollment.keyring import Keyring
from enrollment.records import Records
from matcher.gallery import Gallery
from matcher.scoring import Score


class Enroller(Protocol):
    """A process that enrols, on one store that outlives it."""

    def start(self) -> None:
        """Start it (again); returns at once."""

    def ready(self) -> int | None:
        """Wait until it can enrol; gives the size of its gallery, None when it was killed first."""

    def enrol(self, seed: int) -> bool:
        """Have the encounter of a seed enrolled, once however often it is asked; True when acknowledged."""

    def kill(self) -> None:
        """Send SIGKILL, if it runs."""


def enrol_and_kill(
    process: Enroller, *, kills: int, longest_life_s: float, chance: random.Random
) -> list[int]:
    """Start and kill the process `kills` times while it enrols; gives the seeds it acknowledged.

    Between two of these it is killed once more, while it opens the store and fills its gallery.
    """
    acknowledged: list[int] = []
    for _ in range(kills):
        process.start()
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.start()
        size = process.ready()
        assert size is not None
        assert size >= len(acknowledged), "after a restart the gallery lacks what was acknowledged"
        killer = threading.Timer(chance.uniform(0, longest_life_s), process.kill)
        killer.start()
        while process.enrol(len(acknowledged)):
            acknowledged.append(len(acknowledged))
        killer.join()
    return acknowledged


def check_store(place: str, blobs: Path, acknowledged: list[int]) -> None:
    """Every acknowledged encounter is there once, whole, and found; at most one more was under way."""
    with Database.open(place) as database:
        records, gallery = Records(database, BlobStore(blobs), Keyring.open(keys_beside(blobs))), Gallery()
        GalleryFollower(database, records, gallery).catch_up()
        with database.reading() as tx:
            if database.dialect == "sqlite":
                assert tx.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            changes = records.changes(tx, 0, limit=1_000_000)
            stored = {each.encounter_id for each in changes}
            assert all(each.operation is Operation.ADD for each in changes)
            assert len(changes) == len(stored) == records.count(tx) == len(gallery)
            assert {f"e-{seed}" for seed in acknowledged} <= stored
            assert len(stored) <= len(acknowledged) + 1
            for seed in acknowledged:
                assert records.image(tx, f"e-{seed}", INDEX[0]) == picture_of(seed)
    for seed in acknowledged:
        probe = random_encounter(seed, positions=INDEX).tenprint
        best = gallery.search(probe, limit=1, threshold=Score(40.0)).candidates[0]
        assert best.reference_id == f"e-{seed}"
