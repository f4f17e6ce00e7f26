"""Prints and names lie sealed on disk, open only where they belong, and die with their encounter's key."""

from __future__ import annotations

import os
import random
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update
from stored_people import random_encounter, with_picture

from enrollment import resealing
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.doctor import examine
from enrollment.encounter import Encounter
from enrollment.envelope import DataKey, Envelope, Particulars, adopt_keyring, period_of
from enrollment.errors import DamagedRecord, FingerprintError, KeyUnavailable
from enrollment.follower import GalleryFollower
from enrollment.formats import template_v1
from enrollment.keyring import Keyring
from enrollment.record_rows import image_row, particulars_columns, template_row
from enrollment.record_writer import Amendment
from enrollment.records import Records
from enrollment.sealing import associated_data
from enrollment.tables import data_keys, encounters, fingers, images, persons, prepared_prints, templates
from matcher.codes import FingerPosition
from matcher.gallery import Gallery

INDEX = FingerPosition.RIGHT_INDEX
PICTURE = b"ridges and valleys " * 50
NAME = "Vandersteen-Canary"
#: Random bits to flip; `make torture` asks for 10,000.
TAMPERS = int(os.environ.get("TENPRINT_TORTURE_TAMPERS", "60"))
SEED = int(os.environ.get("TENPRINT_TORTURE_SEED", "5"))


def _named(seed: int) -> tuple[Encounter, dict[FingerPosition, bytes]]:
    encounter = replace(
        random_encounter(seed, positions=(INDEX,)),
        biographic={"lastName": NAME},
        contextual={"note": NAME},
        client_data=NAME.encode(),
    )
    return with_picture(encounter, PICTURE)


def _add(database: Database, records: Records, *seeds: int) -> None:
    with database.transaction() as tx:
        for seed in seeds:
            records.add(tx, *_named(seed))


def _no_progress(done: int, total: int) -> None:
    assert 0 < done <= total


def test_what_is_said_of_a_person_comes_back(database: Database, records: Records) -> None:
    """Sealed and opened, amended and opened: the same words."""
    _add(database, records, 1)
    with database.transaction() as tx:
        records.amend(tx, "e-1", Amendment(contextual={"place": "Brussels"}))
        records.amend(tx, "e-1", Amendment(purpose="police"))
    with database.reading() as tx:
        read = records.get(tx, "e-1")
        row = tx.execute(select(encounters)).one()
    assert (read.biographic, read.contextual) == ({"lastName": NAME}, {"place": "Brussels"})
    assert (read.client_data, read.purpose) == (NAME.encode(), "police")
    assert (row.biographic, row.contextual, row.client_data) == ({}, {}, None)
    assert NAME.encode() not in row.sealed


def test_nothing_of_it_is_on_the_disk(tmp_path: Path) -> None:
    """Neither name, picture nor template is in any file: database, journal, pictures, keys."""
    with Database.open(tmp_path) as database:
        records = Records(database, BlobStore(tmp_path / "blobs"), Keyring.open(tmp_path / "keys"))
        _add(database, records, 1, 2)
        contents = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    encoded = template_v1.encode(_named(1)[0].tenprint[INDEX])
    for canary in (NAME.encode(), PICTURE[:20], encoded, encoded[20:60]):
        assert canary not in contents
    assert b"e-1" in contents, "the search would find what is there"


SWAPS = {
    "template of another encounter": update(templates)
    .where(templates.c.encounter_id == "e-1")
    .values(
        data=select(templates.c.data).where(templates.c.encounter_id == "e-2").scalar_subquery(),
    ),
    "data key of another encounter": update(data_keys)
    .where(data_keys.c.encounter_id == "e-1")
    .values(wrapped=text("(SELECT wrapped FROM data_keys WHERE encounter_id = 'e-2')")),
    "name of another encounter": update(encounters)
    .where(encounters.c.encounter_id == "e-1")
    .values(sealed=text("(SELECT sealed FROM encounters WHERE encounter_id = 'e-2')")),
    "no name": update(encounters).where(encounters.c.encounter_id == "e-1").values(sealed=None),
    "template of another codec": update(templates)
    .where(templates.c.encounter_id == "e-1")
    .values(data=b"\x01" + bytes(100)),
    "no data key": delete(data_keys).where(data_keys.c.encounter_id == "e-1"),
    "picture of another encounter": update(images)
    .where(images.c.encounter_id == "e-1")
    .values(blob=text("(SELECT blob FROM images WHERE encounter_id = 'e-2')")),
}


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS.keys())
def test_what_was_swapped_does_not_open(database: Database, records: Records, swap: object) -> None:
    """Every sealed value knows its row: nothing opens elsewhere, and a lost key is no way to plaintext."""
    _add(database, records, 1, 2)
    with database.transaction() as tx:
        tx.execute(swap)  # type: ignore[call-overload]
    with pytest.raises(FingerprintError), database.reading() as tx:  # noqa: PT012 - one of the two is hit
        records.get(tx, "e-1")
        records.image(tx, "e-1", INDEX)
    with database.reading() as tx:
        records.get(tx, "e-2")
        assert records.image(tx, "e-2", INDEX) == PICTURE


def test_every_flipped_bit_of_a_stored_ciphertext_is_found(
    database: Database, records: Records, blobs: BlobStore, tmp_path: Path
) -> None:
    """In templates, prepared prints, names, keys and pictures, wherever it is: nothing changed opens."""
    _add(database, records, 1)
    GalleryFollower(database, records, Gallery()).catch_up()
    chance = random.Random(SEED)
    (picture,) = ((tmp_path / "blobs" / each[:2] / each) for each in blobs.addresses())
    columns = (
        (templates, "data"),
        (encounters, "sealed"),
        (data_keys, "wrapped"),
        (prepared_prints, "data"),
    )
    for _ in range(TAMPERS):
        kind = chance.randrange(5)
        if kind == 4:
            sound = picture.read_bytes()
            picture.write_bytes(_flipped(sound, chance))
            with pytest.raises(DamagedRecord), database.reading() as tx:
                records.image(tx, "e-1", INDEX)
            picture.write_bytes(sound)
            continue
        table, column = columns[kind]
        with database.transaction() as tx:
            sound = tx.execute(select(table.c[column])).scalar_one()
            tx.execute(update(table).values({column: _flipped(sound, chance)}))
        with database.reading() as tx:
            if table is prepared_prints:
                assert not records.prepared(tx, records.envelope.keys_of(tx, ["e-1"]))
            else:
                with pytest.raises(DamagedRecord):
                    records.get(tx, "e-1")
        with database.transaction() as tx:
            tx.execute(update(table).values({column: sound}))
    assert list(examine(database, records)) == []


def _flipped(data: bytes, chance: random.Random) -> bytes:
    bit = chance.randrange(8 * len(data))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_erased_encounter_takes_its_key_with_it(tmp_path: Path) -> None:
    """No copy of the wrapped key is left in the database file or its journal: crypto-erasure."""
    with Database.open(tmp_path) as database:
        records = Records(database, BlobStore(tmp_path / "blobs"), Keyring.open(tmp_path / "keys"))
        _add(database, records, 1, 2)
        with database.reading() as tx:
            wrapped = {row.encounter_id: row.wrapped for row in tx.execute(select(data_keys))}
        with database.transaction() as tx:
            records.erase(tx, "e-1")
        contents = b"".join(file.read_bytes() for file in tmp_path.glob("tenprint.sqlite3*"))
        assert wrapped["e-1"] not in contents
        assert wrapped["e-2"] in contents


def test_rotation_changes_every_wrapped_key_and_nothing_else(
    database: Database, records: Records, keyring: Keyring, tmp_path: Path
) -> None:
    """Afterwards the store reads as before, the old keys are gone, and so is what only they opened."""
    _add(database, records, *range(5))
    with database.reading() as tx:
        before = {row.encounter_id: row for row in tx.execute(select(data_keys))}
    old = set(keyring.key_ids())
    assert resealing.rotate(database, records, keyring, _no_progress) == 5
    assert not old & set(keyring.key_ids())
    with database.reading() as tx:
        for row in tx.execute(select(data_keys)):
            assert row.wrapped != before[row.encounter_id].wrapped
            records.get(tx, row.encounter_id)
            assert records.image(tx, row.encounter_id, INDEX) == PICTURE
    with pytest.raises(KeyUnavailable, match="destroyed"):
        Envelope(Keyring.open(tmp_path / "keys")).unwrap(before["e-1"])


def test_interrupted_rotation_is_finished(
    database: Database, records: Records, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after any batch, it goes on; encounters stored meanwhile are under the new key already."""
    monkeypatch.setattr(resealing, "BATCH", 2)
    _add(database, records, *range(5))

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resealing.rotate(database, records, keyring, stop)
    assert len(keyring.superseded()) == 1
    _add(database, records, 5)
    assert resealing.rotate(database, records, keyring, _no_progress) == 3
    assert len(keyring.key_ids()) == 1
    with database.reading() as tx:
        assert len(records.tenprints(tx, [f"e-{seed}" for seed in range(6)])) == 6


def test_rotation_under_load_fails_no_request(
    database: Database, records: Records, keyring: Keyring, blobs: BlobStore, tmp_path: Path
) -> None:
    """Another process (here: another keyring) reads and enrols while the keys change three times."""
    _add(database, records, *range(8))
    service = Records(database, blobs, Keyring.open(tmp_path / "keys"))
    stop = threading.Event()

    def read() -> int:
        done = 0
        while not stop.is_set():
            with database.reading() as tx:
                streamed = list(service.encoded(tx, service.searchable(tx)))
                assert service.image(tx, f"e-{done % 8}", INDEX) == PICTURE
            assert len([each.decode() for each in streamed]) >= 8
            done += 1
        return done

    def enrol() -> int:
        done = 0
        while not stop.is_set():
            _add(database, service, 100 + done)
            done += 1
        return done

    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(read), pool.submit(read), pool.submit(enrol)]
        for _ in range(3):
            resealing.rotate(database, records, keyring, lambda _done, _total: None)
        stop.set()
        assert all(each.result() > 0 for each in work)
    assert list(examine(database, service)) == []


def test_keys_of_which_nothing_is_left_are_destroyed(
    database: Database, records: Records, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the last encounter of a period is erased, so is its key, and old backups of it stay closed."""
    keyring.wrap("2016-11.1", bytes(32), b"")
    _add(database, records, 1)
    assert resealing.destroy_unused(database, keyring) == ["2016-11.1/1"]
    assert len(keyring.key_ids()) == 1


@pytest.fixture
def older(database: Database, blobs: BlobStore, keyring: Keyring) -> None:
    """Two encounters as a version before sealing stored them, one picture between them."""
    for seed in (1, 2):
        encounter, pictures = _named(seed)
        key = DataKey.new(encounter.encounter_id)
        row = {
            name: getattr(encounter, name) for name in ("encounter_id", "person_id", "captured_at", "purpose")
        }
        row |= {"status": "ACTIVE", "encounter_type": "ENROLLMENT", "category": "1"}
        row |= {"created_at": encounter.captured_at, "updated_at": encounter.captured_at}
        row |= {"biographic": encounter.biographic, "contextual": {}, "client_data": b"as it came"}
        image = image_row(encounter.encounter_id, encounter.images[INDEX], "", 0)
        template = template_row(INDEX, encounter.tenprint[INDEX], key)
        plain = template_v1.encode(encounter.tenprint[INDEX])
        finger = {
            "encounter_id": encounter.encounter_id,
            "position": 2,
            "impression": 0,
            "extractor": "test/1",
        }
        finger |= {"quality": 50, "quality_algorithm": "test/1", "defects": []}
        with database.transaction() as tx:
            tx.execute(
                insert(persons), {"person_id": encounter.person_id, "created_at": encounter.captured_at}
            )
            tx.execute(insert(encounters), row)
            tx.execute(
                text("INSERT INTO encounter_galleries (encounter_id, gallery) VALUES (:id, 'REGISTER')"),
                {"id": encounter.encounter_id},
            )
            tx.execute(insert(fingers), finger)
            tx.execute(insert(templates), template | {"data": plain})
            tx.execute(insert(images), image | {"blob": None, "blob_at": None})
        blobs.put(pictures[INDEX])
    with database.reading() as tx:
        adopt_keyring(tx, keyring)


@pytest.mark.usefixtures("older")
def test_older_store_is_read_sealed_and_then_refuses_plaintext(
    database: Database, records: Records, keyring: Keyring, blobs: BlobStore
) -> None:
    """Before and after sealing it reads the same; afterwards no plaintext is left and none is taken."""
    for act in (_no_progress, None):
        with database.reading() as tx:
            read = records.get(tx, "e-1")
            assert (read.biographic, read.client_data) == ({"lastName": NAME}, b"as it came")
            assert records.image(tx, "e-2", INDEX) == PICTURE
            assert len(records.tenprints(tx, ["e-1", "e-2"])) == 2
        assert keyring.plaintext is (act is not None)
        if act is not None:
            with database.transaction() as tx:
                records.amend(tx, "e-2", Amendment(contextual={"note": "seen"}))
            assert resealing.seal(database, records, keyring, act) == 2
    assert PICTURE not in [blobs.get(address) for address in blobs.addresses()]
    assert resealing.seal(database, records, keyring, _no_progress) == 0
    with database.transaction() as tx:
        tx.execute(delete(data_keys))
    with pytest.raises(DamagedRecord, match="lost its data key"), database.reading() as tx:
        records.get(tx, "e-1")


@pytest.mark.usefixtures("older")
def test_interrupted_sealing_is_finished(database: Database, records: Records, keyring: Keyring) -> None:
    """Each encounter is sealed at once or not at all; one that is erased meanwhile is passed over."""

    def erase_the_next(done: int, total: int) -> None:
        assert (done, total) == (1, 2)
        with database.transaction() as tx:
            records.erase(tx, "e-2")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resealing.seal(database, records, keyring, erase_the_next)
    assert keyring.plaintext
    resealing._seal_one(database, records, "e-1")
    resealing._seal_one(database, records, "e-2")
    assert resealing.seal(database, records, keyring, _no_progress) == 0
    assert not keyring.plaintext
    with database.reading() as tx:
        assert records.image(tx, "e-1", INDEX) == PICTURE


def test_store_is_not_opened_with_another_keyring(
    database: Database, records: Records, keyring: Keyring, tmp_path: Path
) -> None:
    """Nothing is enrolled under new keys while the old ones are mislaid."""
    _add(database, records, 1)
    with database.reading() as tx:
        adopt_keyring(tx, keyring)
    with pytest.raises(KeyUnavailable, match="put the right one back"), database.reading() as tx:
        adopt_keyring(tx, Keyring.open(tmp_path / "others"))


def test_pictures_of_another_encounter_are_refused(database: Database, records: Records) -> None:
    """What was sealed for one encounter cannot be stored with the next."""
    sealed = records.seal(*_named(1))
    with pytest.raises(ValueError, match="another encounter"), database.transaction() as tx:
        records.add(tx, _named(2)[0], sealed)


def test_periods_and_keys_are_named_and_never_shown() -> None:
    """A month and a digit; a key's name without the key."""
    encounter = random_encounter(1)
    assert period_of(encounter.captured_at, "1") == "2026-11.1"
    assert (
        period_of(encounter.captured_at, "nonsense") == period_of(encounter.captured_at, None) == "2026-11.-"
    )
    key = DataKey.new("e-1")
    assert repr(key) == "DataKey('e-1')"
    particulars = Particulars({"é": 1}, {}, None)
    assert key.open_particulars(particulars_columns(particulars, key)["sealed"]) == particulars


def test_keys_are_read_beside_their_own_encounters(database: Database, records: Records) -> None:
    """Each under its own id, in one statement for many."""
    _add(database, records, *range(3))
    with database.reading() as tx:
        wrapped = {row.encounter_id: row for row in tx.execute(select(data_keys))}
        found = records.envelope.keys_of(tx, ["e-0", "e-2", "e-9"])
        assert {name: key.key for name, key in found.items() if key is not None} == {
            name: records.envelope.unwrap(wrapped[name]).key for name in ("e-0", "e-2")
        }
        assert [key.encounter_id for key in found.values() if key is not None] == list(found)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            records.envelope.keys_of(tx, ["e-1"])


def test_key_of_a_period_with_a_slash_stays_in_it(database: Database, records: Records) -> None:
    """The version is what follows the last slash, nothing else."""
    _add(database, records, 1)
    keyring = records.envelope._keyring
    with database.transaction() as tx:
        row = tx.execute(select(data_keys)).one()
        key = records.envelope.unwrap(row)
        key_id, sealed = keyring.wrap("2026/11.1", key.key, associated_data("data_keys", "e-1"))
        tx.execute(update(data_keys).values(key_id=key_id, wrapped=sealed))
        again = records.envelope.rewrap(tx.execute(select(data_keys)).one())
    assert again[0] == key_id == "2026/11.1/1"
