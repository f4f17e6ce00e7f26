"""What is due goes on its day, with everything that hangs on it; what is held stays; the proof is kept."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from export_support import OPERATOR, START, contents, queue_people, run
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select, update
from stored_people import random_encounter

from enrollment import audit_log
from enrollment.database import Database, audit_seal_of
from enrollment.errors import HeldRecord, UnknownRecord
from enrollment.follower import GalleryFollower
from enrollment.records import Records
from enrollment.tables import export_batches, export_queue, legal_holds, released_exports
from matcher.codes import FingerPosition
from matcher.gallery import Gallery
from workflow import retention
from workflow.eurodac import MANIFEST, Exporter
from workflow.eurodac_erasure import forget_erased
from workflow.eurodac_profile import Profile
from workflow.eurodac_queue import enqueue
from workflow.retention_rules import RULES, Rule, last_day

RULE_OF = {rule.category: rule for rule in RULES}
INDEX = (FingerPosition.RIGHT_INDEX,)
#: Of the twelve years; `make torture` asks for more.
ENCOUNTERS = int(os.environ.get("TENPRINT_TORTURE_ENCOUNTERS", "60"))
SEED = int(os.environ.get("TENPRINT_TORTURE_SEED", "12"))


def _quiet(_done: int, _total: int) -> None:
    """Report to nobody."""


def _at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _run(database: Database, records: Records, day: date) -> set[str]:
    found = retention.erase_due(database, records, actor=OPERATOR, at=_at(day), progress=_quiet)
    return {each.encounter_id for each in found}


@pytest.mark.parametrize(
    ("begin", "years", "end"),
    [
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), 10, date(2036, 11, 23)),
        (datetime(2028, 2, 29, tzinfo=UTC), 10, date(2038, 2, 28)),
        (datetime(2028, 2, 29, tzinfo=UTC), 4, date(2032, 2, 29)),
        (datetime.fromisoformat("2026-12-31T23:30:00-05:00"), 5, date(2032, 1, 1)),
    ],
)
def test_periods_end_with_the_day_of_the_same_date(begin: datetime, years: int, end: date) -> None:
    """In UTC; where a year has no 29th of February, with the 28th."""
    assert last_day(Rule("1", years, "a test"), begin) == end


def test_days_are_those_of_utc_wherever_the_machine_stands(
    database: Database, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Tokyo the next day begins nine hours earlier; the law's does not."""
    with database.transaction() as tx:
        records.add(tx, random_encounter(0, positions=INDEX))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        late = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
        assert last_day(Rule("1", 10, "a test"), late) == date(2036, 11, 23)
        assert _run(database, records, date(2036, 11, 23)) == set()
        at = datetime(2036, 11, 23, 23, 59, tzinfo=UTC)
        assert retention.erase_due(database, records, actor=OPERATOR, at=at, progress=_quiet) == []
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.integers(0, 60 * 366 * 24), st.integers(1, 20))
def test_what_is_due_is_never_missed_by_the_first_look(hours: int, years: int) -> None:
    """The database looks with 365 days a year, which is never later than the exact day."""
    moment = _at(date(2000, 1, 1)) + timedelta(hours=hours)
    erased_on = last_day(Rule("1", years, "a test"), moment) + timedelta(days=1)
    assert moment < _at(erased_on, 0) - timedelta(days=365 * years)


@pytest.mark.slow
def test_twelve_years_erase_exactly_what_is_due_on_its_day(database: Database, records: Records) -> None:
    """Encounters of every category, sent or not, some held for years: each goes on its day, no other."""
    chance = random.Random(SEED)
    expected: dict[str, date | None] = {}
    held: dict[str, date] = {}
    begin = date(2026, 11, 23)
    for seed in range(ENCOUNTERS):
        category = chance.choice([*RULE_OF, None])
        captured = (
            datetime(2028, 2, 29, 23, 59, tzinfo=UTC)
            if seed % 9 == 0
            else (_at(begin) + timedelta(minutes=chance.randrange(2 * 365 * 24 * 60)))
        )
        encounter = replace(random_encounter(seed, positions=INDEX), captured_at=captured, category=category)
        counted = captured
        with database.transaction() as tx:
            records.add(tx, encounter)
            if category is not None and enqueue(tx, encounter, captured, profile=Profile()) and seed % 2:
                counted = captured + timedelta(days=chance.randrange(60))
                tx.execute(
                    update(export_queue)
                    .where(export_queue.c.encounter_id == encounter.encounter_id)
                    .values(exported_at=counted, state="exported")
                )
        end = None if category is None else last_day(RULE_OF[category], counted) + timedelta(days=1)
        expected[encounter.encounter_id] = end
        if end is not None and seed % 7 == 0:
            held[encounter.encounter_id] = end + timedelta(days=chance.randrange(1, 200))
    hold_ids: dict[str, str] = {}
    with database.transaction() as tx:
        for encounter_id in held:
            hold_ids[encounter_id] = retention.hold(tx, encounter_id, "appeal", actor=OPERATOR, at=START)
    # A run on a day without anything to do is the same query: days that matter, and each first of a month.
    goes = {key: held.get(key, end) for key, end in expected.items() if end is not None}
    matter = [day for day in (*expected.values(), *goes.values()) if day is not None]
    days = {day + timedelta(days=shift) for day in matter for shift in (-1, 0, 1)}
    days |= {date(year, month, 1) for year in range(2026, 2040) for month in range(1, 13)}
    erased: dict[str, date] = {}
    for day in sorted(days):
        for encounter_id, lifted in held.items():
            if lifted == day:
                with database.transaction() as tx:
                    retention.lift(tx, hold_ids[encounter_id], actor=OPERATOR, at=_at(day))
        erased |= dict.fromkeys(_run(database, records, day), day)
    assert erased == goes
    assert ENCOUNTERS < 60 or date(2037, 11, 23) < max(goes.values())
    with database.reading() as tx:
        left = set(records.encounter_ids(tx))
        proofs = [entry for entry in audit_log.entries(tx, limit=100_000) if entry.outcome == "retention"]
    assert left == {key for key, end in expected.items() if end is None}
    assert len(proofs) == len(goes)
    assert all(entry.legal_basis and "Article 29" in entry.legal_basis for entry in proofs)


def test_erasure_reaches_everything(exporter: Exporter, tmp_path: Path) -> None:
    """Row, key, pictures, gallery, queue, the exported file and its line in the manifest."""
    database, records = exporter.database, exporter.records
    gallery = Gallery()
    follower = GalleryFollower(database, records, gallery)
    with database.transaction() as tx:
        numbers = queue_people(tx, records, range(3))
    follower.catch_up()
    folder = run(exporter, tmp_path / "exports").folder
    assert folder is not None
    before = contents(folder)
    sent = pq.read_table(folder / MANIFEST)
    day = last_day(RULE_OF["1"], START) + timedelta(days=1)
    with database.transaction() as tx:
        hold_id = retention.hold(tx, "e-1", "appeal", actor=OPERATOR, at=START)
    assert _run(database, records, day - timedelta(days=1)) == set()
    assert _run(database, records, day) == {"e-0", "e-2"}
    follower.catch_up()
    kept = f"{numbers[1]}.an2"
    assert sorted(contents(folder)) == sorted([kept, MANIFEST])
    assert forget_erased(database) == 2
    assert forget_erased(database) == 0
    assert contents(folder)[kept] == before[kept]
    table = pq.read_table(folder / MANIFEST)
    assert table.to_pylist() == [row for row in sent.to_pylist() if row["file_name"] == kept]
    assert table.schema.metadata == {**sent.schema.metadata, b"file_count": b"1"}
    with database.reading() as tx:
        (batch,) = tx.execute(select(export_batches)).all()
        assert batch.manifest_sha256 == sha256((folder / MANIFEST).read_bytes()).hexdigest()
        assert tx.execute(select(export_queue.c.encounter_id)).scalars().all() == ["e-1"]
        assert tx.execute(select(released_exports)).all() == []
        assert records.encounter_ids(tx) == ["e-1"]
        assert [each.hold_id for each in retention.holds(tx)] == [hold_id]
    assert len(gallery) == 1
    assert len(list(records.blobs.addresses())) == 1  # the pictures of an encounter lie in one file


def test_folder_that_is_gone_is_no_obstacle(exporter: Exporter, tmp_path: Path) -> None:
    """A batch that was moved to whoever sends it: its copies are out of reach, and the note ends."""
    with exporter.database.transaction() as tx:
        queue_people(tx, exporter.records, range(1))
    folder = run(exporter, tmp_path / "exports").folder
    assert folder is not None
    folder.rename(tmp_path / "sent")
    with exporter.database.transaction() as tx:
        exporter.records.erase(tx, "e-0")
    assert forget_erased(exporter.database) == 1


def test_hold_keeps_from_every_erasure(database: Database, records: Records) -> None:
    """By hand and of the whole person as well, until it is lifted, once."""
    with database.transaction() as tx:
        records.add(tx, random_encounter(1, positions=INDEX))
        hold_id = retention.hold(tx, "e-1", "court case 7", actor=OPERATOR, at=START)
    for act in (lambda tx: records.erase(tx, "e-1"), lambda tx: records.erase_person(tx, "p-1")):
        with pytest.raises(HeldRecord, match="lift it first"), database.transaction() as tx:
            act(tx)
    with database.reading() as tx:
        assert [each.held for each in retention.due(tx, date(2100, 1, 1))] == [True]
    with database.transaction() as tx:
        assert retention.lift(tx, hold_id, actor=OPERATOR, at=START) == "e-1"
    with pytest.raises(UnknownRecord, match="no standing hold"), database.transaction() as tx:
        retention.lift(tx, hold_id, actor=OPERATOR, at=START)
    with pytest.raises(UnknownRecord, match="no encounter e-9"), database.transaction() as tx:
        retention.hold(tx, "e-9", "nobody", actor=OPERATOR, at=START)
    with database.reading() as tx:
        logged = [(each.action, each.outcome) for each in audit_log.entries(tx)]
    assert logged == [("hold", "placed"), ("hold", "lifted")]


def test_what_changed_since_the_look_is_left_alone(
    database: Database, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold placed, or an erasure done, between list and deed."""
    with database.transaction() as tx:
        for seed in range(2):
            records.add(tx, random_encounter(seed, positions=INDEX))
    day = date(2036, 11, 24)
    with database.reading() as tx:
        looked = retention.due(tx, day)
    with database.transaction() as tx:
        records.erase(tx, "e-0")
        retention.hold(tx, "e-1", "appeal", actor=OPERATOR, at=START)
    monkeypatch.setattr(retention, "due", lambda _tx, _today: looked)
    assert _run(database, records, day) == set()


def test_what_hold_and_erasure_leave_in_writing(database: Database, records: Records) -> None:
    """Who held and lifted, when and why; of an erasure the rule, its last day, and every step of progress."""
    seen: list[tuple[int, int]] = []
    with database.transaction() as tx:
        for seed in range(3):
            records.add(tx, random_encounter(seed, positions=INDEX))
        first = retention.hold(tx, "e-0", "appeal", actor=OPERATOR, at=_at(date(2030, 1, 2)))
        second = retention.hold(tx, "e-1", "court case 7", actor=OPERATOR, at=_at(date(2030, 1, 1)))
        retention.lift(tx, second, actor=OPERATOR, at=_at(date(2031, 1, 1)))
    with database.reading() as tx:
        held = retention.holds(tx)
        lifted_by = tx.execute(select(legal_holds.c.lifted_by).order_by(legal_holds.c.placed_at)).scalars()
        assert list(lifted_by) == [OPERATOR.name, None]
        placed, _, lifted = audit_log.entries(tx)
        name = audit_seal_of(tx).pseudonym
    assert held == [
        retention.Hold(
            second, "e-1", "court case 7", OPERATOR.name, _at(date(2030, 1, 1)), _at(date(2031, 1, 1))
        ),
        retention.Hold(first, "e-0", "appeal", OPERATOR.name, _at(date(2030, 1, 2)), None),
    ]
    assert (placed.asked, placed.at) == ({"encounter_id": name("e-0"), "hold": first}, _at(date(2030, 1, 2)))
    assert (lifted.asked, lifted.at) == ({"encounter_id": name("e-1"), "hold": second}, _at(date(2031, 1, 1)))
    at = datetime(2036, 11, 24, 1, 0, tzinfo=timezone(timedelta(hours=2)))  # the 23rd in UTC: a day too early
    act = partial(retention.erase_due, database, records, actor=OPERATOR)
    assert act(at=at, progress=_quiet) == []
    erased = act(at=_at(date(2036, 11, 24)), progress=lambda done, total: seen.append((done, total)))
    assert [(each.encounter_id, each.last_day) for each in erased] == [
        ("e-1", date(2036, 11, 23)),
        ("e-2", date(2036, 11, 23)),
    ]
    assert seen == [(1, 2), (2, 2)]
    with database.reading() as tx:
        proof = audit_log.entries(tx)[-1]
    assert (proof.action, proof.outcome, proof.actor, proof.role) == (
        "erase",
        "retention",
        OPERATOR.name,
        OPERATOR.role,
    )
    assert proof.legal_basis == RULE_OF["1"].source
    assert (proof.asked["category"], proof.asked["last_day"]) == ("1", "2036-11-23")


def test_holds_of_one_moment_are_in_order_of_their_ids(database: Database, records: Records) -> None:
    """And the list is the same however the database stores them."""
    with database.transaction() as tx:
        for seed in range(6):
            records.add(tx, random_encounter(seed, positions=INDEX))
            retention.hold(tx, f"e-{seed}", "appeal", actor=OPERATOR, at=START)
        tx.execute(update(legal_holds).values(hold_id=literal("z") + legal_holds.c.encounter_id))
        tx.execute(update(legal_holds).where(legal_holds.c.encounter_id == "e-5").values(hold_id="a"))
    with database.reading() as tx:
        names = [each.hold_id for each in retention.holds(tx)]
    assert names == ["a", "ze-0", "ze-1", "ze-2", "ze-3", "ze-4"]


def test_what_was_sent_since_the_look_stays_its_time(
    database: Database, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On its last day it stays; the day after it goes."""
    with database.transaction() as tx:
        records.add(tx, random_encounter(0, positions=INDEX))
    with database.reading() as tx:
        looked = retention.due(tx, date(2036, 11, 24))
    monkeypatch.setattr(retention, "due", lambda _tx, _today: looked)
    assert _run(database, records, date(2036, 11, 23)) == set()
    assert _run(database, records, date(2036, 11, 24)) == {"e-0"}
