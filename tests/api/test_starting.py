"""Starting: what an earlier process stored is found, what it left undone is done, what fails is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import caller
from running_service import KNOWN, OTHER, Running, make_keys, picture, serving, wait_until_told

from api.exit_codes import CANNOT_WORK, DONE
from api.settings import load_settings
from enrollment.follower import GalleryFollower
from enrollment.records import Records


def test_restarted_service_finds_what_the_last_one_stored(tmp_path: Path) -> None:
    """Another process, the same answer."""
    settings = load_settings(data=tmp_path)
    keys = make_keys(settings)
    with serving(settings) as client:
        person = Running(client, settings, keys).enroll({"right_index": picture(KNOWN)}).json()["person_id"]
    with serving(settings) as client:
        answer = Running(client, settings, keys).police("identify", {"right_index": picture(KNOWN, 2)})
        assert [candidate["person_id"] for candidate in answer.json()["candidates"]] == [person]


def test_what_another_process_enrols_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line and the service may work on one store at the same time."""
    settings = load_settings(data=tmp_path / "data")
    keys = make_keys(settings)
    (tmp_path / "other_1.png").write_bytes(picture(OTHER))
    with serving(settings) as client:
        enrolled = caller(monkeypatch, capsys)("enroll", tmp_path / "other_1.png", "--data", settings.data)
        assert enrolled.code == DONE, enrolled.err
        answer = Running(client, settings, keys).police(
            "verify", {"right_index": picture(OTHER, 2)}, person_id="other"
        )
        assert answer.json()["decision"] == "match"


def test_second_service_on_a_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One service owns a data folder; the second says so in a sentence and leaves it alone."""
    settings = load_settings(data=tmp_path)
    with serving(settings) as client:
        second = caller(monkeypatch, capsys)("serve", "--data", tmp_path, "--port", "0")
        assert second.code == CANNOT_WORK
        assert "another process serves" in second.err
        assert client.get("/livez").status_code == 200


def test_store_that_cannot_be_loaded_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alive, never ready, and the sentence names what to run."""

    def broken(_follower: GalleryFollower, _progress: object = None) -> int:
        raise RuntimeError("a template that does not decode")

    monkeypatch.setattr(GalleryFollower, "catch_up", broken)
    with serving(load_settings(data=tmp_path), ready=False) as client:
        told = wait_until_told(client, "tenprint doctor")
        assert told["code"] == "not_ready"
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), ValueError("secret")])
def test_write_that_fails_is_never_acknowledged(
    running: Running, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """A full disk is 507, anything unforeseen 500; neither tells internals, and the next post works."""

    def failing(*_arguments: object) -> int:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(Records, "keep_pictures", failing)
        answer = running.enroll({"right_thumb": picture(KNOWN)})
    expected = (507, "store_full") if isinstance(fault, OSError) else (500, "internal_error")
    assert (answer.status_code, answer.json()["code"]) == expected
    assert str(fault) not in answer.text
    assert running.enroll({"right_thumb": picture(KNOWN)}).status_code == 200
