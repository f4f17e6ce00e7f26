"""Police questions: grounds first, a log row before the answer, and no more than is needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from office import AT, EXAMINER, INDEX, MIDDLE, POLICE_KEY, THRESHOLD, THUMB, Office, prints, visit
from sqlalchemy import Connection

from enrollment import audit_log
from enrollment.encounter import EncounterStatus
from enrollment.record_writer import Amendment
from matcher.template import Tenprint
from workflow import audit, identity
from workflow.errors import MissingLegalGround
from workflow.legal_ground import LegalGround
from workflow.links import Judgement, Standing
from workflow.police import identify, verify
from workflow.police_answer import Band, Decision, Identification, Verification, band_of

GROUND = LegalGround(
    "ZP 5339", "identity check of a detained person", "Police Act art. 34", "BR.55.L1.1/2026"
)


def ask(office: Office, person_id: str, probe: Tenprint) -> Verification:
    """Verify the claim."""
    return verify(office.police, person_id, probe, GROUND, actor=POLICE_KEY, at=AT)


def who(office: Office, probe: Tenprint) -> Identification:
    """Identify the probe."""
    return identify(office.police, probe, GROUND, actor=POLICE_KEY, at=AT)


@pytest.mark.parametrize("missing", ["authority", "purpose", "legal_basis", "file_number"])
@pytest.mark.parametrize("value", [None, "", "  \t"])
def test_a_missing_ground_is_named(missing: str, value: str | None) -> None:
    """None, empty or blank: the refusal says which field."""
    given = {name: getattr(GROUND, name) for name in ("authority", "purpose", "legal_basis", "file_number")}
    with pytest.raises(MissingLegalGround, match=missing):
        LegalGround.of(**{**given, missing: value})


def test_all_missing_grounds_are_named_at_once() -> None:
    """Nobody has to ask four times."""
    with pytest.raises(MissingLegalGround, match="authority, purpose, legal_basis, file_number"):
        LegalGround.of(authority=None, purpose=None, legal_basis=None, file_number=None)


@pytest.mark.parametrize("value", ["x" * 129, "line\nbreak", "bell\x07"])
def test_unusable_grounds_are_refused(value: str) -> None:
    """Bounded and printable, because they stand in the log."""
    with pytest.raises(MissingLegalGround, match="file_number"):
        dataclasses.replace(GROUND, file_number=value)


def test_the_claimed_person_matches(office: Office) -> None:
    """A new capture of the person: match, with the threshold and what it claims."""
    office.register(visit(1))
    answer = ask(office, "p-1", prints(1, 1))
    assert (answer.decision, answer.standing) == (Decision.MATCH, Standing.UNDECIDED)
    assert answer.band is not Band.NONE
    assert answer.threshold == THRESHOLD
    assert answer.claimed_fmr == pytest.approx(10 ** (-THRESHOLD / 10))


def test_somebody_else_does_not_match(office: Office) -> None:
    """Prints of another known person: no match, and nothing about who it is."""
    office.register(visit(1))
    office.register(visit(2))
    answer = ask(office, "p-1", prints(2, 1))
    assert (answer.decision, answer.band) == (Decision.NO_MATCH, Band.LOW)
    assert "p-2" not in repr(answer)


def test_any_encounter_of_the_person_may_match(office: Office) -> None:
    """The file's second capture holds the finger that was taken now."""
    office.register(visit(1, fingers=(THUMB,)))
    office.register(visit(1, 1, fingers=(MIDDLE,)))
    assert ask(office, "p-1", prints(1, 2, (MIDDLE,))).decision is Decision.MATCH


def test_inactive_encounters_are_not_compared(office: Office) -> None:
    """What was taken out of service answers nothing."""
    office.register(visit(1))
    with office.database.transaction() as tx:
        office.records.amend(tx, "e-1-0", Amendment(status=EncounterStatus.INACTIVE))
    assert ask(office, "p-1", prints(1, 1)).decision is Decision.INCONCLUSIVE
    assert who(office, prints(1, 1)).candidates == ()


def test_an_unknown_person_answers_like_one_with_nothing_to_compare(office: Office) -> None:
    """The asker cannot learn who is in the register; the log tells the two apart."""
    office.register(visit(1, fingers=(THUMB,)))
    unknown = ask(office, "p-nobody", prints(1, 1, (MIDDLE,)))
    incomparable = ask(office, "p-1", prints(1, 1, (MIDDLE,)))
    assert dataclasses.replace(unknown, audit_sequence=0) == dataclasses.replace(
        incomparable, audit_sequence=0
    )
    assert unknown.decision is Decision.INCONCLUSIVE
    with office.database.reading() as tx:
        rows = audit_log.entries(tx)[-2:]
    assert [row.asked["person_known"] for row in rows] == [False, True]


def test_a_probe_without_a_template_is_inconclusive(office: Office) -> None:
    """Failures of all fingers: nothing to compare, logged all the same."""
    office.register(visit(1))
    assert ask(office, "p-1", {}).decision is Decision.INCONCLUSIVE


def test_identification_names_files_and_nothing_else(office: Office) -> None:
    """Person ids, ranks, bands, standings: no score, no encounter, no print."""
    office.register(visit(1))
    office.register(visit(2))
    answer = who(office, prints(2, 1))
    (candidate,) = answer.candidates
    assert (candidate.person_id, candidate.rank, candidate.standing) == ("p-2", 1, Standing.UNDECIDED)
    assert {field.name for field in dataclasses.fields(candidate)} == {
        "person_id",
        "rank",
        "band",
        "standing",
        "same_as",
    }
    assert "e-2" not in repr(answer)
    assert (answer.gallery_size, answer.complete, answer.threshold) == (2, True, THRESHOLD)


def test_a_stranger_is_nobody(office: Office) -> None:
    """No candidate below the threshold is named."""
    office.register(visit(1))
    assert who(office, prints(2)).candidates == ()


@pytest.mark.parametrize(
    ("judgement", "standing", "same_as"),
    [
        (None, Standing.UNDECIDED, ()),
        (Judgement.SAME, Standing.CONFIRMED, ("p-other",)),
        (Judgement.DIFFERENT, Standing.REFUSED, ()),
        (Judgement.INCONCLUSIVE, Standing.INCONCLUSIVE, ()),
    ],
)
def test_candidates_show_what_examiners_said_of_their_files(
    office: Office, judgement: Judgement | None, standing: Standing, same_as: tuple[str, ...]
) -> None:
    """Two files of one person: confirmed, refused, inconclusive or undecided, as the ledger has it."""
    office.register(visit(1))
    second = office.register(visit(1, 1, person_id="p-other"))
    link_id = second.candidates[0].encounters[0].link_id
    assert link_id is not None
    if judgement is not None:
        with office.database.transaction() as tx:
            identity.decide(tx, link_id, judgement, EXAMINER, new_id=office.new_id)
    found = {candidate.person_id: candidate for candidate in who(office, prints(1, 2)).candidates}
    assert found.keys() == {"p-1", "p-other"}
    assert {candidate.standing for candidate in found.values()} == {standing}
    assert found["p-1"].same_as == same_as


def test_police_never_enroll(office: Office) -> None:
    """After any number of questions the store holds what it held."""
    office.register(visit(1))
    ask(office, "p-1", prints(1, 1))
    who(office, prints(1, 1))
    who(office, prints(2))
    with office.database.reading() as tx:
        assert office.records.count(tx) == 1
        assert identity.search_links(tx) == []


def test_every_question_is_logged_with_its_ground(office: Office) -> None:
    """Authority, purpose, basis, file number, what was asked, which ids left; no template, no score."""
    office.register(visit(1))
    verified = ask(office, "p-1", prints(1, 1))
    identified = who(office, prints(1, 1))
    with office.database.reading() as tx:
        rows = {row.sequence: row for row in audit_log.entries(tx, file_number=GROUND.file_number)}
    assert rows.keys() == {verified.audit_sequence, identified.audit_sequence}
    named = (office.database.audit.pseudonym("p-1"),)
    for row in rows.values():
        assert (row.authority, row.purpose, row.legal_basis) == (
            GROUND.authority,
            GROUND.purpose,
            GROUND.legal_basis,
        )
        assert (row.actor, row.role, row.returned, row.at) == ("k-police", "police", named, AT)
        assert row.asked["positions"] == [THUMB, INDEX]
    assert rows[verified.audit_sequence].action == "verify"
    assert rows[identified.audit_sequence].action == "identify"


def test_no_log_row_no_answer(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the log cannot be written, the question is not answered."""
    office.register(visit(1))

    def refuse(*_: object, **__: object) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(audit_log, "append", refuse)
    with pytest.raises(OSError, match="disk full"):
        ask(office, "p-1", prints(1, 1))
    with pytest.raises(OSError, match="disk full"):
        who(office, prints(1, 1))


def test_the_log_row_is_committed_before_the_answer(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that fails leaves no answer either."""
    office.register(visit(1))
    transaction = office.database.transaction

    @contextmanager
    def failing() -> Iterator[Connection]:
        with transaction() as tx:
            yield tx
            raise OSError("power cut")

    monkeypatch.setattr(office.database, "transaction", failing)
    with pytest.raises(OSError, match="power cut"):
        who(office, prints(1, 1))


@pytest.mark.parametrize(
    ("score", "band"),
    [(0, Band.LOW), (29.9, Band.LOW), (30, Band.MEDIUM), (50, Band.HIGH), (70, Band.VERY_HIGH)],
)
def test_bands_hide_the_digits(score: float, band: Band) -> None:
    """Four bands, by orders of magnitude of the false match rate."""
    assert band_of(score) is band


def test_a_probe_is_recognised_in_the_log_without_being_kept() -> None:
    """The same probe has the same digest, another one another; neither can be turned back."""
    same, again, other = (audit.probe_facts(prints(number)) for number in (1, 1, 2))
    assert same == again
    assert same["probe_sha256"] != other["probe_sha256"]
