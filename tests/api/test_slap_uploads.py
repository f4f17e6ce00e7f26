"""Slaps on every way in: desk, OSIA, files; what becomes of their fingers, and what the operator is told."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command_line import Call, caller
from PIL import Image
from running_service import Running, blank_picture

from api.exit_codes import DONE
from api.roles import Role
from enrollment.formats.nist_itl import Transaction, encode
from enrollment.formats.nist_records import FingerImage, Heading, type_1, type_2, type_14
from enrollment.image_header import inspect_header
from enrollment.sandbox import DecoderSandbox
from fixtures.capture import capture
from fixtures.pictures import encode_png
from fixtures.sensor import BRIGHT
from fixtures.slaps import Slap, hand_of, slap
from matcher.codes import FingerPosition, ImpressionType

_SEED, _PERSON = 7, 0
_RIGHT, _RING = FingerPosition.PLAIN_RIGHT_FOUR, FingerPosition.RIGHT_RING
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_REAL = Path(__file__).parents[2].parent / "shared" / "data" / "itl"


@pytest.fixture(scope="module")
def hand() -> Slap:
    """A right hand on the glass."""
    return slap(hand_of(_SEED, _PERSON, _RIGHT), _RIGHT, 1)


@pytest.fixture(scope="module")
def files(hand: Slap) -> Mapping[str, bytes]:
    """Slaps as scanners send them, in WSQ: the whole hand, and without its ring finger."""
    masters = [finger.master for finger in hand.fingers]
    three = slap(masters, _RIGHT, 1, missing=[_RING])
    with DecoderSandbox(workers=1) as sandbox:
        return {"four": sandbox.encode_wsq(hand.image), "three": sandbox.encode_wsq(three.image)}


@pytest.fixture(scope="module")
def single(hand: Slap) -> Mapping[int, bytes]:
    """Plain captures of its index and middle finger, 2 and 3."""
    return {
        int(finger.position): encode_png(capture(finger.master, 1, BRIGHT).image)
        for finger in hand.fingers[:2]
    }


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """The command line with a data folder of the test's own."""
    monkeypatch.setenv("TENPRINT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return caller(monkeypatch, capsys)


def _positions(answer: dict[str, Any]) -> list[int]:
    return [finger["position"] for finger in answer["fingers"] if finger["failure"] is None]


def test_a_slap_becomes_four_fingers(
    running: Running, files: Mapping[str, bytes], single: Mapping[int, bytes]
) -> None:
    """Each with quality and minutiae; a picture of one of them alone finds the person."""
    answer = running.enroll({"plain_right_four": files["four"]})
    assert answer.status_code == 200, answer.text
    assert _positions(answer.json()) == [2, 3, 4, 5]
    assert all(finger["quality"] > 0 for finger in answer.json()["fingers"])
    assert answer.json()["flags"] == []
    found = running.police("identify", {"right_middle": single[3]}).json()["candidates"]
    assert answer.json()["person_id"] in [candidate["person_id"] for candidate in found]


def test_missing_fingers_are_honoured(running: Running, files: Mapping[str, bytes]) -> None:
    """Declared, three fingers are enrolled; not declared, none: two of the names might be wrong."""
    answer = running.enroll({"13": files["three"]}, missing="right_ring, 7")
    assert _positions(answer.json()) == [2, 3, 5]
    refused = running.enroll({"13": files["three"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "failure_to_enroll")
    assert "3 of 4 fingers are seen" in refused.json()["detail"]


def test_a_slap_that_cannot_be_cut_does_not_lose_the_rest(
    running: Running, single: Mapping[int, bytes]
) -> None:
    """Its four fingers are failures to acquire with advice, and the others are enrolled."""
    answer = running.enroll({"plain_left_four": blank_picture(), "right_index": single[2]}).json()
    assert _positions(answer) == [2]
    failed = {finger["position"]: finger for finger in answer["fingers"] if finger["failure"]}
    assert sorted(failed) == [7, 8, 9, 10]
    assert failed[7]["failure"] == "no_fingerprint"
    assert "No finger is seen" in failed[7]["advice"]


def test_the_other_hands_label_is_flagged_and_logged(running: Running, files: Mapping[str, bytes]) -> None:
    """The operator is told what to check; the audit log keeps that it was told."""
    answer = running.enroll({"plain_left_four": files["four"]}).json()
    (flag,) = answer["flags"]
    assert (flag["code"], flag["fingers"], flag["score"]) == ("other_hand", [14], None)
    assert "looks like the other hand" in flag["advice"]
    rows = running.ask(Role.AUDITOR, "GET", "/audit", params={"limit": 1000}).json()
    assert "other_hand" in json.dumps(rows)


def test_a_swapped_finger_is_flagged_however_often_the_post_is_repeated(
    running: Running, files: Mapping[str, bytes], single: Mapping[int, bytes]
) -> None:
    """Plain index and middle came under each other's names; a remembered answer says so as well."""
    images = {"13": files["four"], "right_index": single[3], "right_middle": single[2]}
    answers = [running.enroll(images, key="swapped").json() for _ in range(2)]
    assert answers[0] == answers[1]
    (flag,) = answers[0]["flags"]
    assert (flag["code"], flag["fingers"]) == ("swapped_fingers", [2, 3])
    assert flag["score"] >= 60
    files_again = {name: (f"{name}.png", data) for name, data in images.items()}
    headers = {"Idempotency-Key": "swapped", "Accept-Language": "nl"}
    dutch = running.ask(Role.DESK, "POST", "/desk/encounters", files=files_again, headers=headers).json()
    assert "(rechterwijsvinger, rechtermiddelvinger)" in dutch["flags"][0]["advice"]


def test_examiners_look_at_a_finger_of_a_slap(
    running: Running, files: Mapping[str, bytes], single: Mapping[int, bytes]
) -> None:
    """Cut out, at 500 ppi, as upright as it lay; the whole slap, too."""
    enrolled = running.enroll({"plain_right_four": files["three"]}, missing="4").json()
    found = running.enroll({"right_index": single[2]}).json()["candidates"]
    (link_id,) = (
        encounter["link_id"]
        for candidate in found
        if candidate["person_id"] == enrolled["person_id"]
        for encounter in candidate["encounters"]
    )
    file = running.ask(Role.EXAMINER, "GET", f"/examiner/links/{link_id}").json()
    encounter_id = enrolled["encounter_id"]
    shown = ["right_index", "right_middle", "right_little", "plain_right_four"]
    assert file["positions"][encounter_id] == shown
    address = f"/examiner/links/{link_id}/encounters/{encounter_id}/images"
    sizes = {}
    for position in shown:
        answer = running.ask(Role.EXAMINER, "GET", f"{address}/{position}")
        assert answer.status_code == 200, answer.text
        sizes[position] = Image.open(io.BytesIO(answer.content)).size
    assert sizes["plain_right_four"] == (1600, 1500)
    assert all(150 < sizes[finger][0] < 450 for finger in shown[:3])
    missing = running.ask(Role.EXAMINER, "GET", f"{address}/right_ring")
    assert missing.status_code == 404


def test_osia_takes_slaps(running: Running, files: Mapping[str, bytes]) -> None:
    """Under its own names; the fingers missing are read back as they were told."""
    body = {
        "status": "ACTIVE",
        "encounterType": "ENROL",
        "galleries": ["slaps"],
        "biometricData": [
            {
                "biometricType": "FINGER",
                "biometricSubType": "PLAIN_RIGHT_FOUR_FINGERS",
                "image": base64.b64encode(files["three"]).decode(),
                "missing": [{"biometricSubType": "RIGHT_RING", "presence": "BANDAGED"}],
            }
        ],
    }
    transaction = {"transactionId": "t-1"}
    created = running.ask(Role.DESK, "POST", "/v1/persons", json=body, params=transaction)
    assert created.status_code == 200, created.text
    told = created.json()["others"]
    assert [finger["biometricSubType"] for finger in told["fingers"]] == [
        "RIGHT_INDEX",
        "RIGHT_MIDDLE",
        "RIGHT_LITTLE",
    ]
    assert told["flags"] == []
    address = f"/v1/persons/{created.json()['personId']}/encounters/{created.json()['encounterId']}"
    (picture,) = running.ask(Role.DESK, "GET", address, params=transaction).json()["biometricData"]
    assert picture["biometricSubType"] == "PLAIN_RIGHT_FOUR_FINGERS"
    assert [each["biometricSubType"] for each in picture["missing"]] == ["RIGHT_RING"]


def test_a_manifest_names_slaps_and_missing_fingers(
    call: Call, files: Mapping[str, bytes], single: Mapping[int, bytes], tmp_path: Path
) -> None:
    """One encounter; what does not fit is told in a line that begins with `check`."""
    for name, data in {"slap": files["three"], "index": single[2], "middle": single[3]}.items():
        (tmp_path / name).write_bytes(data)
    manifest = tmp_path / "people.csv"
    manifest.write_text(
        'path,person,position,missing\nslap,P1,13,"right_ring"\nindex,P1,3,\nmiddle,P1,right_index,\n'
    )
    called = call("enroll", "--manifest", manifest)
    assert called.code == DONE, called.err
    assert "enrolled  P1" in called.out
    assert "fingers 3" in called.out
    assert "check     P1  right_index and right_middle are swapped" in called.err
    assert "[swapped_fingers]" in called.err


def test_a_transaction_carries_slaps_and_missing_fingers(
    call: Call, files: Mapping[str, bytes], single: Mapping[int, bytes], tmp_path: Path
) -> None:
    """Types 14 with field 14.018; the single print of a finger counts, and agrees with the slap."""
    pictures = ((_RIGHT, files["three"], (_RING,)), (FingerPosition.RIGHT_INDEX, single[2], ()))
    records = []
    for idc, (position, data, missing) in enumerate(pictures, start=1):
        header = inspect_header(data)
        kind = "WSQ20" if position is _RIGHT else "PNG"
        size = (header.width_px, header.height_px)
        image = FingerImage(idc, position, ImpressionType.LIVE_PLAIN, *size, 500, kind, data, missing)
        records.append(type_14(image, source="NOBODY", captured_on=_AT.date()))
    heading = Heading("TEST", "NOBODY", "NOBODY", "1", _AT, ("TENPRINT-TEST", "1"))
    path = tmp_path / "anna_1.an2"
    path.write_bytes(encode(Transaction(type_1(heading), (type_2(()), *records))))
    report = call("enroll", path, "--json").document
    assert (report["person_id"], report["fingers"], report["flags"]) == ("anna", 3, [])


def test_a_probe_may_be_a_slap(call: Call, files: Mapping[str, bytes], tmp_path: Path) -> None:
    """`tenprint identify` with --position and --missing: three fingers are searched together."""
    for name in ("four", "three"):
        (tmp_path / name).write_bytes(files[name])
    manifest = tmp_path / "people.csv"
    manifest.write_text("path,person,position\nfour,P1,13\n")
    assert call("enroll", "--manifest", manifest).code == DONE
    answer = call("identify", tmp_path / "three", "--position", "13", "--missing", "4", "--json").document
    (candidate,) = answer["candidates"]
    assert candidate["person_id"] == "P1"
    assert sorted(candidate["fingers"]) == ["right_index", "right_little", "right_middle"]


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.skipif(not _REAL.is_dir(), reason=f"no folder {_REAL.name} of reference transactions")
def test_every_finger_of_a_real_card_agrees_with_its_slap(call: Call) -> None:
    """Ten rolled prints and ten cut out of four slaps: each pair is confirmed, and none is called another."""
    report = call("enroll", _REAL / "type-14-tpcard-nqm.an2", "--json").document
    assert (report["fingers"], report["failures"], report["flags"]) == (10, [], [])
