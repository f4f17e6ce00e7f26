"""The desk's main job: stored, searched, suggested, in one transaction."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from office import AT, DESK_KEY, EXAMINER, INDEX, MIDDLE, THRESHOLD, THUMB, Office, prints, visit
from pydantic import TypeAdapter
from stored_people import failure, with_picture

from enrollment import audit_log
from enrollment.encounter import Encounter
from enrollment.errors import ConflictingRecord
from workflow import eurodac_queue, identity
from workflow.desk_answer import DeskAnswer
from workflow.errors import FailureToEnroll, InvalidCategory
from workflow.links import Judgement, Origin, Standing
from workflow.registration import Repeat, register

ANSWER: TypeAdapter[DeskAnswer] = TypeAdapter(DeskAnswer)


def repeat(key: str = "k-desk/1", request_hash: str = "a" * 64) -> Repeat:
    """A request that may come twice."""
    return Repeat(key, request_hash, ANSWER.dump_json, ANSWER.validate_json)


def decide(office: Office, link_id: str | None, judgement: Judgement) -> None:
    """An examiner's word."""
    assert link_id is not None
    with office.database.transaction() as tx:
        identity.decide(tx, link_id, judgement, EXAMINER, new_id=office.new_id)


def test_a_stranger_is_stored_and_not_suggested(office: Office) -> None:
    """Nobody is near, and the encounter is there with its person."""
    office.register(visit(1))
    answer = office.register(visit(2))
    assert (answer.candidates, answer.claim, answer.gallery_size, answer.complete) == ((), None, 1, True)
    with office.database.reading() as tx:
        assert office.records.persons_of(tx, ["e-2-0"]) == {"e-2-0": "p-2"}
        assert identity.search_links(tx) == []


def test_somebody_seen_before_is_suggested(office: Office) -> None:
    """A second capture under another name: the first file comes back, as an undecided link."""
    office.register(visit(1))
    office.register(visit(2))
    answer = office.register(visit(1, 1, person_id="p-new"))
    (candidate,) = answer.candidates
    assert (candidate.person_id, candidate.rank, candidate.standing) == ("p-1", 1, Standing.UNDECIDED)
    assert (candidate.suggested, candidate.claimed) == (True, False)
    assert candidate.score >= answer.threshold == THRESHOLD
    (entry,) = candidate.encounters
    assert [finger.position for finger in entry.fingers] == [THUMB, INDEX]
    with office.database.reading() as tx:
        (link,) = identity.search_links(tx)
    assert (link.link_id, link.origin, link.standing) == (entry.link_id, Origin.SEARCH, Standing.UNDECIDED)
    assert (link.score, link.threshold, link.gallery_size) == (entry.score, THRESHOLD, 2)
    assert (link.matcher, link.extractor) == ("tenprint/test", "test/1")


def test_the_very_next_search_finds_what_was_acknowledged(office: Office) -> None:
    """The gallery follows before it is searched."""
    answer = office.register(visit(1))
    found = office.searcher.search(prints(1, 1))
    assert found.as_of == answer.sequence
    assert [candidate.reference_id for candidate in found.suggestions] == ["e-1-0"]


def test_a_claim_is_compared_and_linked(office: Office) -> None:
    """Who says to be known is compared with that file; an examiner gets the link."""
    office.register(visit(1))
    answer = office.register(visit(1, 1))
    assert answer.claim is not None
    assert (answer.claim.person_id, answer.claim.encounter_id) == ("p-1", "e-1-0")
    assert answer.claim.matches is True
    (candidate,) = answer.candidates
    assert (candidate.person_id, candidate.claimed, candidate.standing) == ("p-1", True, Standing.UNDECIDED)
    with office.database.reading() as tx:
        (link,) = identity.search_links(tx)
    assert (link.link_id, link.origin) == (answer.claim.link_id, Origin.CLAIM)


def test_a_false_claim_is_stored_and_shown(office: Office) -> None:
    """The prints are somebody else's: no match, a link for an examiner, and the true file as candidate."""
    office.register(visit(1))
    office.register(visit(2))
    answer = office.register(visit(2, 1, person_id="p-1"))
    assert answer.claim is not None
    assert answer.claim.matches is False
    assert [candidate.person_id for candidate in answer.candidates] == ["p-2"]
    with office.database.reading() as tx:
        assert {link.origin for link in identity.search_links(tx, encounter_id="e-2-1")} == {
            Origin.CLAIM,
            Origin.SEARCH,
        }


def test_a_claim_without_a_common_finger_is_open(office: Office) -> None:
    """Nothing could be compared: neither match nor non-match."""
    office.register(visit(1, fingers=(THUMB,)))
    answer = office.register(visit(1, 1, fingers=(MIDDLE,)))
    assert answer.claim is not None
    assert (answer.claim.matches, answer.claim.score, answer.claim.encounter_id) == (None, None, "e-1-0")


@pytest.mark.parametrize(
    ("judgement", "standing"),
    [
        (Judgement.SAME, Standing.CONFIRMED),
        (Judgement.DIFFERENT, Standing.REFUSED),
        (Judgement.INCONCLUSIVE, Standing.INCONCLUSIVE),
    ],
)
def test_the_answer_shows_what_examiners_said_of_the_files(
    office: Office, judgement: Judgement, standing: Standing
) -> None:
    """Two files of one person, judged once: the third visit shows the judgement with the candidate."""
    office.register(visit(1))
    second = office.register(visit(1, 1, person_id="p-other"))
    decide(office, second.candidates[0].encounters[0].link_id, judgement)
    third = office.register(visit(1, 2, person_id="p-other"))
    standings = {candidate.person_id: candidate.standing for candidate in third.candidates}
    assert standings == {"p-1": standing, "p-other": Standing.UNDECIDED}


def test_near_candidates_are_shown_only_when_asked_for(office: Office) -> None:
    """Below the threshold nothing is suggested, and nothing is linked."""
    office.register(visit(1))
    quiet = office.register(visit(2))
    asked = office.register(visit(3), near=True)
    assert quiet.candidates == ()
    assert all(not candidate.suggested for candidate in asked.candidates)
    assert all(entry.link_id is None for candidate in asked.candidates for entry in candidate.encounters)
    with office.database.reading() as tx:
        assert identity.search_links(tx) == []


def test_a_capture_without_any_template_is_a_failure_to_enroll(office: Office) -> None:
    """Nothing is stored; every reason is told; the failure is counted in the log."""
    fingers = {position: failure(position) for position in (THUMB, INDEX)}
    with pytest.raises(FailureToEnroll, match=r"right_thumb: too_small.*right_index: too_small"):
        office.register(replace(visit(1), fingers=fingers))
    with pytest.raises(FailureToEnroll, match="at least one"):
        office.register(replace(visit(1), fingers={}))
    with office.database.reading() as tx:
        assert office.records.count(tx) == 0
        assert {row.outcome for row in audit_log.entries(tx)} == {"failure_to_enroll"}


def test_fingers_that_failed_are_told_beside_those_that_did_not(office: Office) -> None:
    """Quality and minutiae of one finger, reason and advice of the other."""
    encounter = visit(1, fingers=(THUMB,))
    both = {**encounter.fingers, INDEX: failure(INDEX)}
    thumb, index = office.register(replace(encounter, fingers=both)).fingers
    assert (thumb.position, thumb.quality, thumb.failure) == (1, 70, None)
    assert (index.position, index.quality, index.failure) == (2, None, "too_small")
    assert index.advice == "Press harder."


def test_pictures_are_kept(office: Office) -> None:
    """The original bytes are stored in the same act."""
    encounter, pictures = with_picture(visit(1), b"picture", INDEX)
    kept = office.records.keep_pictures(encounter.encounter_id, pictures)
    register(office.desk, encounter, kept, actor=DESK_KEY, at=AT, new_id=office.new_id)
    with office.database.reading() as tx:
        assert office.records.image(tx, "e-1-0", INDEX) == b"picture"


def test_everything_is_logged(office: Office) -> None:
    """Who registered whom, what the search saw and which files were named; no template."""
    office.register(visit(1))
    office.register(visit(1, 1, person_id="p-new", category="1"))
    with office.database.reading() as tx:
        first, second = audit_log.entries(tx)
    assert (first.actor, first.role, first.action, first.outcome) == (
        "k-desk",
        "desk",
        "register",
        "no_candidate",
    )
    hidden = office.database.audit.pseudonym
    assert (second.outcome, second.returned) == ("candidates", (hidden("p-1"),))
    assert second.asked["positions"] == [1, 2]
    assert (second.asked["encounter_id"], second.asked["gallery_size"]) == (hidden("e-1-1"), 1)


def test_a_category_puts_the_encounter_into_the_queue(office: Office) -> None:
    """The reference number is in the answer; without a category nothing is queued."""
    assert office.register(visit(1)).reference_number is None
    assert office.register(visit(2, category="1")).reference_number == "BE10000000001"
    with office.database.reading() as tx:
        assert [entry.encounter_id for entry in eurodac_queue.entries(tx)] == ["e-2-0"]


def test_a_refused_category_stores_nothing(office: Office) -> None:
    """All or nothing: no encounter, no link, no row in the queue."""
    office.register(visit(1))
    with pytest.raises(InvalidCategory):
        office.register(visit(1, 1, person_id="p-new", category="4"))
    with office.database.reading() as tx:
        assert office.records.count(tx) == 1
        assert identity.search_links(tx) == []


def test_an_encounter_id_is_used_once(office: Office) -> None:
    """A second registration under the same id is a conflict."""
    office.register(visit(1))
    with pytest.raises(ConflictingRecord):
        office.register(visit(1))


def test_the_same_request_twice_is_done_once(office: Office) -> None:
    """The remembered answer comes back whole; another request under the key is refused."""
    office.register(visit(1))
    first = office.register(visit(1, 1, person_id="p-new"), repeat=repeat())
    assert office.register(visit(1, 1, person_id="p-new"), repeat=repeat()) == first
    with pytest.raises(ConflictingRecord):
        office.register(visit(2), repeat=repeat(request_hash="b" * 64))
    with office.database.reading() as tx:
        assert office.records.count(tx) == 2


def test_two_desks_with_the_same_person_at_the_same_moment_see_each_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both search before either has stored; whoever commits second still gets the link."""
    both_have_searched = threading.Barrier(2, timeout=30)
    seal_beside = office.records.seal_beside

    def search_and_wait(*arguments: Any) -> Any:
        """Wait between search and transaction."""
        found = seal_beside(*arguments)
        both_have_searched.wait()
        return found

    monkeypatch.setattr(office.records, "seal_beside", search_and_wait)
    visits: list[Encounter] = [visit(1), visit(1, 1, person_id="p-new")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(office.register, visits))
    assert sorted(len(answer.candidates) for answer in answers) == [0, 1]
    with office.database.reading() as tx:
        (link,) = identity.search_links(tx)
    assert (link.left, link.right) == ("e-1-0", "e-1-1")


def test_many_desks_at_once_link_every_pair(office: Office) -> None:
    """Eight captures of one person from four threads: each pair is in the ledger exactly once."""
    visits = [visit(1, capture, person_id=f"p-{capture}") for capture in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(office.register, visits))
    with office.database.reading() as tx:
        pairs = {(link.left, link.right) for link in identity.search_links(tx)}
    assert len(pairs) == 8 * 7 // 2


def test_an_erased_candidate_is_not_named(office: Office) -> None:
    """The gallery forgets with the store."""
    office.register(visit(1))
    with office.database.transaction() as tx:
        office.records.erase(tx, "e-1-0")
    assert office.register(visit(1, 1, person_id="p-new")).candidates == ()
