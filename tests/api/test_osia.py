"""OSIA ABIS 1.6.0: addresses, names, bodies and status codes as the standard has them."""

from __future__ import annotations

import base64
import io
import uuid
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from running_service import KNOWN, OTHER, STRANGER, Running, blank_picture, picture

from api.roles import Role
from matcher.codes import FingerPosition

_THUMB = FingerPosition.LEFT_THUMB


def _finger(data: bytes, subtype: str = "LEFT_THUMB", **more: Any) -> dict[str, Any]:
    return {
        "biometricType": "FINGER",
        "biometricSubType": subtype,
        "image": base64.b64encode(data).decode(),
        "resolution": 500,
        "compression": "PNG",
        "impressionType": "LIVE_SCAN_PLAIN",
        **more,
    }


def _encounter(
    *fingers: dict[str, Any], galleries: tuple[str, ...] = ("osia",), **more: Any
) -> dict[str, Any]:
    return {
        "status": "ACTIVE",
        "encounterType": "ENROL",
        "galleries": list(galleries),
        "biometricData": list(fingers),
        **more,
    }


def _ask(running: Running, method: str, address: str, **more: Any) -> httpx.Response:
    params = {"transactionId": "t-1", **more.pop("params", {})}
    return running.ask(Role.DESK, method, f"/v1{address}", params=params, **more)


def _create(running: Running, body: dict[str, Any]) -> dict[str, Any]:
    answer = _ask(running, "POST", "/persons", json=body)
    assert answer.status_code == 200, answer.text
    ids: dict[str, Any] = answer.json()
    return ids


@pytest.fixture
def gallery() -> str:
    """A gallery of the test's own, so that no other test's people are in it."""
    return f"g-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def person(running: Running, gallery: str) -> dict[str, Any]:
    """A person with one thumb in the test's gallery."""
    return _create(running, _encounter(_finger(picture(KNOWN, 1, _THUMB)), galleries=(gallery,)))


def test_what_was_created_is_read_back(running: Running, gallery: str) -> None:
    """The image's bytes, the client's data and the descriptions come back as they were."""
    image = picture(KNOWN, 1, _THUMB)
    body = _encounter(
        _finger(image, captureDate="2026-11-20T09:00:00Z"),
        galleries=(gallery, f"{gallery}-2"),
        clientData=base64.b64encode(b"theirs").decode(),
        contextualData={"site": "Belliard"},
        biographicData={"dateOfBirth": "1990-01-01"},
    )
    ids = _create(running, body)
    assert ids["others"]["fingers"][0]["quality"] > 0
    address = f"/persons/{ids['personId']}/encounters/{ids['encounterId']}"
    read = _ask(running, "GET", address).json()
    assert read["encounterId"] == ids["encounterId"]
    assert set(read["galleries"]) == {gallery, f"{gallery}-2"}
    assert read["clientData"] == body["clientData"]
    assert read["contextualData"] == body["contextualData"]
    assert read["biographicData"] == body["biographicData"]
    (finger,) = read["biometricData"]
    assert base64.b64decode(finger["image"]) == image
    assert (finger["biometricSubType"], finger["resolution"], finger["compression"]) == (
        "LEFT_THUMB",
        500,
        "PNG",
    )
    assert finger["impressionType"] == "LIVE_SCAN_PLAIN"
    assert finger["captureDate"] == "2026-11-20T09:00:00Z"
    assert None not in read.values()


def test_all_encounters_of_a_person_are_read(running: Running, person: dict[str, Any]) -> None:
    """A second encounter under an id of the caller's, oldest first."""
    body = _encounter(_finger(picture(KNOWN, 2, _THUMB)))
    second = f"e-{uuid.uuid4()}"
    created = _ask(running, "POST", f"/persons/{person['personId']}/encounters/{second}", json=body)
    assert created.json()["encounterId"] == second
    read = _ask(running, "GET", f"/persons/{person['personId']}/encounters").json()
    assert [each["encounterId"] for each in read] == [person["encounterId"], second]


def test_encounter_id_that_exists_is_a_conflict(running: Running, person: dict[str, Any]) -> None:
    """409, as the standard says, and nothing changes."""
    body = _encounter(_finger(picture(OTHER, 1, _THUMB)))
    address = f"/persons/{person['personId']}/encounters/{person['encounterId']}"
    assert _ask(running, "POST", address, json=body).status_code == 409


def test_person_is_created_with_the_first_encounter(running: Running) -> None:
    """The operation createEncounterNoId opens the person file it is given."""
    person_id = f"p-{uuid.uuid4()}"
    body = _encounter(_finger(picture(KNOWN, 1, _THUMB)))
    answer = _ask(running, "POST", f"/persons/{person_id}/encounters", json=body)
    assert answer.json()["personId"] == person_id


def test_deleted_encounter_is_gone_for_reading_and_searching(
    running: Running, gallery: str, person: dict[str, Any]
) -> None:
    """204, then 404; no search returns it."""
    address = f"/persons/{person['personId']}/encounters/{person['encounterId']}"
    assert _ask(running, "DELETE", address).status_code == 204
    assert _ask(running, "GET", address).status_code == 404
    assert _ask(running, "DELETE", address).status_code == 404
    found = _ask(running, "POST", "/identify/ALL", json=_search(picture(KNOWN, 2, _THUMB))).json()
    assert person["personId"] not in [candidate["personId"] for candidate in found]


def test_deleted_person_is_gone(running: Running, person: dict[str, Any]) -> None:
    """The operation deleteAll takes every encounter."""
    assert _ask(running, "DELETE", f"/persons/{person['personId']}").status_code == 204
    assert _ask(running, "GET", f"/persons/{person['personId']}/encounters").status_code == 404


def _search(*images: bytes) -> dict[str, Any]:
    return {"filter": {}, "biometricData": [_finger(image) for image in images]}


def test_identification_finds_the_person_in_the_gallery(
    running: Running, gallery: str, person: dict[str, Any]
) -> None:
    """Rank 1, a score with its comparisons, and the threshold it was judged by."""
    answer = _ask(running, "POST", f"/identify/{gallery}", json=_search(picture(KNOWN, 2, _THUMB)))
    (candidate,) = answer.json()
    assert (candidate["personId"], candidate["rank"]) == (person["personId"], 1)
    assert candidate["score"] >= candidate["others"]["threshold"]
    assert candidate["others"]["gallerySize"] == 1
    assert candidate["scores"][0]["encounterId"] == person["encounterId"]
    assert candidate["scores"][1]["biometricSubType"] == "LEFT_THUMB"


def test_stranger_is_not_identified(running: Running, gallery: str, person: dict[str, Any]) -> None:
    """An empty list, not the least dissimilar person."""
    del person
    answer = _ask(running, "POST", f"/identify/{gallery}", json=_search(picture(STRANGER, 1, _THUMB)))
    assert answer.json() == []


def test_unknown_gallery_is_said_to_be_unknown(running: Running) -> None:
    """404, not an empty candidate list."""
    answer = _ask(running, "POST", "/identify/nonesuch", json=_search(picture(KNOWN, 2, _THUMB)))
    assert answer.status_code == 404


def test_verification_against_the_person(running: Running, gallery: str, person: dict[str, Any]) -> None:
    """True for another capture, false for a stranger, 404 in a gallery without the person."""
    address = f"/verify/{gallery}/{person['personId']}"
    body = {"biometricData": [_finger(picture(KNOWN, 2, _THUMB))]}
    assert _ask(running, "POST", address, json=body).json()["decision"] is True
    body = {"biometricData": [_finger(picture(STRANGER, 1, _THUMB))]}
    assert _ask(running, "POST", address, json=body).json()["decision"] is False
    assert _ask(running, "POST", f"/verify/{gallery}/nobody", json=body).status_code == 404


def test_verification_of_two_sets(running: Running) -> None:
    """Nothing is stored for it, and nothing in common is no match without scores."""
    one, other = _finger(picture(KNOWN, 1, _THUMB)), _finger(picture(KNOWN, 2, _THUMB))
    body = {"biometricData1": [one], "biometricData2": [other]}
    answer = _ask(running, "POST", "/verify", json=body).json()
    assert answer["decision"] is True
    assert answer["scores"][0]["score"] > 40
    body["biometricData2"] = [other | {"biometricSubType": "RIGHT_RING"}]
    assert _ask(running, "POST", "/verify", json=body).json() == {"decision": False, "scores": []}


def test_galleries_are_listed(running: Running, gallery: str, person: dict[str, Any]) -> None:
    """By name."""
    del person
    assert gallery in _ask(running, "GET", "/galleries").json()


def test_raw_pixels_are_accepted_with_their_layout(running: Running) -> None:
    """Compression NONE needs width, height and resolution."""
    pixels = np.asarray(Image.open(io.BytesIO(picture(KNOWN, 1, _THUMB))))
    height, width = pixels.shape
    raw = _finger(pixels.tobytes(), compression="NONE", width=width, height=height, bitdepth=8)
    ids = _create(running, _encounter(raw))
    read = _ask(running, "GET", f"/persons/{ids['personId']}/encounters/{ids['encounterId']}").json()
    assert read["biometricData"][0]["compression"] == "NONE"
    del raw["width"]
    assert _ask(running, "POST", "/persons", json=_encounter(raw)).status_code == 400


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"status": "SLEEPING"}, "status"),
        ({"galleries": []}, "galleries"),
        ({"galleries": ["a", "a"]}, "galleries"),
        ({"unknown": 1}, "unknown"),
        ({"biometricData": []}, "no image"),
        ({"biometricData": [{"biometricType": "FACE"}]}, "fingers only"),
        ({"biometricData": [{"biometricType": "FINGER"}]}, "base64"),
        ({"biometricData": [_finger(b"x") | {"image": "no base64!"}]}, "base64"),
        ({"biometricData": [_finger(blank_picture(), "PLAIN_LEFT_FOUR_FINGERS")]}, "No finger is seen"),
        ({"biometricData": [_finger(b"x", "LEFT_FULL_PALM")]}, "single fingers"),
        ({"biometricData": [_finger(b"x", compression="JPEG")]}, "JPEG"),
        ({"biometricData": [_finger(b"x")]}, "image"),
        ({"biometricData": [_finger(blank_picture())]}, "template"),
        ({"clientData": "%%%"}, "clientData"),
        ({"encryption": {"type": "JWE", "scope": "$"}}, "TLS"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unusable_encounter_is_refused_in_osias_way(
    running: Running, change: dict[str, Any], says: str
) -> None:
    """400 with OSIA's code and message; the message says what to correct."""
    answer = _ask(running, "POST", "/persons", json=_encounter(_finger(b"x")) | change)
    assert answer.status_code == 400
    assert isinstance(answer.json()["code"], int)
    assert says in answer.json()["message"]


def test_transaction_id_is_required(running: Running) -> None:
    """400, and the sentence names the parameter."""
    answer = running.ask(Role.DESK, "GET", "/v1/galleries")
    assert answer.status_code == 400
    assert "transactionId" in answer.json()["message"]


def test_callback_is_refused_clearly(running: Running) -> None:
    """An asynchronous answer that never comes would be worse."""
    answer = _ask(running, "GET", "/galleries", params={"callback": "http://client.example/cb"})
    assert answer.status_code == 400
    assert "callback" in answer.json()["message"]


@pytest.mark.parametrize(
    "asked",
    [{"dateOfBirthMin": "1980-06-01"}, {"dateOfBirthMax": 1980}, {"gender": "X"}, {"nationality": "BEL"}],
)
def test_filter_that_would_be_ignored_is_refused(
    running: Running, gallery: str, person: dict[str, Any], asked: dict[str, Any]
) -> None:
    """A search that silently skips a filter answers another question."""
    del person
    body = _search(picture(KNOWN, 2, _THUMB)) | {"filter": asked}
    assert _ask(running, "POST", f"/identify/{gallery}", json=body).status_code == 400


def test_search_is_narrowed_by_gender_and_years_of_birth(running: Running, gallery: str) -> None:
    """Before the list is cut."""
    said = {"gender": "Female", "dateOfBirth": "1990-07-14"}
    thumb = _finger(picture(KNOWN, 1, _THUMB))
    _create(running, _encounter(thumb, galleries=(gallery,), biographicData=said))

    def found(**asked: object) -> bool:
        body = _search(picture(KNOWN, 2, _THUMB)) | {"filter": asked}
        answer = _ask(running, "POST", f"/identify/{gallery}", json=body)
        assert answer.status_code == 200
        return bool(answer.json())

    assert found(gender="F", dateOfBirthMin="1990-01-01", dateOfBirthMax="1990-12-31", biometricType="FINGER")
    assert not found(gender="M")
    assert not found(dateOfBirthMin="1991-01-01")
    assert not found(dateOfBirthMax="1989-12-31")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b"[]", b'{"filter": NaN}'])
def test_malformed_json_is_a_400(running: Running, body: bytes) -> None:
    """Whatever is sent as JSON, the answer says it cannot be read."""
    headers = {"Content-Type": "application/json"}
    answer = _ask(running, "POST", "/identify/ALL", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
