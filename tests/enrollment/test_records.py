"""Encounters in the store: whole, once, and gone when erased."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, insert, select, text
from stored_people import failure, random_encounter, random_finger, random_template, with_picture

from enrollment import audit_log, record_reader
from enrollment.audit_log import AuditEntry
from enrollment.blobs import BlobStore
from enrollment.capture import FailureToAcquire, Finger
from enrollment.database import Database
from enrollment.doctor import examine
from enrollment.encounter import Encounter, EncounterStatus, new_id
from enrollment.errors import ConflictingRecord, DamagedRecord, MalformedRecord, UnknownRecord
from enrollment.record_writer import Amendment
from enrollment.records import Records
from enrollment.tables import metadata, released_blobs
from matcher.codes import FINGERS, FingerPosition
from matcher.template import Template

INDEX = FingerPosition.RIGHT_INDEX


def _same_template(one: Template, other: Template) -> bool:
    columns = ("x", "y", "kind", "quality")
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in columns)
        and np.allclose(one.angle, other.angle, atol=2 * np.pi / 65536)
        and (one.width_px, one.height_px) == (other.width_px, other.height_px)
    )


def _add(database: Database, records: Records, *encounters: Encounter) -> None:
    with database.transaction() as tx:
        for encounter in encounters:
            records.add(tx, encounter)


def _rows(database: Database) -> dict[str, int]:
    """Rows of every table that is not empty."""
    with database.reading() as tx:
        counts = {
            name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }
    return {name: count for name, count in counts.items() if count}


def _files(tmp_path: Path) -> int:
    return sum(path.is_file() for path in (tmp_path / "blobs").rglob("*"))


def test_encounter_comes_back_whole(database: Database, records: Records) -> None:
    """Every field, finger and picture is what was stored; the store adds its times."""
    whole, pictures = with_picture(
        replace(
            random_encounter(1),
            galleries=("asylum", "border"),
            status=EncounterStatus.INACTIVE,
            encounter_type="RENEWAL",
            client_data=b"\x00\xff",
            biographic={"nationality": "SYR", "aliases": ["Ünïcode"]},
            contextual={"place": "Brussels"},
        ),
        b"a picture",
        FingerPosition.PLAIN_RIGHT_FOUR,
    )
    fingers = dict(whole.fingers) | {INDEX: failure(INDEX)}
    whole = replace(whole, fingers=fingers)
    with database.transaction() as tx:
        records.add(tx, whole, pictures)
    with database.reading() as tx:
        read = records.get(tx, "e-1")
        assert records.image(tx, "e-1", FingerPosition.PLAIN_RIGHT_FOUR) == b"a picture"
    plain = [
        field.name for field in fields(Encounter) if field.name not in {"fingers", "created_at", "updated_at"}
    ]
    assert {name: getattr(read, name) for name in plain} == {name: getattr(whole, name) for name in plain}
    assert read.created_at is not None
    assert read.created_at == read.updated_at
    assert list(read.fingers) == sorted(fingers)
    assert read.fingers[INDEX] == fingers[INDEX]
    assert isinstance(read.fingers[INDEX], FailureToAcquire)
    assert read.tenprint.keys() == fingers.keys() - {INDEX}
    for position, template in read.tenprint.items():
        before, after = fingers[position], read.fingers[position]
        assert isinstance(before, Finger)
        assert isinstance(after, Finger)
        assert _same_template(template, before.template)
        assert (after.quality, after.extractor, after.impression) == (
            before.quality,
            before.extractor,
            before.impression,
        )


def test_templates_without_ridges_and_of_unknown_position_are_kept(
    database: Database, records: Records
) -> None:
    """An imported template has no ridge field, perhaps no minutiae, perhaps no position."""
    rng = np.random.default_rng(3)
    bare = replace(
        random_finger(rng, FingerPosition.UNKNOWN), template=random_template(rng, minutiae=0, ridges=False)
    )
    _add(database, records, replace(random_encounter(1), fingers={FingerPosition.UNKNOWN: bare}))
    with database.reading() as tx:
        (template,) = records.get(tx, "e-1").tenprint.values()
    assert len(template) == 0
    assert template.field is None


def test_known_encounter_id_is_refused(database: Database, records: Records) -> None:
    """An id exists once, also under another person, and the first encounter stays as it was."""
    _add(database, records, random_encounter(1))
    with pytest.raises(ConflictingRecord, match="e-1 exists already"):
        _add(database, records, random_encounter(2, encounter_id="e-1"))
    with database.reading() as tx:
        assert records.get(tx, "e-1").person_id == "p-1"
        assert not records.person_exists(tx, "p-2")
        assert [change.encounter_id for change in records.changes(tx, 0)] == ["e-1"]


def test_persons_own_their_encounters_in_order(database: Database, records: Records) -> None:
    """A person is created by the first encounter and joined by the next."""
    _add(database, records, *(random_encounter(seed, person_id="p", positions=()) for seed in (2, 1, 3)))
    _add(database, records, random_encounter(4, person_id="q", positions=()))
    with database.reading() as tx:
        assert [each.encounter_id for each in records.encounters_of(tx, "p")] == ["e-2", "e-1", "e-3"]
        assert records.persons_of(tx, ["e-1", "e-4", "nobody"]) == {"e-1": "p", "e-4": "q"}
        assert records.count(tx) == 4
        assert records.encounter_ids(tx, after="e-1", limit=2) == ["e-2", "e-3"]


@pytest.mark.parametrize("method", ["get", "encounters_of", "encounter_ids_of"])
def test_unknown_ids_are_named(database: Database, records: Records, method: str) -> None:
    """Reading what is not there is a named error."""
    with database.reading() as tx, pytest.raises(UnknownRecord, match="nobody"):
        getattr(records, method)(tx, "nobody")


@pytest.mark.parametrize("method", ["amend", "erase", "erase_person"])
def test_unknown_ids_cannot_be_changed(database: Database, records: Records, method: str) -> None:
    """Changing what is not there is a named error and leaves no trace."""
    arguments: tuple[Any, ...] = (Amendment(),) if method == "amend" else ()
    with pytest.raises(UnknownRecord, match="nobody"), database.transaction() as tx:
        getattr(records, method)(tx, "nobody", *arguments)
    assert _rows(database) == {}


def test_missing_picture_is_named(database: Database, records: Records) -> None:
    """An encounter without a picture of a position says so."""
    _add(database, records, random_encounter(1))
    with database.reading() as tx, pytest.raises(UnknownRecord, match="no picture of position 2"):
        records.image(tx, "e-1", INDEX)


def test_pictures_must_be_the_ones_described(database: Database, records: Records) -> None:
    """Bytes without description, descriptions without bytes and other bytes are refused, storing nothing."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    for wrong in (
        {},
        {INDEX: b"b picture"},
        {INDEX: b"longer picture"},
        pictures | {FingerPosition.UNKNOWN: b""},
    ):
        with pytest.raises(MalformedRecord), database.transaction() as tx:
            records.add(tx, encounter, wrong)
    assert _rows(database) == {}


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "../etc", "-option", ".", "ä", "a/b", "a\n"])
def test_ids_that_could_mean_something_else_are_refused(name: str) -> None:
    """Ids are safe in paths, options, logs and addresses."""
    with pytest.raises(MalformedRecord, match="1-64 characters"):
        random_encounter(1, encounter_id=name)
    with pytest.raises(MalformedRecord, match="1-64 characters"):
        random_encounter(1, person_id=name)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"galleries": ()}, "gallery"),
        ({"galleries": ("A", "A")}, "gallery"),
        ({"galleries": ("a b",)}, "gallery"),
        ({"fingers": {INDEX: failure(FingerPosition.LEFT_INDEX)}}, "disagree"),
        ({"fingers": {FingerPosition.PLAIN_THUMBS: failure(FingerPosition.PLAIN_THUMBS)}}, "slaps"),
    ],
)
def test_impossible_encounters_are_refused(change: dict[str, Any], complaint: str) -> None:
    """What no store should hold cannot be made."""
    with pytest.raises(MalformedRecord, match=complaint):
        replace(random_encounter(1), **change)


def test_naive_capture_time_is_refused() -> None:
    """A capture time needs a zone."""
    encounter = random_encounter(1)
    with pytest.raises(MalformedRecord, match="time zone"):
        replace(encounter, captured_at=encounter.captured_at.replace(tzinfo=None))


def test_new_ids_differ_and_are_ordered_by_time() -> None:
    """Our own ids are legal, unique, and rise."""
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert ids == sorted(ids)
    random_encounter(1, encounter_id=ids[0])


def test_erased_encounter_leaves_only_its_proof(database: Database, records: Records, tmp_path: Path) -> None:
    """Rows, templates and pictures go; the change log keeps the id, the audit log who and why."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    with database.transaction() as tx:
        added = records.add(tx, encounter, pictures)
    proof = AuditEntry("key-1", "operator", "erase", "done", legal_basis="Art. 29", asked={"file": "7"})
    with database.transaction() as tx:
        removed = records.erase(tx, "e-1", proof)
        assert _files(tmp_path) == 1
    assert _files(tmp_path) == 0
    assert removed > added
    assert _rows(database) == {"change_log": 2, "audit_log": 1}
    with database.reading() as tx:
        assert [(each.operation, each.encounter_id) for each in records.changes(tx, added)] == [
            ("REMOVE", "e-1")
        ]
        (entry,) = audit_log.entries(tx)
    assert database.audit is not None
    hidden = {name: database.audit.pseudonym(f"{name[0]}-1") for name in ("encounter_id", "person_id")}
    assert (entry.actor, entry.action, entry.legal_basis) == ("key-1", "erase", "Art. 29")
    assert entry.asked == {"file": "7", "erased": hidden | {"templates": 10, "images": 1}}


def test_erasure_that_is_rolled_back_erases_nothing(
    database: Database, records: Records, tmp_path: Path
) -> None:
    """Until it commits, an erasure is nothing: rows and pictures are all there."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    with database.transaction() as tx:
        records.add(tx, encounter, pictures)
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:  # noqa: PT012 - that is the claim
        records.erase(tx, "e-1")
        raise ZeroDivisionError
    with database.reading() as tx:
        assert records.image(tx, "e-1", INDEX) == b"a picture"
        assert len(records.get(tx, "e-1").tenprint) == 10


def test_one_picture_of_two_encounters_is_two(database: Database, records: Records, tmp_path: Path) -> None:
    """Each encounter has its own copy under its own key: erasing one leaves the other's."""
    for seed in (1, 2):
        encounter, pictures = with_picture(random_encounter(seed, positions=()), b"a picture")
        with database.transaction() as tx:
            records.add(tx, encounter, pictures)
    with database.transaction() as tx:
        records.erase(tx, "e-1")
    assert _files(tmp_path) == 1
    with database.reading() as tx:
        assert records.image(tx, "e-2", INDEX) == b"a picture"
    with database.transaction() as tx:
        records.erase(tx, "e-2")
    assert _files(tmp_path) == 0


def test_erased_person_leaves_no_encounter(database: Database, records: Records) -> None:
    """Erasing a person erases every encounter, with one proof each, and nobody else's."""
    _add(database, records, *(random_encounter(seed, person_id="p", positions=(INDEX,)) for seed in (1, 2)))
    _add(database, records, random_encounter(3, person_id="q", positions=(INDEX,)))
    with database.transaction() as tx:
        last = records.erase_person(tx, "p")
    with database.reading() as tx:
        assert last == records.last_sequence(tx)
        assert not records.person_exists(tx, "p")
        assert records.encounter_ids(tx) == ["e-3"]
        assert len(audit_log.entries(tx)) == 2


def test_pictures_that_could_not_be_deleted_are_deleted_later(
    database: Database,
    records: Records,
    blobs: BlobStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The erasure stands when the disk refuses; the list of what is to go survives until it is done."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    with database.transaction() as tx:
        records.add(tx, encounter, pictures)

    def refuse(_address: str) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(blobs, "delete", refuse)
        with database.transaction() as tx:
            records.erase(tx, "e-1")
    assert "will be tried again" in caplog.text
    assert _rows(database)["released_blobs"] == 1
    assert records.sweep_released() == 1
    assert list(blobs.addresses()) == []
    assert records.sweep_released() == 0


def test_released_picture_that_came_back_is_kept(
    database: Database, records: Records, blobs: BlobStore
) -> None:
    """A picture that an encounter refers to is never deleted, whatever the list says."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    with database.transaction() as tx:
        sealed = records.seal(encounter, pictures)
        tx.execute(insert(released_blobs), {"sha256": sealed.pictures.blob})
        records.add(tx, encounter, sealed)
    assert records.sweep_released() == 0
    with database.reading() as tx:
        assert records.image(tx, "e-1", INDEX) == b"a picture"


def test_orphans_are_swept_once_they_are_old(database: Database, records: Records, blobs: BlobStore) -> None:
    """Pictures of enrolments that never committed go after a day; those in use stay."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    sealed = records.seal(encounter, pictures)
    records.seal(encounter, pictures)
    with database.transaction() as tx:
        records.add(tx, encounter, sealed)
    assert records.sweep_orphans() == 0
    assert records.sweep_orphans(older_than=time.time() + 60) == 1
    with database.reading() as tx:
        assert records.image(tx, "e-1", INDEX) == b"a picture"
    assert len(list(blobs.addresses())) == 1


def test_galleries_hold_active_encounters(database: Database, records: Records) -> None:
    """A search limited to galleries gets the active encounters of any of them."""
    _add(
        database,
        records,
        replace(random_encounter(1, positions=()), galleries=("asylum", "border")),
        replace(random_encounter(2, positions=()), galleries=("border",)),
        replace(random_encounter(3, positions=()), galleries=("border",), status=EncounterStatus.INACTIVE),
    )
    with database.reading() as tx:
        assert records.in_galleries(tx, ["asylum"]) == {"e-1"}
        assert records.in_galleries(tx, ["asylum", "border"]) == {"e-1", "e-2"}
        assert records.in_galleries(tx, ["nowhere"]) == set()
        assert records.galleries(tx) == {"asylum": 1, "border": 3}


def test_amendment_changes_what_it_names_only(database: Database, records: Records) -> None:
    """None leaves a value; the update time moves; the prints cannot be named."""
    _add(database, records, random_encounter(1))
    with database.transaction() as tx:
        records.amend(tx, "e-1", Amendment(galleries=("border",), client_data=b"x", category="2"))
    with database.reading() as tx:
        read = records.get(tx, "e-1")
    assert (read.galleries, read.client_data, read.category) == (("border",), b"x", "2")
    assert (read.person_id, read.purpose, read.status) == ("p-1", "asylum", EncounterStatus.ACTIVE)
    assert len(read.tenprint) == 10
    assert read.created_at is not None
    assert read.updated_at is not None
    assert read.updated_at > read.created_at


def test_status_moves_an_encounter_out_of_the_gallery_and_back(database: Database, records: Records) -> None:
    """Each change of status is a change-log row; a repeated one is none."""
    with database.transaction() as tx:
        start = records.add(tx, random_encounter(1))
    for status in (EncounterStatus.INACTIVE, EncounterStatus.INACTIVE, EncounterStatus.ACTIVE):
        with database.transaction() as tx:
            records.amend(tx, "e-1", Amendment(status=status))
    with database.reading() as tx:
        assert [change.operation for change in records.changes(tx, start)] == ["REMOVE", "ADD"]
        assert records.tenprints(tx, ["e-1"]).keys() == {"e-1"}


def test_moved_encounter_belongs_to_the_other_person(database: Database, records: Records) -> None:
    """Merge and move: the encounter changes hands; a person left with nothing is not kept."""
    _add(database, records, random_encounter(1), random_encounter(2))
    with database.transaction() as tx:
        records.amend(tx, "e-1", Amendment(person_id="p-2"))
        with pytest.raises(MalformedRecord, match="person id"):
            records.amend(tx, "e-1", Amendment(person_id="p 2"))
    with database.reading() as tx:
        assert list(records.encounter_ids_of(tx, "p-2")) == ["e-1", "e-2"]
        assert not records.person_exists(tx, "p-1")


def test_tenprints_are_those_a_gallery_may_hold(
    database: Database, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bulk reading leaves out what is unknown, inactive or without templates, over several batches."""
    monkeypatch.setattr(record_reader, "BATCH", 8)
    many = [random_encounter(seed, positions=(INDEX,)) for seed in range(30)]
    without = replace(random_encounter(600, positions=()), fingers={INDEX: failure(INDEX)})
    inactive = replace(random_encounter(601, positions=(INDEX,)), status=EncounterStatus.INACTIVE)
    _add(database, records, *many, without, inactive)
    with database.reading() as tx:
        found = records.tenprints(tx, ["nobody", "e-600", "e-601", *(each.encounter_id for each in many)])
        pages, last = [], ""
        while page := records.searchable(tx, after=last, limit=7):
            pages.append(page)
            last = page[-1]
        assert records.count_searchable(tx) == 30
    streamed = [each for page in pages for each in page]
    assert streamed == sorted(streamed) == sorted(found)
    assert found.keys() == {each.encounter_id for each in many}
    for encounter in many[::10]:
        expected = encounter.tenprint[INDEX]
        assert _same_template(found[encounter.encounter_id][INDEX], expected)


def test_template_of_an_unknown_codec_is_refused(database: Database, records: Records) -> None:
    """Bytes of a codec this version does not know are never guessed at."""
    _add(database, records, random_encounter(1))
    with database.transaction() as tx:
        tx.execute(text("UPDATE templates SET codec = 'template_v9'"))
    with database.reading() as tx, pytest.raises(MalformedRecord, match="template_v9"):
        records.get(tx, "e-1")


def test_finger_without_its_template_is_noticed(database: Database, records: Records) -> None:
    """A row that was deleted behind the store's back is an error, not a finger less."""
    _add(database, records, random_encounter(1))
    with database.transaction() as tx:
        tx.execute(text("DELETE FROM templates WHERE position = 3"))
    with database.reading() as tx, pytest.raises(MalformedRecord, match="lost its template"):
        records.get(tx, "e-1")


def test_many_threads_enrol_at_once(database: Database, records: Records) -> None:
    """Concurrent enrolments of the same new persons: each encounter once, each person once."""

    def enrol(seed: int) -> int:
        encounter, pictures = with_picture(
            random_encounter(seed, person_id=f"p-{seed % 3}", positions=(INDEX,)), b"x"
        )
        sealed = records.seal(encounter, pictures)
        with database.transaction() as tx:
            return records.add(tx, encounter, sealed)

    with ThreadPoolExecutor(8) as pool:
        sequences = list(pool.map(enrol, range(40)))
    assert len(set(sequences)) == 40
    rows = _rows(database)
    assert (rows["encounters"], rows["persons"], rows["change_log"]) == (40, 3, 40)


def test_pictures_kept_beside_other_work_go_when_it_fails(records: Records, blobs: BlobStore) -> None:
    """What both give comes back; whatever the work raises, no picture is left of it."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    found, kept = records.keep_beside("e-1", pictures, lambda: "found")
    assert (found, list(blobs.addresses())) == ("found", [kept.blob])

    def fail() -> None:
        raise UnknownRecord("no gallery")

    with pytest.raises(UnknownRecord, match="no gallery"):
        records.keep_beside("e-2", {INDEX: b"another"}, fail)
    assert list(blobs.addresses()) == [kept.blob]
    for described in ({}, with_picture(encounter, b"b picture")[0].images):
        with pytest.raises(MalformedRecord):
            records.seal(replace(encounter, images=described), kept)
        with pytest.raises(MalformedRecord):
            records.seal(replace(encounter, images=described), pictures)
    assert list(blobs.addresses()) == [kept.blob]
    assert records.seal(encounter, kept).pictures == kept
    records.discard(kept)
    assert list(blobs.addresses()) == []


def test_pictures_of_ten_fingers_lie_in_one_file(
    database: Database, records: Records, blobs: BlobStore
) -> None:
    """Each opens in its own place only; they go together."""
    encounter = random_encounter(1)
    images, pictures = {}, {}
    for position in reversed(FINGERS):
        described, data = with_picture(encounter, b"picture %d" % position, position)
        images |= described.images
        pictures |= data
    with database.transaction() as tx:
        records.add(tx, replace(encounter, images=images), dict(sorted(pictures.items())))
    assert len(list(blobs.addresses())) == 1
    with database.reading() as tx:
        assert {each: records.image(tx, "e-1", each) for each in FINGERS} == pictures
    assert list(examine(database, records)) == []
    with database.transaction() as tx:
        tx.execute(text("UPDATE images SET blob_at = 0 WHERE position = 3"))
    with database.reading() as tx, pytest.raises(DamagedRecord):
        records.image(tx, "e-1", FingerPosition.RIGHT_MIDDLE)
    assert [each.check for each in examine(database, records)] == ["pictures"]
    with database.transaction() as tx:
        records.erase(tx, "e-1")
    assert list(blobs.addresses()) == []


def test_a_picture_with_a_file_of_its_own_is_read(
    database: Database, records: Records, blobs: BlobStore
) -> None:
    """As enrolments wrote them before they put all pictures of an encounter together."""
    encounter, pictures = with_picture(random_encounter(1), b"a picture")
    with database.transaction() as tx:
        sealed = records.seal(encounter, pictures)
        records.add(tx, encounter, sealed)
        tx.execute(text("UPDATE images SET blob_at = NULL"))
    assert list(blobs.addresses()) == [sealed.pictures.blob]
    with database.reading() as tx:
        assert records.image(tx, "e-1", INDEX) == b"a picture"
