"""A canary flies through the whole service and is found nowhere: on no disk, in no log, no temporary file."""

from __future__ import annotations

import base64
import logging
import tempfile
from pathlib import Path

import pytest
from running_service import KNOWN, OTHER, Running, make_keys, picture, serving
from sqlalchemy import text

from api.roles import Role
from api.settings import load_settings
from api.store import open_store
from enrollment.backup import back_up
from enrollment.formats import template_v1
from matcher.codes import FingerPosition

NAME = "Canaryname-Jeanbaptiste"
DATA = b"the caller's own bytes: canary"


def _contents(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def _osia_body(image: bytes) -> dict[str, object]:
    return {
        "status": "ACTIVE",
        "encounterType": "ENROL",
        "galleries": ["osia"],
        "biographicData": {"lastName": NAME},
        "contextualData": {"note": NAME},
        "clientData": base64.b64encode(DATA).decode(),
        "biometricData": [
            {
                "biometricType": "FINGER",
                "biometricSubType": "RIGHT_INDEX",
                "image": base64.b64encode(image).decode(),
                "resolution": 500,
                "compression": "PNG",
                "impressionType": "LIVE_SCAN_PLAIN",
            }
        ],
    }


def test_no_print_and_no_name_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Enrolled, read, searched, refused, exported, erased, backed up: only ciphertext is ever written."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    caplog.set_level(logging.DEBUG)
    settings = load_settings(data=tmp_path / "data")
    keys = make_keys(settings)
    images = [picture(KNOWN), picture(OTHER)]
    with serving(settings) as client:
        service = Running(client, settings, keys)
        made = service.ask(
            Role.DESK, "POST", "/v1/persons", params=service.transaction, json=_osia_body(images[0])
        )
        assert made.status_code == 200, made.text
        ids = made.json()
        address = f"/v1/persons/{ids['personId']}/encounters/{ids['encounterId']}"
        read = service.ask(Role.DESK, "GET", address, params=service.transaction).json()
        assert read["biographicData"] == {"lastName": NAME}
        service.enroll({"right_index": images[1]}, person_id="p-canary", category="1")
        service.enroll({"right_index": b"no picture"}, person_id=NAME)
        service.police("identify", {"right_index": picture(KNOWN, 2)})
        assert service.ask(Role.OPERATOR, "POST", "/operator/eurodac/exports").json()["files"]
    with open_store(settings) as store:
        with store.database.reading() as tx:
            found = [store.records.get(tx, each) for each in store.records.encounter_ids(tx)]
        templates = [template_v1.encode(each) for encounter in found for each in encounter.tenprint.values()]
        back_up(store.database, store.blobs, None, tmp_path / "copy", lambda _done, _total: None)
        exports = _contents(tmp_path / "data" / "exports")
        with store.database.transaction() as tx:
            store.records.erase_person(tx, "p-canary")
        assert not list((tmp_path / "data" / "exports").rglob("*.an2")), "the exported copy goes too"
        with store.database.transaction() as tx:
            tx.execute(text("UPDATE persons SET created_at = created_at"))  # one more write into the journal
        written = _contents(tmp_path / "data") + _contents(tmp_path / "copy") + _contents(temporary)
    assert len(templates) == 2
    assert exports, "the export was there to be searched"
    canaries = [NAME.encode(), DATA, base64.b64encode(DATA)]
    canaries += [part for image in images for part in _parts(image)]
    canaries += [part for template in templates for part in _parts(template)]
    canaries += [base64.b64encode(images[0])[1000:1040]]
    for canary in canaries:
        assert canary not in written
        assert canary not in caplog.text.encode("utf-8", "surrogateescape")
    assert ids["encounterId"].encode() in written, "the search would find what is there"
    assert FingerPosition.RIGHT_INDEX in found[0].tenprint


def _parts(data: bytes) -> list[bytes]:
    """Three pieces that no other file has by chance."""
    length = len(data)
    return [data[at : at + 24] for at in (length // 4, length // 2, 3 * length // 4)]
