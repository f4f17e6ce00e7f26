"""What a process has just stored enters its own gallery from memory, and only what the store holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

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


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """One service at the store, its gallery at the end of the change log."""

    database: Database
    records: Records
    gallery: Gallery
    follower: GalleryFollower

    @staticmethod
    def at(database: Database, records: Records) -> Process:
        """A process that starts now."""
        gallery = Gallery()
        follower = GalleryFollower(database, records, gallery)
        follower.catch_up()
        return Process(database, records, gallery, follower)

    def store(self, encounter: Encounter, then: Callable[[], None] = lambda: None) -> int:
        """As the desk does: with the prints that its search prepared."""
        sealed = self.records.seal(encounter, prepared=prepared_as_stored(encounter.tenprint))
        with self.database.transaction() as tx:
            sequence = self.records.add(tx, encounter, sealed)
            then()
        return sequence

    def found(self, seed: int, only: Filter | None = None) -> list[str]:
        """Who is found by the seed's own print."""
        answer = self.gallery.search(_person(seed).tenprint, limit=3, threshold=Score(40.0), only=only)
        return [candidate.reference_id for candidate in answer.suggestions]


@pytest.fixture
def here(database: Database, records: Records) -> Process:
    """A process at an empty store."""
    return Process.at(database, records)


@pytest.fixture
def elsewhere(database_place: str, records: Records, keyring: Keyring) -> Iterator[Process]:
    """Another one, at the same store."""
    with Database.open(database_place) as other:
        yield Process.at(other, Records(other, records.blobs, keyring))


def _person(seed: int, name: str = "") -> Encounter:
    encounter = random_encounter(seed, positions=(INDEX,))
    return replace(encounter, encounter_id=name) if name else encounter


def _undo() -> None:
    raise _Undone


def _not_read(*_arguments: object) -> None:
    raise AssertionError("read from the store")


def test_what_was_stored_here_is_not_read_back(here: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is searched with the scores of a gallery filled from the store, and held no longer."""
    for seed in range(3):
        here.store(_person(seed))
    assert len(here.records.fresh) == 3
    with monkeypatch.context() as patched:
        for name in ("prepared", "encoded"):
            patched.setattr(RecordReader, name, _not_read)
        last = here.follower.catch_up()
    assert last == here.gallery.sequence
    assert len(here.records.fresh) == 0
    rebuilt = Process.at(here.database, here.records)
    for seed in range(3):
        answers = [
            each.gallery.search(_person(seed).tenprint, limit=3, threshold=Score(0.0))
            for each in (here, rebuilt)
        ]
        assert answers[0] == answers[1]


def test_what_is_rolled_back_never_enters(here: Process, elsewhere: Process) -> None:
    """Neither is it held, nor does it pass for what another process stores under its id and number."""
    encounter = _person(1)
    with pytest.raises(_Undone):
        here.store(encounter, then=_undo)
    assert len(here.records.fresh) == 0
    here.follower.catch_up()
    assert len(here.gallery) == 0
    elsewhere.store(_person(2, name=encounter.encounter_id))
    here.follower.catch_up()
    assert here.found(1) == []
    assert here.found(2) == [encounter.encounter_id]


def test_what_is_erased_before_it_was_followed_is_gone(here: Process) -> None:
    """Also from memory, and at once."""
    here.store(_person(1))
    here.store(_person(2))
    with here.database.transaction() as tx:
        last = here.records.erase(tx, "e-1")
    assert len(here.records.fresh) == 1
    assert here.follower.catch_up() == last == here.gallery.sequence
    assert len(here.gallery) == 1
    assert here.found(1) == []
    assert here.found(2) == ["e-2"]


def test_what_another_process_erases_is_gone(here: Process, elsewhere: Process) -> None:
    """The change log says so, whatever is still in memory; then it is not in memory either."""
    here.store(_person(1))
    with elsewhere.database.transaction() as tx:
        elsewhere.records.erase(tx, "e-1")
    here.follower.catch_up()
    assert len(here.gallery) == len(here.records.fresh) == 0


def test_what_was_changed_since_is_taken_as_it_is_now(here: Process) -> None:
    """Its galleries, and whether it may be found at all."""
    for seed in (1, 2):
        here.store(_person(seed))
    with here.database.transaction() as tx:
        here.records.amend(tx, "e-1", Amendment(galleries=("BORDER",)))
        here.records.amend(tx, "e-2", Amendment(status=EncounterStatus.INACTIVE))
    here.follower.catch_up()
    assert here.found(1, Filter(galleries=frozenset({"BORDER"}))) == ["e-1"]
    assert here.found(1, Filter(galleries=frozenset({"ALL"}))) == []
    assert len(here.gallery) == 1
    assert len(here.records.fresh) == 0


def test_what_may_not_be_found_is_not_held(here: Process) -> None:
    """An inactive encounter, and one whose prints nobody prepared."""
    here.store(replace(_person(1), status=EncounterStatus.INACTIVE))
    with here.database.transaction() as tx:
        here.records.add(tx, _person(2))
    assert len(here.records.fresh) == 0
    here.follower.catch_up()
    assert here.found(1) == []
    assert here.found(2) == ["e-2"]


def test_more_than_is_held_and_more_than_one_batch_are_followed(
    here: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What memory let go is read; in a full batch nothing is known to be the newest."""
    count = MOST + 3
    for seed in range(count):
        here.store(_person(seed))
    assert len(here.records.fresh) == MOST
    with here.database.transaction() as tx:
        here.records.erase(tx, f"e-{count - 1}")
    monkeypatch.setattr(follower_module, "BATCH", 4)
    here.follower.catch_up()
    assert [seed for seed in range(count) if here.found(seed)] == list(range(count - 1))
    assert len(here.records.fresh) == 0


def test_two_services_follow_each_other(here: Process, elsewhere: Process) -> None:
    """Each stores, from two threads, and searches at once: it finds its own, and in the end both find all."""
    services = (here, elsewhere)

    def work(seed: int) -> bool:
        service = services[seed % 2]
        sequence = service.store(_person(seed))
        return service.follower.catch_up() >= sequence and service.found(seed) == [f"e-{seed}"]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(16)))
    assert here.follower.catch_up() == elsewhere.follower.catch_up()
    for service in services:
        assert len(service.gallery) == 16
        assert all(service.found(seed) == [f"e-{seed}"] for seed in range(16))


@pytest.mark.parametrize(
    "biographic",
    [{}, {"gender": "female", "dateOfBirth": "1990-05-01"}, {"sex": " m ", "dateOfBirth": 1990}, {"sex": 3}],
)
def test_traits_told_are_those_that_are_read(here: Process, biographic: dict[str, object]) -> None:
    """Or a filter would pass people by until the next start."""
    encounter = replace(_person(1), biographic=biographic, category="2", galleries=("ALL", "BORDER"))
    here.store(encounter)
    with here.database.reading() as tx:
        read = traits_of(tx, here.records.envelope.keys_of(tx, ["e-1"]))
    assert read == {"e-1": traits_told(encounter)}


def test_a_number_of_another_encounter_is_no_match() -> None:
    """And what is asked for once is gone, matching or not."""
    fresh = FreshPrints()
    fresh.put(3, FreshPrint("e-1", b"prints", Traits()))
    assert fresh.take(3, "e-2") is None
    assert fresh.take(3, "e-1") is None
    fresh.put(4, FreshPrint("e-1", b"prints", Traits()))
    assert "prints" not in repr(fresh.take(4, "e-1")).lower().replace("freshprint", "")
