"""Operators: what is queued is exported once, with a manifest."""

from __future__ import annotations

from pathlib import Path

from running_service import KNOWN, Running, picture

from api.roles import Role


def test_queued_encounter_is_exported_once(running: Running) -> None:
    """The queue shows it as waiting, then as exported; the files lie in the data folder."""
    number = running.enroll({"right_index": picture(KNOWN)}, category="1").json()["reference_number"]
    report = running.ask(Role.OPERATOR, "POST", "/operator/eurodac/exports").json()
    assert report["batch"]
    assert Path(report["folder"]).is_relative_to(running.settings.data)
    assert (Path(report["folder"]) / "manifest.parquet").is_file()
    exported = running.ask(
        Role.OPERATOR, "GET", "/operator/eurodac/queue", params={"state": "exported"}
    ).json()
    assert number in [entry["reference_number"] for entry in exported["entries"]]
    again = running.ask(Role.OPERATOR, "POST", "/operator/eurodac/exports").json()
    assert again["batch"] is None
