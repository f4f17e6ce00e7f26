"""What a process has just stored enters its own gallery from memory, and only what the store holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from stored_people import random_encounter

from enrollment import follower as follower_module
from enrollment.database import Database
from enrollment.encounter import Encounter, EncounterStatus
from enrollment.follower import GalleryFollower
from enrollment.fresh_prints import MOST, FreshPrint, FreshPrints
from enrollment.keyring import Keyring
from enrollment.record_reader import RecordReader
from enrollment.record_rows import prepared_as_stored
from enrollment.record_writer import Amendment
from enrollment.records import Records
from enrollment.traits import traits_of, traits_told
from matcher.codes import FingerPosition
from matcher.gallery import Filter, Gallery, Traits
from matcher.scoring import Score

INDEX = FingerPosition.RIGHT_INDEX


class _Undone(Exception):  # noqa: N818 - no error: a test's way out
    """What rolls a transaction back."""


@pytest.fixture
def gallery() -> Gallery:
    """An empty gallery."""
    return Gallery()


@pytest.fixture
def follower(database: Database, records: Records, gallery: Gallery) -> GalleryFollower:
    """The gallery's follower, at the end of an empty store."""
    follower = GalleryFollower(database, records, gallery)
    follower.catch_up()
    return follower


@pytest.fixture
def elsewhere(database_place: str, records: Records, keyring: Keyring) -> Iterator[tuple[Database, Records]]:
    """The same store, opened by another process."""
    with Database.open(database_place) as other:
        yield other, Records(other, records.blobs, keyring)


def _person(seed: int, name: str = "") -> Encounter:
    encounter = random_encounter(seed, positions=(INDEX,))
    return replace(encounter, encounter_id=name) if name else encounter


def _undo() -> None:
    raise _Undone


def _store(
    database: Database, records: Records, encounter: Encounter, then: Callable[[], None] = lambda: None
) -> int:
    """As the desk does: with the prints that its search prepared."""
    sealed = records.seal(encounter, prepared=prepared_as_stored(encounter.tenprint))
    with database.transaction() as tx:
        sequence = records.add(tx, encounter, sealed)
        then()
    return sequence


def _found(gallery: Gallery, seed: int, only: Filter | None = None) -> list[str]:
    """Who is found by the seed's own print."""
    answer = gallery.search(_person(seed).tenprint, limit=3, threshold=Score(40.0), only=only)
    return [candidate.reference_id for candidate in answer.suggestions]


def _not_read(*_arguments: object) -> None:
    raise AssertionError("read from the store")


def test_what_was_stored_here_is_not_read_back(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is searched with the scores of a gallery filled from the store, and held no longer."""
    for seed in range(3):
        _store(database, records, _person(seed))
    assert len(records.fresh) == 3
    with monkeypatch.context() as patched:
        for name in ("prepared", "encoded"):
            patched.setattr(RecordReader, name, _not_read)
        last = follower.catch_up()
    assert last == gallery.sequence
    assert len(records.fresh) == 0
    rebuilt = Gallery()
    GalleryFollower(database, records, rebuilt).catch_up()
    for seed in range(3):
        answers = [
            each.search(_person(seed).tenprint, limit=3, threshold=Score(0.0)) for each in (gallery, rebuilt)
        ]
        assert answers[0] == answers[1]


def test_what_is_rolled_back_never_enters(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    elsewhere: tuple[Database, Records],
) -> None:
    """Neither is it held, nor does it pass for what another process stores under its id and number."""
    encounter = _person(1)
    with pytest.raises(_Undone):
        _store(database, records, encounter, then=_undo)
    assert len(records.fresh) == 0
    follower.catch_up()
    assert len(gallery) == 0
    _store(*elsewhere, _person(2, name=encounter.encounter_id))
    follower.catch_up()
    assert _found(gallery, 1) == []
    assert _found(gallery, 2) == [encounter.encounter_id]


def test_what_is_erased_before_it_was_followed_is_gone(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """Also from memory, and at once."""
    _store(database, records, _person(1))
    _store(database, records, _person(2))
    with database.transaction() as tx:
        last = records.erase(tx, "e-1")
    assert len(records.fresh) == 1
    assert follower.catch_up() == last == gallery.sequence
    assert len(gallery) == 1
    assert _found(gallery, 1) == []
    assert _found(gallery, 2) == ["e-2"]


def test_what_another_process_erases_is_gone(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    elsewhere: tuple[Database, Records],
) -> None:
    """The change log says so, whatever is still in memory; then it is not in memory either."""
    _store(database, records, _person(1))
    other, their_records = elsewhere
    with other.transaction() as tx:
        their_records.erase(tx, "e-1")
    follower.catch_up()
    assert len(gallery) == len(records.fresh) == 0


def test_what_was_changed_since_is_taken_as_it_is_now(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """Its galleries, and whether it may be found at all."""
    for seed in (1, 2):
        _store(database, records, _person(seed))
    with database.transaction() as tx:
        records.amend(tx, "e-1", Amendment(galleries=("BORDER",)))
        records.amend(tx, "e-2", Amendment(status=EncounterStatus.INACTIVE))
    follower.catch_up()
    assert _found(gallery, 1, Filter(galleries=frozenset({"BORDER"}))) == ["e-1"]
    assert _found(gallery, 1, Filter(galleries=frozenset({"ALL"}))) == []
    assert len(gallery) == 1
    assert len(records.fresh) == 0


def test_what_may_not_be_found_is_not_held(
    database: Database, records: Records, gallery: Gallery, follower: GalleryFollower
) -> None:
    """An inactive encounter, and one whose prints nobody prepared."""
    _store(database, records, replace(_person(1), status=EncounterStatus.INACTIVE))
    with database.transaction() as tx:
        records.add(tx, _person(2))
    assert len(records.fresh) == 0
    follower.catch_up()
    assert _found(gallery, 1) == []
    assert _found(gallery, 2) == ["e-2"]


def test_more_than_is_held_and_more_than_one_batch_are_followed(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What memory let go is read; in a full batch nothing is known to be the newest."""
    count = MOST + 3
    for seed in range(count):
        _store(database, records, _person(seed))
    assert len(records.fresh) == MOST
    with database.transaction() as tx:
        records.erase(tx, f"e-{count - 1}")
    monkeypatch.setattr(follower_module, "BATCH", 4)
    follower.catch_up()
    assert [seed for seed in range(count) if _found(gallery, seed)] == list(range(count - 1))
    assert len(records.fresh) == 0


def test_two_services_follow_each_other(
    database: Database,
    records: Records,
    gallery: Gallery,
    follower: GalleryFollower,
    elsewhere: tuple[Database, Records],
) -> None:
    """Each stores, from two threads, and searches at once: it finds its own, and in the end both find all."""
    other, their_records = elsewhere
    their_gallery = Gallery()
    theirs = GalleryFollower(other, their_records, their_gallery)
    theirs.catch_up()
    services = ((database, records, gallery, follower), (other, their_records, their_gallery, theirs))

    def work(seed: int) -> bool:
        place, store, found_in, following = services[seed % 2]
        sequence = _store(place, store, _person(seed))
        return following.catch_up() >= sequence and _found(found_in, seed) == [f"e-{seed}"]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(16)))
    assert follower.catch_up() == theirs.catch_up()
    for each in (gallery, their_gallery):
        assert len(each) == 16
        assert all(_found(each, seed) == [f"e-{seed}"] for seed in range(16))


@pytest.mark.parametrize(
    "biographic",
    [{}, {"gender": "female", "dateOfBirth": "1990-05-01"}, {"sex": " m ", "dateOfBirth": 1990}, {"sex": 3}],
)
def test_traits_told_are_those_that_are_read(
    database: Database, records: Records, biographic: dict[str, object]
) -> None:
    """Or a filter would pass people by until the next start."""
    encounter = replace(_person(1), biographic=biographic, category="2", galleries=("ALL", "BORDER"))
    _store(database, records, encounter)
    with database.reading() as tx:
        read = traits_of(tx, records.envelope.keys_of(tx, ["e-1"]))
    assert read == {"e-1": traits_told(encounter)}


def test_a_number_of_another_encounter_is_no_match() -> None:
    """And what is asked for once is gone, matching or not."""
    fresh = FreshPrints()
    fresh.put(3, FreshPrint("e-1", b"prints", Traits()))
    assert fresh.take(3, "e-2") is None
    assert fresh.take(3, "e-1") is None
    fresh.put(4, FreshPrint("e-1", b"prints", Traits()))
    assert "prints" not in repr(fresh.take(4, "e-1")).lower().replace("freshprint", "")
