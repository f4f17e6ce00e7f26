"""kill -9 at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
from enrolling_process import INDEX, EnrollingProcess, picture_of
from sqlalchemy import text
from stored_people import random_encounter

from enrollment.blobs import BlobStore
from enrollment.change_log import Operation
from enrollment.database import Database
from enrollment.follower import GalleryFollower
from enrollment.records import Records
from matcher.gallery import Gallery
from matcher.scoring import Score

#: Done when: at least 20. Kills that hit the opening of the store do not count.
KILLS = 24
#: The longest a worker lives after it was ready, seconds: many enrolments, and not always the same number.
LONGEST_LIFE_S = 0.5


def enrol_until_killed(process: EnrollingProcess, first: int, life_s: float) -> list[int]:
    """Start a worker, kill it `life_s` later; gives the seeds it acknowledged, from `first` on."""
    process.start()
    size = process.ready()
    assert size is not None
    assert size >= first, "the restarted worker does not hold what was acknowledged"
    acknowledged: list[int] = []
    killer = threading.Timer(life_s, process.kill)
    killer.start()
    while process.enrol(first + len(acknowledged)):
        acknowledged.append(first + len(acknowledged))
    killer.join()
    return acknowledged


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kill_9(database_place: str, tmp_path: Path) -> None:
    """After more than 20 kills every acknowledged encounter is stored once, whole, and found by a search."""
    chance = random.Random(9)  # the moments differ in every run anyway: the processes' own timing
    acknowledged: list[int] = []
    with EnrollingProcess(database_place, tmp_path / "blobs") as process:
        for _ in range(KILLS):
            life = chance.uniform(0, LONGEST_LIFE_S)
            acknowledged += enrol_until_killed(process, len(acknowledged), life)
            process.start()  # and one more, killed while it opens the store and fills its gallery
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
    assert len(acknowledged) > KILLS
    check_store(database_place, tmp_path / "blobs", acknowledged)


def check_store(place: str, blobs: Path, acknowledged: list[int]) -> None:
    """Every acknowledged encounter is there once, whole, and found; at most one more was under way."""
    with Database.open(place) as database:
        records, gallery = Records(database, BlobStore(blobs)), Gallery()
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
