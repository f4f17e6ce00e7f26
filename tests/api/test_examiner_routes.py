"""Examiners: what is suggested waits, what is decided shows everywhere, what is withdrawn was never lost."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from PIL import Image
from running_service import KNOWN, Running, picture

from api.roles import Role


@pytest.fixture
def link(running: Running, known: str) -> dict[str, Any]:
    """A fresh suggestion between a new file and one of those that hold the same finger."""
    del known
    answer = running.enroll({"right_index": picture(KNOWN, 2)}).json()
    candidate = answer["candidates"][0]
    return {
        "link_id": candidate["encounters"][0]["link_id"],
        "encounter_id": answer["encounter_id"],
        **answer,
    }


def _decide(running: Running, link_id: str, judgement: str = "same") -> dict[str, Any]:
    body = {"judgement": judgement, "reason": "whorl, 14 points agree"}
    answer = running.ask(Role.EXAMINER, "POST", f"/examiner/links/{link_id}/decisions", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_suggestion_is_on_the_work_list_until_decided(running: Running, link: dict[str, Any]) -> None:
    """The list of undecided links is the examiner's work."""
    waiting = {"standing": "undecided", "person_id": link["person_id"]}
    page = running.ask(Role.EXAMINER, "GET", "/examiner/links", params=waiting).json()
    assert link["link_id"] in [each["link"]["link_id"] for each in page["links"]]
    assert _decide(running, link["link_id"])["standing"] == "confirmed"
    page = running.ask(Role.EXAMINER, "GET", "/examiner/links", params=waiting).json()
    assert link["link_id"] not in [each["link"]["link_id"] for each in page["links"]]


def test_decision_is_signed_with_the_keys_name(running: Running, link: dict[str, Any]) -> None:
    """Who decided, when and why is in the ledger."""
    decision = _decide(running, link["link_id"], "different")["link"]["decision"]
    assert decision["examiner"].startswith("test examiner (")
    assert decision["reason"] == "whorl, 14 points agree"


def test_withdrawal_restores_what_held_before(running: Running, link: dict[str, Any]) -> None:
    """Nothing is deleted: the history has both rows."""
    _decide(running, link["link_id"])
    body = {"reason": "wrong finger compared"}
    address = f"/examiner/links/{link['link_id']}"
    answer = running.ask(Role.EXAMINER, "POST", f"{address}/withdrawals", json=body)
    assert answer.json()["standing"] == "undecided"
    assert running.ask(Role.EXAMINER, "POST", f"{address}/withdrawals", json=body).status_code == 409
    history = running.ask(Role.EXAMINER, "GET", address).json()["history"]
    assert [entry["judgement"] for entry in history] == ["same", None]


def test_both_prints_of_a_link_can_be_looked_at(running: Running, link: dict[str, Any]) -> None:
    """As PNG, with the resolution, and logged."""
    file = running.ask(Role.EXAMINER, "GET", f"/examiner/links/{link['link_id']}").json()
    assert set(file["positions"]) == {file["link"]["left"], file["link"]["right"]}
    for encounter_id, positions in file["positions"].items():
        address = f"/examiner/links/{link['link_id']}/encounters/{encounter_id}/images/{positions[0]}"
        answer = running.ask(Role.EXAMINER, "GET", address)
        assert answer.headers["content-type"] == "image/png"
        assert round(Image.open(io.BytesIO(answer.content)).info["dpi"][0]) == 500


def test_a_link_tells_why_its_prints_are_alike(running: Running, link: dict[str, Any]) -> None:
    """Pairs, motion, evidence and interval of one finger; a finger that is not on both sides is not there."""
    address = f"/examiner/links/{link['link_id']}/comparisons"
    told = running.ask(Role.EXAMINER, "GET", f"{address}/right_index").json()
    assert told["score"] > 40.0
    assert told["interval"][0] <= told["score"]
    assert len(told["pairs"]) > 10
    assert set(told["pairs"][0]) == {"probe", "reference", "apart_px", "kinds"}
    assert set(told["pairs"][0]["kinds"]) <= {"ending", "bifurcation", "other"}
    assert len(told["region"]["probe"]) == len(told["region"]["reference"]) > 3
    assert -180.0 <= told["turn_deg"] <= 180.0
    assert running.ask(Role.EXAMINER, "GET", f"{address}/left_little").status_code == 404
    assert running.ask(Role.DESK, "GET", f"{address}/right_index").status_code == 403


def test_prints_of_nobody_else_can_be_looked_at(running: Running, link: dict[str, Any]) -> None:
    """A link opens its two encounters, not the store."""
    other = running.enroll({"right_index": picture(KNOWN)}).json()["encounter_id"]
    address = f"/examiner/links/{link['link_id']}/encounters/{other}/images/right_index"
    assert running.ask(Role.EXAMINER, "GET", address).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"judgement": "same"}, {"judgement": "perhaps", "reason": "x"}, {"judgement": "same", "reason": ""}],
)
def test_incomplete_decision_is_refused(running: Running, link: dict[str, Any], body: dict[str, str]) -> None:
    """No decision without judgement and reason."""
    answer = running.ask(Role.EXAMINER, "POST", f"/examiner/links/{link['link_id']}/decisions", json=body)
    assert answer.status_code == 422


def test_unknown_link_is_said_to_be_unknown(running: Running) -> None:
    """A typing error is a 404 with its own code."""
    answer = running.ask(
        Role.EXAMINER,
        "POST",
        f"/examiner/links/{uuid.uuid4()}/decisions",
        json={"judgement": "same", "reason": "x"},
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_link")


def test_pages_follow_one_another(running: Running, link: dict[str, Any]) -> None:
    """`next` leads through the list without repeating or leaving out."""
    del link
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = running.ask(
            Role.EXAMINER, "GET", "/examiner/links", params={"after": after, "limit": 2}
        ).json()
        seen += [each["link"]["link_id"] for each in page["links"]]
        after = page["next"]
    assert len(set(seen)) == len(seen) >= 1
