"""`tenprint enroll --templates`: synthetic people out of a folder of templates into the store."""

from __future__ import annotations

from pathlib import Path

from api.cli_common import progress, remarks
from api.demo_register import enrol_folder
from api.settings import load_settings
from api.store import open_store
from enrollment.encounter import utc_now
from fixtures.template_folder import TemplateFolder


def enrol_templates(path: Path, data: Path | None) -> None:
    """Store every capture in the folder as an encounter; what is stored already is skipped."""
    folder = TemplateFolder.open(path)
    with open_store(load_settings(data=data)) as store, progress("people") as advance:
        added = enrol_folder(store, folder, at=utc_now(), progress=advance)
    known = folder.people * folder.captures - added
    remarks.print(f"{added} encounters enrolled, {known} known before")
