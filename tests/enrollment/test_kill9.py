"""kill -9 at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from enrolling_process import EnrollingProcess, enrol
from killing import check_store, enrol_and_kill

from enrollment.database import Database
from enrollment.records import Records

#: Done when: at least 20; each comes with one more that hits the opening of the store.
KILLS = 22


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kill_9(database_place: str, tmp_path: Path) -> None:
    """After more than 20 kills every acknowledged encounter is stored once, whole, and found by a search."""
    chance = random.Random(9)  # the moments differ in every run anyway: the processes' own timing
    with EnrollingProcess(database_place, tmp_path / "blobs") as process:
        acknowledged = enrol_and_kill(process, kills=KILLS, most=8, chance=chance)
    assert acknowledged > KILLS
    sought = chance.sample(range(acknowledged), 20)
    check_store(database_place, tmp_path / "blobs", range(acknowledged), sought=sought, audited=True)


def test_a_loss_would_be_noticed(
    database: Database, records: Records, database_place: str, tmp_path: Path
) -> None:
    """The control: an acknowledgement without its encounter fails the check."""
    for seed in range(2):
        enrol(database, records, seed)
    check_store(database_place, tmp_path / "blobs", [0, 1])
    with pytest.raises(AssertionError):
        check_store(database_place, tmp_path / "blobs", [0, 1, 2])
