"""The gallery equals the store: at start, after every commit, and whoever committed."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from stored_people import failure, random_encounter

from enrollment import follower as follower_module
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.encounter import Encounter, EncounterStatus
from enrollment.errors import MalformedRecord
from enrollment.follower import GalleryFollower
from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.record_rows import prepared_as_stored
from enrollment.record_writer import Amendment
from enrollment.records import Records
from matcher.codes import FingerPosition
from matcher.gallery import Filter, Gallery, ReferenceId
from matcher.prepared_prints import encode
from matcher.scoring import Score

INDEX = FingerPosition.RIGHT_INDEX


@pytest.fixture
def gallery() -> Gallery:
    """An empty gallery."""
    return Gallery()


@pytest.fixture
def follower(database: Database, records: Records, gallery: Gallery) -> GalleryFollower:
    """The gallery's follower, which has not read anything yet."""
    return GalleryFollower(database, records, gallery)


def _person(seed: int) -> Encounter:
    return random_encounter(seed, positions=(INDEX,))


def _add(database: Database, records: Records, *encounters: Encounter) -> int:
    with database.transaction() as tx:
        return [records.add(tx, encounter) for encounter in encounters][-1]


def _found(gallery: Gallery, seed: int) -> bool:
    """Whether a search with the seed's own print finds its encounter."""
    answer = gallery.search(_person(seed).tenprint, limit=1, threshold=Score(40.0))
    return [candidate.reference_id for candidate in answer.candidates] == [f"e-{seed}"]


def test_start_fills_the_gallery_and_reports(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every encounter is added, the progress runs to the end, the sequence is the store's."""
    monkeypatch.setattr(follower_module, "PAGE", 3)
    last = _add(database, records, *(_person(seed) for seed in range(8)))
    reports: list[tuple[int, int]] = []
    assert follower.applied is None
    assert follower.catch_up(lambda done, total: reports.append((done, total))) == last
    assert follower.applied == gallery.sequence == last
    assert reports == [(3, 8), (6, 8), (8, 8)]
    assert all(_found(gallery, seed) for seed in range(8))


def test_empty_store_is_an_empty_gallery(gallery: Gallery, follower: GalleryFollower) -> None:
    """Nothing to follow is no error."""
    assert follower.catch_up() == 0
    assert len(gallery) == 0


def test_enrolled_is_found_by_the_very_next_search(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """After commit and catch-up the search has seen the change, and says so."""
    follower.catch_up()
    for seed in range(3):
        sequence = _add(database, records, _person(seed))
        assert follower.catch_up() == sequence
        answer = gallery.search(_person(seed).tenprint, limit=1, threshold=Score(40.0))
        assert answer.candidates[0].reference_id == f"e-{seed}"
        assert answer.as_of == sequence


def test_erased_is_never_returned(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """An erasure reaches the gallery, whether it was filled before or after."""
    _add(database, records, _person(1), _person(2))
    follower.catch_up()
    with database.transaction() as tx:
        last = records.erase(tx, "e-1")
    assert follower.catch_up() == last == gallery.sequence
    assert not _found(gallery, 1)
    rebuilt = Gallery()
    GalleryFollower(database, records, rebuilt).catch_up()
    assert not _found(rebuilt, 1)
    assert _found(rebuilt, 2)
    assert rebuilt.sequence == last


def test_added_and_erased_between_two_looks_is_nothing(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """An encounter that came and went unseen never enters the gallery; the sequence moves on."""
    follower.catch_up()
    _add(database, records, _person(1))
    with database.transaction() as tx:
        last = records.erase(tx, "e-1")
    assert follower.catch_up() == last == gallery.sequence
    assert len(gallery) == 0


def test_encounter_without_templates_moves_the_sequence(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """What cannot be searched is followed all the same: `as_of` covers it."""
    follower.catch_up()
    last = _add(database, records, replace(_person(1), fingers={INDEX: failure(INDEX)}))
    assert follower.catch_up() == last == gallery.sequence
    assert len(gallery) == 0


def test_inactive_leaves_and_active_returns(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """The status decides who can be found."""
    _add(database, records, _person(1), replace(_person(2), status=EncounterStatus.INACTIVE))
    follower.catch_up()
    assert (_found(gallery, 1), _found(gallery, 2)) == (True, False)
    for encounter_id, status in (("e-1", EncounterStatus.INACTIVE), ("e-2", EncounterStatus.ACTIVE)):
        with database.transaction() as tx:
            records.amend(tx, encounter_id, Amendment(status=status))
    follower.catch_up()
    assert (_found(gallery, 1), _found(gallery, 2)) == (False, True)


def test_changes_beyond_one_batch_are_applied(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One call applies everything, in however many batches, and a start reads every page."""
    monkeypatch.setattr(follower_module, "BATCH", 3)
    monkeypatch.setattr(follower_module, "PAGE", 3)
    follower.catch_up()
    _add(database, records, *(_person(seed) for seed in range(8)))
    follower.catch_up()
    assert len(gallery) == 8
    rebuilt = Gallery()
    GalleryFollower(database, records, rebuilt).catch_up()
    assert len(rebuilt) == 8


def test_what_another_process_enrols_is_followed(
    database_place: str, records: Records, keyring: Keyring, gallery: Gallery, follower: GalleryFollower
) -> None:
    """A second connection to the same store stands for the command line beside the service."""
    follower.catch_up()
    with Database.open(database_place) as other:
        _add(other, Records(other, records.blobs, keyring), _person(1))
    follower.catch_up()
    assert _found(gallery, 1)


def test_many_threads_each_find_what_they_enrolled(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """Whoever catches up after a commit finds that commit, even when another thread applies it."""

    def enrol_and_search(seed: int) -> bool:
        sequence = _add(database, records, _person(seed))
        assert follower.catch_up() >= sequence
        return _found(gallery, seed)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(enrol_and_search, range(24)))
    assert len(gallery) == 24


def test_enrolments_during_the_start_are_not_missed(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What commits while the gallery is being filled is applied after it, once."""
    monkeypatch.setattr(follower_module, "PAGE", 2)
    _add(database, records, *(_person(seed) for seed in range(6)))
    late = threading.Thread(target=_add, args=(database, records, _person(7)))

    def progress(done: int, _total: int) -> None:
        if done == 2:
            late.start()
            late.join()

    follower.catch_up(progress)
    assert len(gallery) == 7
    assert _found(gallery, 7)


def test_damaged_template_stops_the_start_and_repair_lets_it_pass(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gallery that would silently miss somebody is never called filled; nor does it keep whom it met."""
    monkeypatch.setattr(follower_module, "PAGE", 1)
    _add(database, records, *(_person(seed) for seed in range(3)))
    with database.transaction() as tx:
        tx.execute(text("UPDATE templates SET codec = 'template_v9' WHERE encounter_id = 'e-1'"))
    with pytest.raises(MalformedRecord, match="template_v9"):
        follower.catch_up()
    assert follower.applied is None
    assert len(gallery) == 1
    with database.transaction() as tx:
        records.erase(tx, "e-0")
        records.erase(tx, "e-1")
    follower.catch_up()
    assert not _found(gallery, 0)
    assert len(gallery) == 1


def _prepared(records: Records, tx: Connection) -> Mapping[str, bytes]:
    """What is kept of everybody who can be searched."""
    return records.prepared(tx, records.envelope.keys_of(tx, records.searchable(tx)))


def _refuse(_encounter: object) -> bytes:
    raise AssertionError("prepared again")


@pytest.mark.parametrize("at_enrolment", [True, False], ids=["at enrolment", "at the first start"])
def test_prints_are_prepared_once(
    database: Database, records: Records, monkeypatch: pytest.MonkeyPatch, *, at_enrolment: bool
) -> None:
    """A gallery filled from what was kept answers as one filled from templates, to the last digit."""
    galleries = [Gallery(), Gallery()]
    for seed in range(4):
        encounter = _person(seed)
        prepared = prepared_as_stored(encounter.tenprint) if at_enrolment else None
        with database.transaction() as tx:
            records.add(tx, encounter, records.seal(encounter, prepared=prepared))
    with database.reading() as tx:
        assert len(_prepared(records, tx)) == 4 * at_enrolment
        for name, tenprint in records.tenprints(tx, records.searchable(tx)).items():
            galleries[0].add(ReferenceId(name), tenprint)
    if not at_enrolment:
        GalleryFollower(database, records, Gallery()).catch_up()
    monkeypatch.setattr(follower_module, "_prepared", _refuse)
    GalleryFollower(database, records, galleries[1]).catch_up()
    for seed in range(4):
        answers = [each.search(_person(seed).tenprint, limit=4, threshold=Score(0.0)) for each in galleries]
        assert answers[0].candidates == answers[1].candidates
        assert answers[0].candidates[0].reference_id == f"e-{seed}"


def test_prepared_prints_that_are_damaged_or_old_are_made_again(
    database: Database, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    """Of their templates, which are the truth; those of another encounter do not pass for them."""
    _add(database, records, *(_person(seed) for seed in range(4)))
    GalleryFollower(database, records, Gallery()).catch_up()
    with database.transaction() as tx:
        for change in (
            (
                "UPDATE prepared_prints SET data = "
                "(SELECT data FROM prepared_prints WHERE encounter_id = 'e-0') WHERE encounter_id = 'e-1'"
            ),
            "UPDATE prepared_prints SET made_by = '0-older' WHERE encounter_id = 'e-2'",
            "DELETE FROM prepared_prints WHERE encounter_id = 'e-3'",
        ):
            tx.execute(text(change))
    with database.reading() as tx:
        assert set(_prepared(records, tx)) == {"e-0"}
    assert "made again" in caplog.text
    gallery = Gallery()
    GalleryFollower(database, records, gallery).catch_up()
    assert all(_found(gallery, seed) for seed in range(4))
    with database.reading() as tx:
        assert len(_prepared(records, tx)) == 4


def test_prepared_prints_go_with_their_encounter(
    database: Database, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased, they are gone; made meanwhile, they are not kept; a full disk harms nothing."""
    _add(database, records, _person(1), _person(2))
    GalleryFollower(database, records, Gallery()).catch_up()
    made = {"e-1": encode(prepared_as_stored(_person(1).tenprint))}
    with database.transaction() as tx:
        records.erase(tx, "e-1")
    records.keep_prepared(made)
    with database.reading() as tx:
        assert tx.execute(text("SELECT encounter_id FROM prepared_prints")).scalars().all() == ["e-2"]

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("enrollment.records.replace_prepared", full)
    records.keep_prepared({"e-2": b"whatever"})


def test_a_restart_reads_the_checkpoint_and_what_came_after(
    database: Database, records: Records, gallery: Gallery, keyring: Keyring, tmp_path: Path
) -> None:
    """Nothing is prepared again; keeping an unchanged gallery writes nothing."""
    checkpoint = GalleryCheckpoint(tmp_path / "kept", keyring)
    follower = GalleryFollower(database, records, gallery, checkpoint=checkpoint)
    assert not follower.keep(), "nothing was filled yet"
    _add(database, records, _person(1), _person(2))
    follower.catch_up()
    assert follower.keep()
    assert not follower.keep()
    last = _add(database, records, _person(3))
    with database.transaction() as tx:
        last = records.erase(tx, "e-1")
    restarted, reports = Gallery(), list[tuple[int, int]]()
    again = GalleryFollower(database, records, restarted, checkpoint=checkpoint)
    assert again.catch_up(lambda done, total: reports.append((done, total))) == last
    assert {total for _, total in reports} == {2}, "the checkpoint's encounters, not the store's, one by one"
    assert [_found(restarted, seed) for seed in (1, 2, 3)] == [False, True, True]


def test_sex_and_year_of_birth_narrow_a_search(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """From the start and as they change; who is of unknown sex or birth passes."""
    said = {"gender": "Female", "dateOfBirth": "1990-07-14"}
    _add(database, records, replace(_person(1), biographic=said), _person(2))
    follower.catch_up()

    def found(only: Filter, seed: int = 1) -> bool:
        answer = gallery.search(_person(seed).tenprint, limit=1, threshold=Score(40.0), only=only)
        return bool(answer.suggestions)

    assert found(Filter(sex="F", birth_years=(1990, 1990)))
    assert not found(Filter(sex="M"))
    assert not found(Filter(birth_years=(1991, 2000)))
    assert found(Filter(sex="M", birth_years=(1991, 2000)), seed=2)
    with database.transaction() as tx:
        records.amend(tx, "e-1", Amendment(biographic={"sex": "m", "dateOfBirth": "unknown"}))
    follower.catch_up()
    assert found(Filter(sex="M", birth_years=(1991, 2000)))
    assert not found(Filter(sex="F"))


def test_category_and_galleries_narrow_a_search(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """From the start, and as they change."""
    _add(database, records, replace(_person(1), category="1", galleries=("ALL", "BORDER")), _person(2))
    follower.catch_up()

    def searched(only: Filter) -> int:
        answer = gallery.search(_person(1).tenprint, limit=9, threshold=Score(40.0), only=only)
        return answer.gallery_size

    assert searched(Filter()) == 2
    assert searched(Filter(galleries=frozenset({"BORDER"}))) == 1
    assert searched(Filter(categories=frozenset({"1"}), galleries=frozenset({"ALL"}))) == 1
    with database.transaction() as tx:
        records.amend(tx, "e-2", Amendment(galleries=("BORDER",)))
    follower.catch_up()
    assert searched(Filter(galleries=frozenset({"BORDER"}))) == 2


@pytest.fixture
def busy_store(tmp_path: Path) -> Iterator[Database]:
    """A store of its own that the test below writes while it is read."""
    with Database.open(tmp_path / "busy") as opened:
        yield opened


@pytest.mark.slow
def test_random_histories_equal_a_model(busy_store: Database, keyring: Keyring, tmp_path: Path) -> None:
    """After any history of changes, checkpoints and crashes, a gallery that followed and one rebuilt."""
    records = Records(busy_store, BlobStore(tmp_path / "pictures"), keyring)
    checkpoint = GalleryCheckpoint(tmp_path / "kept", keyring)
    followed = Gallery(shards=2)
    follower = GalleryFollower(busy_store, records, followed, checkpoint=checkpoint)
    restarts = 0
    chance, model = random.Random(5), dict[int, bool]()
    for seed in range(60):
        with busy_store.transaction() as tx:
            act = chance.random()
            if act < 0.6 or not model:
                active = chance.random() < 0.8
                status = EncounterStatus.ACTIVE if active else EncounterStatus.INACTIVE
                encounter = replace(_person(seed), status=status)
                prepared = prepared_as_stored(encounter.tenprint) if seed % 2 else None
                records.add(tx, encounter, records.seal(encounter, prepared=prepared))
                model[seed] = active
            elif act < 0.8:
                gone = chance.choice(list(model))
                records.erase(tx, f"e-{gone}")
                del model[gone]
            else:
                changed = chance.choice(list(model))
                model[changed] = not model[changed]
                status = EncounterStatus.ACTIVE if model[changed] else EncounterStatus.INACTIVE
                records.amend(tx, f"e-{changed}", Amendment(status=status))
        if chance.random() < 0.3:
            follower.catch_up()
        if chance.random() < 0.2:
            follower.keep()
        if chance.random() < 0.1:
            # The process dies; the next one goes on from what was kept and what was changed since.
            restarts += 1
            followed = Gallery(shards=2)
            follower = GalleryFollower(busy_store, records, followed, checkpoint=checkpoint)
    assert restarts > 3
    follower.catch_up()
    rebuilt = Gallery()
    GalleryFollower(busy_store, records, rebuilt).catch_up()
    expected = {seed for seed, active in model.items() if active}
    for gallery in (followed, rebuilt):
        assert {seed for seed in range(60) if _found(gallery, seed)} == expected
        assert len(gallery) == len(expected)
