"""Retention from the command line: list, hold, lift, erase."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Call, caller
from stored_people import random_encounter

from api import cli_retention
from api.exit_codes import CANNOT_WORK, DONE
from api.settings import load_settings
from api.store import open_store
from matcher.codes import FingerPosition


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """The command line with three encounters of 2026 in its store."""
    monkeypatch.setenv("TENPRINT_DATA", str(tmp_path / "data"))
    with open_store(load_settings()) as store, store.database.transaction() as tx:
        for seed in range(3):
            store.records.add(tx, random_encounter(seed, positions=(FingerPosition.RIGHT_INDEX,)))
    return caller(monkeypatch, capsys)


def test_retention_is_run_held_and_lifted(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is due today; in ten years everything is, save what is held; the proof stays."""
    assert call("retention", "due", "--json").document == []
    hold_id = call("retention", "hold", "e-1", "--reason", "appeal 7").out.strip()
    assert call("retention", "erase", "e-1", "--reason", "Article 30").code == CANNOT_WORK
    assert call("retention", "erase", "e-2", "--reason", "Article 30").code == DONE
    monkeypatch.setattr(cli_retention, "utc_now", lambda: datetime(2036, 11, 24, tzinfo=UTC))
    assert "e-1  until 2036-11-23" in call("retention", "due").out
    assert [each["held"] for each in call("retention", "due", "--json").document] == [False, True]
    assert [each["encounter_id"] for each in call("retention", "run", "--json").document] == ["e-0"]
    assert "stands  appeal 7" in call("retention", "holds").out
    assert call("retention", "lift", hold_id).out == "lifted from e-1\n"
    assert "lifted  appeal 7" in call("retention", "holds").out
    assert "1 encounters erased" in call("retention", "run").out
    assert call("audit", "verify", "--json").document["findings"] == []
