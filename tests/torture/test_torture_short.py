"""Short forms of the torture harnesses; `make torture` runs the long ones."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import failing_io
import power
import pytest
import rotation
from fuzzing import fuzz_images, fuzz_records, memory_of, record_readers
from histories import History
from sqlalchemy import delete

from enrollment.database import Database
from enrollment.tables import encounters
from matcher.errors import FingerprintError


@pytest.mark.slow
def test_mutated_records_are_read_or_refused() -> None:
    """No reader of records raises anything but a refusal, takes long, or swells."""
    sound = record_readers()["template"]
    sound.read(sound.seeds[1])  # compiled loops load now, outside the limit
    with memory_of(512_000_000):
        tallies = fuzz_records(300, seed=1)
    assert {name: tally.faults for name, tally in tallies.items() if tally.faults} == {}
    assert all(0 <= tally.accepted < tally.inputs for tally in tallies.values())


@pytest.mark.slow
def test_mutated_pictures_are_decoded_or_refused() -> None:
    """Whatever a decoder does to itself, the caller gets a picture or a refusal."""
    tallies = fuzz_images(14, seed=1)
    assert {name: tally.faults for name, tally in tallies.items() if tally.faults} == {}


@pytest.mark.slow
def test_long_histories_agree_with_the_model(tmp_path: Path) -> None:
    """Transactions of many steps, committed or rolled back, restarts and new keys between."""
    Database.open(tmp_path / "empty").close()
    history = History(tmp_path / "empty", tmp_path / "history", random.Random(11))
    history.walk(500)
    assert history.undone > 0
    assert history.model.encounters
    history.end()


def test_history_that_loses_a_row_disagrees(tmp_path: Path) -> None:
    """The control: what is changed behind the store's back is noticed."""
    Database.open(tmp_path / "empty").close()
    history = History(tmp_path / "empty", tmp_path / "history", random.Random(11))
    history.walk(40)
    with history.database.transaction() as tx:
        tx.execute(delete(encounters).where(encounters.c.encounter_id == min(history.model.encounters)))
    with pytest.raises((AssertionError, FingerprintError)):
        history.walk(80)
    history.database.close()


@pytest.mark.slow
def test_killed_rotations_go_on_and_fail_no_request(database_place: str, tmp_path: Path) -> None:
    """Keys are rotated by a process that is killed, while another reads and enrols without a refusal."""
    outcome = rotation.rotate_and_kill(database_place, tmp_path, kills=6, chance=random.Random(4))
    assert outcome.interrupted > 0, "no kill met a rotation"
    assert outcome.requests >= 3 * rotation.LEAST
    assert outcome.failed == 0


@pytest.mark.slow
@pytest.mark.skipif(failing_io.COMPILER is None, reason="the shim that makes calls fail needs a C compiler")
def test_failing_calls_lose_nothing(tmp_path: Path) -> None:
    """Some of the calls fail, each as EIO and as ENOSPC; the store is whole and goes on."""
    outcome = failing_io.fail_each_call(tmp_path, step=150, first=7)
    assert outcome.wrong == []
    assert outcome.calls > 150
    assert outcome.refused_acts > 0, "a failing call that refuses nothing was not felt"


@pytest.mark.slow
@pytest.mark.skipif(power.why_not() is not None, reason=str(power.why_not()))
def test_power_cuts_lose_nothing(tmp_path: Path) -> None:
    """Everything acknowledged is on a disk that forgets what was not synced."""
    outcome = power.cut_power(tmp_path, cuts=3, seed=3)
    assert outcome.acknowledged > 3
    assert (outcome.lost, outcome.damaged) == ([], [])


@pytest.mark.slow
@pytest.mark.skipif(power.why_not() is not None, reason=str(power.why_not()))
def test_the_control_of_the_power_cuts_loses(tmp_path: Path) -> None:
    """With `synchronous=NORMAL` the harness notices what is missing."""
    assert power.cut_power(tmp_path, cuts=2, seed=3, safe=False).lost
    assert shutil.which("fusermount3")
    assert not os.path.ismount(tmp_path / "mount")
