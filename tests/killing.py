"""kill -9 as a test: a process that enrols is killed, and what it acknowledged is sought."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from enrolling_process import INDEX, TOGETHER, EnrollingProcess, keys_beside, picture_of
from sqlalchemy import text
from stored_people import random_encounter

from enrollment import audit_log
from enrollment.audit_checkpoints import Signer
from enrollment.audit_verification import verify
from enrollment.blobs import BlobStore
from enrollment.change_log import Operation
from enrollment.database import Database
from enrollment.follower import GalleryFollower
from enrollment.keyring import Keyring
from enrollment.records import Records
from matcher.gallery import Gallery
from matcher.scoring import Score

#: Encounters asked for beyond the one after which the process is killed: it must not run out of work first.
AHEAD = 100


def enrol_and_kill(process: EnrollingProcess, *, kills: int, most: int, chance: random.Random) -> int:
    """Start and kill the process `kills` times while it enrols; gives how many seeds it acknowledged.

    It is killed within 20 ms of a random acknowledgement, the `most`-th of a life at the latest, while more
    are asked for; those are asked for again. Between two of these it is killed once more, while it opens the
    store and fills its gallery. Nothing here hangs on how fast the machine is.
    """
    acknowledged = 0
    for _ in range(kills):
        process.start()
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.start()
        size = process.ready()
        assert size is not None
        assert size >= acknowledged, "after a restart the gallery lacks what was acknowledged"
        last = acknowledged + chance.randint(0, most)
        killer = threading.Timer(chance.uniform(0, 0.02), process.kill)
        for seed in process.enrol_many(acknowledged, last + AHEAD):
            acknowledged = seed + 1
            if seed == last:
                killer.start()
        killer.join()
    return acknowledged


def check_store(
    place: str,
    blobs: Path,
    acknowledged: Sequence[int],
    *,
    sought: Iterable[int] | None = None,
    audited: bool = False,
) -> None:
    """Every acknowledged encounter is there once, whole, and found; at most `TOGETHER` more were under way.

    sought: those to search for, all unless given. audited: each was enrolled with its row of the audit log.
    """
    with Database.open(place) as database:
        keyring = Keyring.open(keys_beside(blobs))
        records, gallery = Records(database, BlobStore(blobs), keyring), Gallery()
        GalleryFollower(database, records, gallery).catch_up()
        with database.reading() as tx:
            if database.dialect == "sqlite":
                assert tx.execute(text("PRAGMA integrity_check")).scalar() == "ok"
            changes = records.changes(tx, 0, limit=1_000_000)
            stored = {each.encounter_id for each in changes}
            assert all(each.operation is Operation.ADD for each in changes)
            assert len(changes) == len(stored) == records.count(tx) == len(gallery)
            assert {f"e-{seed}" for seed in acknowledged} <= stored
            assert len(stored) <= len(acknowledged) + TOGETHER
            for seed in acknowledged:
                assert records.image(tx, f"e-{seed}", INDEX[0]) == picture_of(seed)
            if audited:
                assert audit_log.last_sequence(tx) == len(stored)
                verifier = Signer(keyring.secret("audit-signing")).verifier
                assert database.audit is not None
                assert list(verify(tx, database.audit, verifier)) == []
    for seed in acknowledged if sought is None else sought:
        probe = random_encounter(seed, positions=INDEX).tenprint
        best = gallery.search(probe, limit=1, threshold=Score(40.0)).candidates[0]
        assert best.reference_id == f"e-{seed}"
