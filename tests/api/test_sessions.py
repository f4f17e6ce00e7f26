"""Capture sessions over HTTP: real pictures are judged, nothing is stored, every step is logged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from running_service import OTHER, Running, blank_picture, picture

from api.roles import Role

#: What two earlier attempts might have been told: a weak index finger both times.
_WEAK = [{"2": 3}, {"2": 1}]


def _attempt(running: Running, images: Mapping[str, bytes], **fields: str) -> httpx.Response:
    files = {name: (f"{name}.png", data) for name, data in images.items()}
    return running.ask(Role.DESK, "POST", "/desk/attempts", files=files, data=fields)


def _answer(running: Running, images: Mapping[str, bytes], **fields: str) -> dict[str, Any]:
    answer = _attempt(running, images, **fields)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_good_print_is_accepted_at_once(running: Running) -> None:
    """With its value, what measured it, and nothing to do again."""
    answer = _answer(running, {"right_index": picture(OTHER)}, kind="plain_enrol")
    assert answer["verdict"] == {"step": "accept", "attempt": 1, "below": [], "attempts_left": 0}
    assert answer["attempt"]["2"] >= 30
    assert len(answer["algorithms"]) == 1
    assert answer["flags"] == []


def test_a_blank_print_is_captured_again_with_advice(running: Running) -> None:
    """The finger, its least value, what to do, and how many attempts are left."""
    answer = _answer(running, {"right_index": blank_picture()}, kind="rolled")
    assert answer["attempt"] == {"2": None}
    assert answer["verdict"] == {
        "step": "retake",
        "attempt": 1,
        "below": [{"position": 2, "value": None, "least": 15}],
        "attempts_left": 2,
    }
    assert answer["fingers"][0]["advice"]


def test_answers_of_a_session_lead_to_the_best_attempt(running: Running) -> None:
    """What was told is sent along: after the third blank glass the second attempt has to do."""
    first = _answer(running, {"2": blank_picture()}, kind="plain_enrol")["attempt"]
    earlier = json.dumps([first, {"2": 7}])
    answer = _answer(running, {"2": blank_picture()}, kind="plain_enrol", earlier=earlier)
    assert (answer["verdict"]["step"], answer["verdict"]["attempt"]) == ("best_of_attempts", 2)
    assert (
        _attempt(running, {"2": blank_picture()}, kind="rolled", earlier=json.dumps([first] * 3)).json()[
            "code"
        ]
        == "invalid_session"
    )


def test_an_override_is_logged_with_its_reason(running: Running) -> None:
    """Who, what, which attempts and why."""
    answer = _answer(
        running,
        {"right_index": blank_picture()},
        kind="plain_enrol",
        earlier=json.dumps(_WEAK),
        reason="bandage that stays",
    )
    assert (answer["verdict"]["step"], answer["verdict"]["attempt"]) == ("override", 1)
    rows: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = running.ask(Role.AUDITOR, "GET", "/audit", params={"after": after}).json()
        rows, after = [*rows, *page["entries"]], page["next"]
    logged = [row for row in rows if row["action"] == "capture" and row["outcome"] == "override"]
    assert logged[-1]["asked"]["reason"] == "bandage that stays"
    assert logged[-1]["asked"]["attempts"] == [*_WEAK, {"2": None}]


def test_an_attempt_stores_nobody(running: Running) -> None:
    """The same finger, enrolled afterwards, is not found as somebody who came before."""
    before = running.client.get("/metrics").text
    _answer(running, {"left_ring": picture(OTHER)}, kind="plain_control")
    counters = [line for line in before.splitlines() if "encounters" in line and not line.startswith("#")]
    assert counters
    assert all(line in running.client.get("/metrics").text for line in counters)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "invalid_request"),
        ({"kind": "latent"}, "invalid_request"),
        ({"kind": "rolled", "earlier": "[{]"}, "invalid_request"),
        ({"kind": "rolled", "earlier": '[{"77": 5}]'}, "invalid_request"),
        ({"kind": "rolled", "earlier": '[{"2": 101}]'}, "invalid_request"),
        ({"kind": "rolled", "earlier": "[{}]"}, "invalid_session"),
        ({"kind": "rolled", "reason": "x" * 501}, "invalid_session"),
    ],
)
def test_what_is_no_session_is_refused(running: Running, fields: dict[str, str], code: str) -> None:
    """With the reason, whatever the pictures are."""
    answer = _attempt(running, {"right_index": blank_picture()}, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
