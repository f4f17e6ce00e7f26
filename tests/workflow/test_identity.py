"""The ledger in the store: rows are added, never changed; withdrawing restores what held before."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations, count
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from stored_people import random_encounter

from enrollment.database import Database
from enrollment.records import Records
from enrollment.tables import judgements, links
from matcher.codes import FingerPosition
from workflow import identity
from workflow.errors import AlreadyWithdrawn, InvalidDecision, UnknownLink
from workflow.ledger import CaseKind
from workflow.links import Judgement, Link, Origin, Signature, Standing, Suggestion

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SIGNED = Signature("e.dubois", "delta and six ridge endings agree", AT)


@pytest.fixture
def new_id() -> Callable[[], str]:
    """Ids that rise, so that tests can be read."""
    numbers = count(1)
    return lambda: f"id-{next(numbers):06d}"


@pytest.fixture
def people(database: Database, records: Records) -> list[str]:
    """Five encounters of five persons."""
    with database.transaction() as tx:
        for seed in range(5):
            records.add(tx, random_encounter(seed, positions=(FingerPosition.RIGHT_INDEX,)))
    return [f"e-{seed}" for seed in range(5)]


def suggestion(one: str, other: str, score: float = 61.5) -> Suggestion:
    """What a search of a thousand references says of a pair."""
    return Suggestion(one, other, Origin.SEARCH, score, 50.0, 1000, 17, "match/1", "extract/1")


def suggest(tx: Connection, one: str, other: str, new_id: Callable[[], str]) -> Link:
    """One suggested link."""
    (link,) = identity.suggest(tx, (suggestion(one, other),), at=AT, new_id=new_id)
    return link


def naive_standing(tx: Connection, link_id: str) -> Standing:
    """Walk through the rows: a decision counts until a row withdraws it; the latest one left counts."""
    entries = identity.history(tx, link_id)
    withdrawn = {entry.withdraws for entry in entries}
    left = [each.judgement for each in entries if each.judgement and each.judgement_id not in withdrawn]
    names = {
        None: Standing.UNDECIDED,
        Judgement.SAME: Standing.CONFIRMED,
        Judgement.DIFFERENT: Standing.REFUSED,
        Judgement.INCONCLUSIVE: Standing.INCONCLUSIVE,
    }
    return names[left[-1] if left else None]


def state(tx: Connection, people: list[str]) -> Any:
    """Everything the ledger says."""
    found = identity.search_links(tx)
    return [found, [identity.same_as(tx, person) for person in people], identity.cases(tx)]


def test_a_suggestion_is_kept_as_the_machine_made_it(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """Score, threshold, gallery and versions are on the link, with both person files."""
    with database.transaction() as tx:
        link = suggest(tx, "e-3", "e-1", new_id)
    assert (link.left, link.right, link.left_person, link.right_person) == ("e-1", "e-3", "p-1", "p-3")
    assert (link.score, link.threshold, link.gallery_size, link.as_of) == (61.5, 50.0, 1000, 17)
    assert (link.origin, link.matcher, link.extractor) == (Origin.SEARCH, "match/1", "extract/1")
    assert (link.suggested_at, link.standing, link.decision) == (AT, Standing.UNDECIDED, None)


def test_suggesting_a_pair_again_keeps_its_first_row(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """In either order, with another score, decided or not: one pair, one link."""
    with database.transaction() as tx:
        first = suggest(tx, "e-1", "e-2", new_id)
        decided = identity.decide(tx, first.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        (again,) = identity.suggest(tx, (suggestion("e-2", "e-1", 99.0),), at=AT, new_id=new_id)
        rows = tx.execute(select(func.count()).select_from(links)).scalar_one()
    assert again == decided
    assert rows == 1


def test_a_link_joins_two_encounters(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """Nobody is linked to themselves."""
    with pytest.raises(InvalidDecision), database.transaction() as tx:
        suggest(tx, "e-1", "e-1", new_id)


def test_no_score_moves_a_standing(database: Database, people: list[str], new_id: Callable[[], str]) -> None:
    """However high the machine's score: undecided, and nobody is derived to be the same."""
    with database.transaction() as tx:
        (link,) = identity.suggest(tx, (suggestion("e-1", "e-2", 1e6),), at=AT, new_id=new_id)
        assert link.standing is Standing.UNDECIDED
        assert identity.same_as(tx, "e-1").encounters == {"e-1"}


def test_examiners_decide_and_anyone_sees_by_whom(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """A decision carries examiner, reason and time, and connects the encounters."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        decided = identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
    assert decided.standing is Standing.CONFIRMED
    assert decided.decision is not None
    assert (decided.decision.examiner, decided.decision.reason, decided.decision.at) == (
        SIGNED.examiner,
        SIGNED.reason,
        AT,
    )
    with database.reading() as tx:
        assert identity.same_as(tx, "e-2").encounters == {"e-1", "e-2"}


def test_the_order_of_the_ledger_counts_not_the_clock(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """A later row counts even when its clock is behind."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        behind = Signature("a.peeters", "on second thought", AT - timedelta(days=1))
        decided = identity.decide(tx, link.link_id, Judgement.DIFFERENT, behind, new_id=new_id)
    assert decided.standing is Standing.REFUSED


def test_withdrawing_any_decision_restores_the_exact_former_state(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """Over a random history: decide, withdraw, and everything is as it was; the SQL equals the naive walk."""
    chance = random.Random(20261123)
    with database.transaction() as tx:
        pairs = [suggest(tx, one, other, new_id) for one, other in combinations(people, 2)]
        for _ in range(12):
            before = state(tx, people)
            link_id = chance.choice(pairs).link_id
            tried = identity.decide(tx, link_id, chance.choice(list(Judgement)), SIGNED, new_id=new_id)
            assert tried.decision is not None
            identity.withdraw(tx, tried.decision.judgement_id, SIGNED, new_id=new_id)
            assert state(tx, people) == before
            identity.decide(tx, link_id, chance.choice(list(Judgement)), SIGNED, new_id=new_id)
            assert all(
                identity.link(tx, pair.link_id).standing is naive_standing(tx, pair.link_id) for pair in pairs
            )


def test_withdrawing_an_older_decision_leaves_the_newer_one(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """Only the withdrawn decision is gone; then the one before it comes back."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        first = identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        second = identity.decide(tx, link.link_id, Judgement.INCONCLUSIVE, SIGNED, new_id=new_id)
        third = identity.decide(tx, link.link_id, Judgement.DIFFERENT, SIGNED, new_id=new_id)
        assert first.decision is not None
        assert second.decision is not None
        after = identity.withdraw(tx, second.decision.judgement_id, SIGNED, new_id=new_id)
        assert after == third
        after = identity.withdraw_current(tx, link.link_id, SIGNED, new_id=new_id)
        assert after == first
        assert len(identity.history(tx, link.link_id)) == 5


def test_a_decision_is_withdrawn_once(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """The second withdrawal, of a decision or of nothing, is refused by name."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        decided = identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        assert decided.decision is not None
        identity.withdraw(tx, decided.decision.judgement_id, SIGNED, new_id=new_id)
        with pytest.raises(AlreadyWithdrawn):
            identity.withdraw(tx, decided.decision.judgement_id, SIGNED, new_id=new_id)
        with pytest.raises(AlreadyWithdrawn):
            identity.withdraw_current(tx, link.link_id, SIGNED, new_id=new_id)


def test_unknown_links_and_judgements_are_named(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """A withdrawal is no decision either."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        decided = identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        assert decided.decision is not None
        identity.withdraw(tx, decided.decision.judgement_id, SIGNED, new_id=new_id)
        withdrawal = identity.history(tx, link.link_id)[-1]
        with pytest.raises(UnknownLink):
            identity.withdraw(tx, withdrawal.judgement_id, SIGNED, new_id=new_id)
        with pytest.raises(UnknownLink):
            identity.withdraw(tx, "nobody", SIGNED, new_id=new_id)
        with pytest.raises(UnknownLink):
            identity.decide(tx, "nothing", Judgement.SAME, SIGNED, new_id=new_id)


@pytest.mark.parametrize(
    ("examiner", "reason"), [("", "x"), ("x", " \n"), ("x" * 129, "x"), ("x", "x" * 4001)]
)
def test_a_decision_needs_somebody_and_a_reason(examiner: str, reason: str) -> None:
    """Blank and boundless words are refused before anything is written."""
    with pytest.raises(InvalidDecision):
        Signature(examiner, reason, AT)


def test_rows_are_only_added(database: Database, people: list[str], new_id: Callable[[], str]) -> None:
    """Every act leaves a row, and none that was there changes."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        before = tx.execute(select(judgements)).all()
        identity.withdraw_current(tx, link.link_id, SIGNED, new_id=new_id)
        identity.decide(tx, link.link_id, Judgement.DIFFERENT, SIGNED, new_id=new_id)
        after = tx.execute(select(judgements).order_by(judgements.c.sequence)).all()
    assert after[:1] == before
    assert len(after) == 3


def test_links_are_found_by_standing_encounter_and_person(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """Filters and pages of the examiner's list."""
    with database.transaction() as tx:
        made = [suggest(tx, one, other, new_id) for one, other in combinations(people[:4], 2)]
        identity.decide(tx, made[0].link_id, Judgement.SAME, SIGNED, new_id=new_id)
        assert len(identity.search_links(tx, standing=Standing.UNDECIDED)) == 5
        assert [each.link_id for each in identity.search_links(tx, standing=Standing.CONFIRMED)] == [
            made[0].link_id
        ]
        assert len(identity.search_links(tx, encounter_id="e-2")) == 3
        assert len(identity.search_links(tx, person_id="p-3")) == 3
        page = identity.search_links(tx, limit=4)
        rest = identity.search_links(tx, after=page[-1].link_id)
        assert [*page, *rest] == list(identity.search_links(tx))


def test_standings_reach_through_confirmed_links(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """Far encounters are judged by the chain that leads to them."""
    with database.transaction() as tx:
        for one, other, judgement in (
            ("e-0", "e-1", Judgement.SAME),
            ("e-1", "e-2", Judgement.SAME),
            ("e-2", "e-3", Judgement.DIFFERENT),
        ):
            identity.decide(tx, suggest(tx, one, other, new_id).link_id, judgement, SIGNED, new_id=new_id)
        suggest(tx, "e-0", "e-4", new_id)
        found = identity.standings(tx, ["e-0"], {name: [name] for name in people[1:]})
    assert found == {
        "e-1": Standing.CONFIRMED,
        "e-2": Standing.CONFIRMED,
        "e-3": Standing.REFUSED,
        "e-4": Standing.UNDECIDED,
    }


def test_links_across_files_are_cases(
    database: Database, people: list[str], new_id: Callable[[], str]
) -> None:
    """One person in two files is work for an examiner."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        (case,) = identity.cases(tx)
    assert (case.kind, case.encounters, case.persons) == (
        CaseKind.SEVERAL_FILES,
        ("e-1", "e-2"),
        ("p-1", "p-2"),
    )


def test_erasing_an_encounter_takes_its_links_along(
    database: Database, records: Records, people: list[str], new_id: Callable[[], str]
) -> None:
    """Nothing of an erased person stays in the ledger."""
    with database.transaction() as tx:
        link = suggest(tx, "e-1", "e-2", new_id)
        identity.decide(tx, link.link_id, Judgement.SAME, SIGNED, new_id=new_id)
        identity.withdraw_current(tx, link.link_id, SIGNED, new_id=new_id)
        records.erase(tx, "e-1")
        assert identity.search_links(tx) == []
        assert identity.same_as(tx, "e-2").encounters == {"e-2"}
