"""The desk: images in, quality and candidates out, once however often it is sent."""

from __future__ import annotations

import threading
import uuid

import pytest
from running_service import KNOWN, OTHER, STRANGER, Running, blank_picture, picture

from api import chores
from api.service import Service
from matcher.codes import FingerPosition


def test_enrolled_person_is_found_at_the_next_desk(running: Running, known: str) -> None:
    """Another capture of the same finger, without a name, suggests the person."""
    answer = running.enroll({"left_ring": picture(KNOWN, 2, FingerPosition.LEFT_RING)}).json()
    best = answer["candidates"][0]
    assert best["person_id"] == known
    assert best["suggested"]
    assert best["standing"] == "undecided"
    assert best["encounters"][0]["link_id"]
    assert answer["gallery_size"] >= 1


def test_stranger_gets_a_file_and_no_candidate(running: Running, known: str) -> None:
    """Nobody is suggested for somebody who was never there."""
    answer = running.enroll({"right_index": picture(STRANGER)}, key="the-stranger").json()
    assert answer["person_id"] != known
    assert answer["candidates"] == []
    (finger,) = answer["fingers"]
    assert finger["position"] == 2
    assert 0 <= finger["quality"] <= 100
    assert finger["minutiae"] > 10


def test_answer_does_not_wait_for_the_gallery(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """It follows once the answer has left; the next search finds the person even where it has not yet."""
    following, go_on = threading.Event(), threading.Event()

    def hold_up(_service: Service) -> None:
        following.set()
        go_on.wait(60)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(chores, "_follow", hold_up)
    position = FingerPosition.LEFT_MIDDLE
    first = running.enroll({"left_middle": picture(OTHER, 1, position)}, key="held up")
    assert first.status_code == 200
    assert following.wait(10)
    monkeypatch.undo()
    again = running.enroll({"left_middle": picture(OTHER, 2, position)}).json()
    go_on.set()
    assert again["candidates"][0]["person_id"] == first.json()["person_id"]


def test_repeat_with_the_same_key_is_done_once(running: Running) -> None:
    """The network may fail after the commit: the same post gives the same answer."""
    key = uuid.uuid4().hex
    first = running.enroll({"right_index": picture(KNOWN)}, key=key, purpose="asylum")
    again = running.enroll({"right_index": picture(KNOWN)}, key=key, purpose="asylum")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()


def test_key_of_another_request_is_refused(running: Running) -> None:
    """A key stands for one request only."""
    key = uuid.uuid4().hex
    assert running.enroll({"right_index": picture(KNOWN)}, key=key, purpose="asylum").status_code == 200
    answer = running.enroll({"right_index": picture(KNOWN)}, key=key, purpose="residence")
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflicting_record"


def test_claim_is_compared_with_its_file(running: Running, known: str) -> None:
    """Who claims to be somebody known is told apart from who is suggested."""
    answer = running.enroll({"right_index": picture(KNOWN, 2)}, person_id=known).json()
    assert answer["claim"]["person_id"] == known
    assert answer["claim"]["matches"] is True


def test_category_queues_the_export(running: Running) -> None:
    """The reference number comes with the acknowledgement."""
    answer = running.enroll({"right_index": picture(KNOWN)}, category="1").json()
    assert answer["reference_number"]


def test_blank_finger_is_a_failure_with_advice_not_an_error(running: Running) -> None:
    """One bad finger does not lose the others."""
    images = {"right_index": picture(KNOWN), "left_index": blank_picture()}
    answer = running.enroll(images)
    assert answer.status_code == 200
    failed = next(finger for finger in answer.json()["fingers"] if finger["position"] == 7)
    assert failed["failure"]
    assert failed["advice"]


def test_person_without_any_print_is_not_stored(running: Running) -> None:
    """What could never be found again is refused, with advice."""
    answer = running.enroll({"left_index": blank_picture()})
    assert answer.status_code == 422
    assert answer.json()["code"] == "failure_to_enroll"


@pytest.mark.parametrize(
    ("images", "fields", "status", "code"),
    [
        ({}, {"ppi": "500"}, 422, "invalid_request"),
        ({"right_index": b""}, {}, 422, "unsupported_format"),
        ({"right_index": b"no image at all"}, {}, 422, "unsupported_format"),
        ({"right_indx": b"x"}, {}, 422, "invalid_request"),
        ({"right_index": b"x", "2": b"x"}, {}, 422, "invalid_request"),
        ({"plain_right_four": b"x"}, {"missing": "left_four"}, 422, "invalid_request"),
        ({"plain_right_four": blank_picture()}, {}, 422, "failure_to_enroll"),
        ({"plain_right_four": blank_picture()}, {"missing": "2,3,4,5"}, 422, "no_slap"),
        ({"right_index": blank_picture()}, {"missing": "right_index"}, 422, "invalid_request"),
        ({"right_index": b"x"}, {"pii": "500"}, 422, "invalid_request"),
        ({"right_index": b"x"}, {"ppi": "five hundred"}, 422, "invalid_request"),
        ({"right_index": b"x"}, {"impression": "stamped"}, 422, "invalid_request"),
        ({"right_index": b"x" * 400_001}, {}, 413, "body_too_large"),
        ({f"{number}": b"x" for number in range(15)}, {}, 413, "body_too_large"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
def test_unusable_post_is_refused_with_its_reason(
    running: Running, images: dict[str, bytes], fields: dict[str, str], status: int, code: str
) -> None:
    """Each says what to correct."""
    answer = running.enroll(images, **fields) if images else running.enroll({"ppi": b"500"}, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "fields",
    [
        {"captured_at": "yesterday"},
        {"captured_at": "2026-11-23T09:00:00"},
        {"person_id": "a b"},
        {"category": "x"},
    ],
)
def test_unusable_field_beside_a_good_image_is_refused(running: Running, fields: dict[str, str]) -> None:
    """A good print does not excuse a field nobody can read."""
    assert running.enroll({"right_index": picture(KNOWN)}, **fields).status_code == 422


def test_ppi_against_the_file_is_refused(running: Running) -> None:
    """A wrong scale would be a silent non-match."""
    answer = running.enroll({"right_index": picture(KNOWN)}, ppi="1000")
    assert answer.json()["code"] == "unknown_resolution"
