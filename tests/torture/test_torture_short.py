"""Short forms of the torture harnesses; `make torture` runs the long ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import failing_io
import power
import pytest
from fuzzing import fuzz_images, fuzz_records, memory_of, record_readers


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
