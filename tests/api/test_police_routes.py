"""Police: yes, no or cannot say, never without a legal ground, and no more than needed."""

from __future__ import annotations

import pytest
from running_service import GROUND, KNOWN, STRANGER, Running, picture

from api.roles import Role
from matcher.codes import FingerPosition


def test_the_claimed_person_is_confirmed(running: Running, known: str) -> None:
    """Another capture of the same finger matches."""
    answer = running.police("verify", {"right_index": picture(KNOWN, 2)}, person_id=known)
    assert answer.status_code == 200, answer.text
    assert answer.json()["decision"] == "match"


def test_somebody_else_is_not_confirmed(running: Running, known: str) -> None:
    """A stranger who claims to be the person does not match."""
    answer = running.police("verify", {"right_index": picture(STRANGER)}, person_id=known)
    assert answer.json()["decision"] == "no_match"


def test_an_unknown_person_cannot_be_told_from_one_without_that_finger(running: Running, known: str) -> None:
    """The question does not reveal who is in the register."""
    unknown = running.police("verify", {"right_index": picture(KNOWN, 2)}, person_id="nobody").json()
    other_finger = running.police("verify", {"left_little": picture(KNOWN, 2)}, person_id=known).json()
    assert unknown["decision"] == other_finger["decision"] == "inconclusive"
    assert unknown["advice"] == other_finger["advice"]


def test_identification_names_the_person_and_nothing_else(running: Running, known: str) -> None:
    """Person ids, bands and standing; no score, image or encounter."""
    answer = running.police("identify", {"left_ring": picture(KNOWN, 2, FingerPosition.LEFT_RING)}).json()
    assert known in [candidate["person_id"] for candidate in answer["candidates"]]
    assert set(answer["candidates"][0]) == {"person_id", "rank", "band", "standing", "same_as"}


def test_stranger_is_not_identified(running: Running, known: str) -> None:
    """No candidate below the threshold leaves."""
    # Other tests may enrol the stranger's right index; this finger stays his own.
    del known
    answer = running.police("identify", {"left_index": picture(STRANGER)}).json()
    assert answer["candidates"] == []


@pytest.mark.parametrize("missing", GROUND)
def test_question_without_ground_is_refused(running: Running, known: str, missing: str) -> None:
    """All four are needed, and the sentence names what lacks."""
    answer = running.police("verify", {"right_index": picture(KNOWN, 2)}, person_id=known, **{missing: " "})
    assert answer.status_code == 422
    assert answer.json()["code"] == "missing_legal_ground"
    assert missing in answer.json()["detail"]


def test_question_is_in_the_audit_log_with_its_ground(running: Running, known: str) -> None:
    """Who asked, why, on what ground, in which file, and what came back."""
    running.police("verify", {"right_index": picture(KNOWN, 2)}, person_id=known, file_number="AUDITED-7")
    page = running.ask(Role.AUDITOR, "GET", "/audit", params={"file_number": "AUDITED-7"}).json()
    (entry,) = page["entries"]
    assert entry["authority"] == GROUND["authority"]
    assert entry["legal_basis"] == GROUND["legal_basis"]
    assert entry["role"] == "police"
    assert entry["software"].startswith("tenprint/")
    assert known not in str(page), "the log holds keyed hashes of ids"
    about = running.ask(Role.AUDITOR, "GET", "/audit", params={"about": known, "limit": 1000}).json()
    assert entry in about["entries"]
    assert all(row["returned"] == entry["returned"] or row["asked"] for row in about["entries"])
