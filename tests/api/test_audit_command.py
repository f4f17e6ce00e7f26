"""The audit log as an auditor meets it: verified, proved, and in the way of every answer when it fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import Call, caller
from running_service import KNOWN, Running, make_keys, picture, serving
from sqlalchemy import text
from stamping import OPENSSL, make_authority, serving_authority

from api.exit_codes import CANNOT_WORK, DONE
from api.roles import Role
from api.settings import Settings, load_settings
from api.store import open_store
from enrollment.audit_checkpoints import notes_of


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """The command line with a data folder and a second place of the test's own."""
    monkeypatch.setenv("TENPRINT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TENPRINT_AUDIT_SINK", str(tmp_path / "kept"))
    return caller(monkeypatch, capsys)


def _run_sql(settings: Settings, *statements: str) -> None:
    with open_store(settings) as store, store.database.transaction() as tx:
        for statement in statements:
            tx.execute(text(statement))


def test_log_is_verified_and_a_change_is_found(call: Call, tmp_path: Path) -> None:
    """Two checkpoints, a proof that holds, and after a stroke behind the back exit code 3."""
    for _ in range(2):
        call("keys", "create", "--role", "desk")
        assert "tenprint-audit" in call("audit", "checkpoint").out
    assert "Nothing was logged" in call("audit", "checkpoint").err
    assert len(notes_of(tmp_path / "kept")) == 2
    assert call("audit", "verify", "--json").document == {"rows": 2, "kept_checkpoints": 2, "findings": []}
    proof = tmp_path / "proof.json"
    proof.write_text(call("audit", "prove", 1).out)
    key = call("audit", "key").out.strip()
    checked = call("audit", "check", proof, "--key", key)
    assert checked.code == DONE
    assert json.loads(checked.out.splitlines()[-1])["action"] == "create_key"
    assert call("audit", "check", tmp_path / "kept", "--key", key).code == CANNOT_WORK
    _run_sql(
        load_settings(data=tmp_path / "data"),
        "DROP TRIGGER audit_log_no_update",
        "UPDATE audit_log SET actor = 'nobody' WHERE sequence = 1",
    )
    found = call("audit", "verify")
    assert found.code == CANNOT_WORK
    assert "row 1: was changed" in found.out


def test_without_its_audit_row_nothing_is_answered(tmp_path: Path) -> None:
    """A search, a reading and an enrolment are all 503 while the log refuses, and work again afterwards."""
    settings = load_settings(data=tmp_path / "data", audit_sink=tmp_path / "kept", audit_checkpoint_seconds=1)
    keys = make_keys(settings)
    with serving(settings) as client:
        service = Running(client, settings, keys)
        person = service.enroll({"right_index": picture(KNOWN)}).json()["person_id"]
        _run_sql(
            settings,
            "CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END",
        )
        for answer in (
            service.police("identify", {"right_index": picture(KNOWN, 2)}),
            service.enroll({"right_index": picture(KNOWN, 2)}),
            service.ask(Role.ADMIN, "GET", f"/v1/persons/{person}/encounters", params=service.transaction),
            service.ask(Role.AUDITOR, "GET", "/audit"),
        ):
            assert answer.status_code == 503, answer.text
            assert "audit_unavailable" in answer.text
            assert person not in answer.text
        _run_sql(settings, "DROP TRIGGER broken")
        found = service.police("identify", {"right_index": picture(KNOWN, 2)}).json()
        assert [candidate["person_id"] for candidate in found["candidates"]] == [person]
    assert notes_of(tmp_path / "kept"), "the service signs checkpoints by the clock and when it stops"


@pytest.mark.skipif(OPENSSL is None, reason="openssl is the authority of this test")
def test_checkpoints_are_stamped_and_the_stamps_verified(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a checkpoint; without an authority nothing is claimed; a stamp of another note is a finding."""
    authority = make_authority(tmp_path)
    call("keys", "create", "--role", "desk")
    call("audit", "checkpoint")
    assert "TENPRINT_AUDIT_TIMESTAMP_URL" in call("audit", "stamp").err
    monkeypatch.setenv("TENPRINT_AUDIT_TIMESTAMP_ROOTS", str(authority / "root.pem"))
    monkeypatch.setenv("TENPRINT_AUDIT_TIMESTAMP_URL", "http://127.0.0.1:9/")
    assert "did not answer" in call("audit", "stamp").err
    with serving_authority(authority) as address:
        monkeypatch.setenv("TENPRINT_AUDIT_TIMESTAMP_URL", address)
        assert "stamped at 20" in call("audit", "stamp").out
        assert "stamped already" in call("audit", "stamp").err
    assert call("audit", "verify").code == DONE
    stamps = tmp_path / "data" / "audit-timestamps"
    (stamps / "1.tsr").rename(stamps / "5.tsr")
    found = call("audit", "verify", "--json")
    assert found.code == CANNOT_WORK
    assert [each["where"] for each in found.document["findings"]] == ["time-stamp 5"]
