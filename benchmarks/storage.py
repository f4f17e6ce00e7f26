"""What durable storage costs: a ten-print with ten pictures, sealed, audited and on disk; and the audit log.

Wall times hold the disk's syncs and whatever else the machine does; processor times do not. The desk's
enrolment is measured twice, with everything and with nothing stored: the difference is what storing adds.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from api.demo_register import fingers_of
from enrollment.audit_checkpoints import Signer, write_checkpoint
from enrollment.audit_verification import verify
from enrollment.blobs import BlobStore
from enrollment.capture import Capture
from enrollment.database import Database
from enrollment.encounter import Encounter, StoredImage, new_id
from enrollment.envelope import DataKey
from enrollment.follower import GalleryFollower
from enrollment.formats import template_v1
from enrollment.keyring import Keyring
from enrollment.record_rows import prepared_as_stored
from enrollment.record_writer import Sealed
from enrollment.records import Records
from enrollment.workers import ExtractionPool
from fixtures.capture import capture
from fixtures.finger import master_finger
from fixtures.templates import person
from matcher.candidates import CandidateList
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.gallery import Gallery
from matcher.scoring import Score
from workflow import audit, eurodac_queue
from workflow.audit import Action, Actor
from workflow.desk_answer import DeskAnswer
from workflow.desk_suggestions import Desk
from workflow.eurodac_profile import Profile
from workflow.registration import Repeat, register
from workflow.searching import Policy, Searcher

#: Size of a picture as received: a live-scan print as PNG or lossless JPEG 2000.
PICTURE_BYTES = 120_000
#: Rows of the audit log written in one transaction while it is filled, and at each checkpoint.
ROWS_TOGETHER, ROWS_A_CHECKPOINT = 500, 5_000
_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_ACTOR = Actor("benchmark", "operator")
_RESAMPLED = 500

#: Receives (stage, done, total).
Progress = Callable[[str, int, int], None]


@dataclass
class Clock:
    """Wall and processor milliseconds of one act, each time it was done."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure the block."""
        begun = now()
        yield
        self.note(begun)

    def note(self, begun: tuple[float, float]) -> None:
        """What began then has just ended."""
        wall, processor = now()
        self.wall.append(1e3 * (wall - begun[0]))
        self.processor.append(1e3 * (processor - begun[1]))

    def difference(self, more: Clock) -> Clock:
        """What `more` took beyond this, act by act."""
        return Clock(
            [after - before for before, after in zip(self.wall, more.wall, strict=True)],
            [after - before for before, after in zip(self.processor, more.processor, strict=True)],
        )

    def sum(self, more: Clock) -> Clock:
        """What both took, act by act."""
        return Clock(
            [each + other for each, other in zip(self.wall, more.wall, strict=True)],
            [each + other for each, other in zip(self.processor, more.processor, strict=True)],
        )

    def report(self) -> dict[str, Any]:
        """Medians with their 95 % intervals, and the 95th percentile, milliseconds."""
        ranked = sorted(self.wall)
        return {
            "n": len(self.wall),
            "wall_ms_p50": statistics.median(self.wall),
            "wall_ms_p50_ci95": interval(self.wall),
            "wall_ms_p95": ranked[int(0.95 * (len(ranked) - 1))],
            "processor_ms_p50": statistics.median(self.processor),
        }


@dataclass(frozen=True, slots=True)
class Watched(Searcher):
    """Says how long its last search took, and when it ended."""

    clock: Clock = field(default_factory=Clock)
    ended: list[tuple[float, float]] = field(default_factory=list)

    def search(self, *args: Any, **kwargs: Any) -> CandidateList:
        """As any."""
        with self.clock.running():
            found = Searcher.search(self, *args, **kwargs)
        self.ended.append(now())
        return found


def now() -> tuple[float, float]:
    """Wall and processor time, seconds."""
    return time.perf_counter(), time.process_time()


def measure(folder: Path, *, encounters: int, visits: int, rows: int, progress: Progress) -> dict[str, Any]:
    """Everything, in a store made in an empty folder; gives what the command reports."""
    with Database.open(folder) as database:
        keyring = Keyring.open(folder / "keys")
        records = Records(database, BlobStore(folder / "blobs"), keyring)
        report = _enrolments(database, records, encounters, progress)
        report |= _searches(database, records, encounters, progress)
        report |= _desk(database, records, visits, progress)
        report["audit"] = _audit(database, keyring, rows, progress)
    return report


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the median, by resampling."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(_RESAMPLED))
    return medians[int(0.025 * _RESAMPLED)], medians[int(0.975 * _RESAMPLED)]


def _enrolments(database: Database, records: Records, encounters: int, progress: Progress) -> dict[str, Any]:
    """Store ten-prints one after the other, as the service does after extraction and search."""
    chance = random.Random(1)
    whole, pictures_alone, transaction, sealing = Clock(), Clock(), Clock(), Clock()
    for number in range(encounters):
        encounter, pictures = _encounter(number, chance)
        prepared = prepared_as_stored(encounter.tenprint)
        with whole.running():
            with pictures_alone.running():
                sealed = records.seal(encounter, pictures, prepared)
            with transaction.running():
                _store(database, records, encounter, sealed)
        with sealing.running():
            _seal(encounter, pictures)
        progress("enrolments", number + 1, encounters)
    clocks = {"enrolment": whole, "pictures": pictures_alone, "transaction": transaction, "sealing": sealing}
    return {name: clock.report() for name, clock in clocks.items()}


def _store(
    database: Database,
    records: Records,
    encounter: Encounter,
    sealed: Sealed,
) -> None:
    """The transaction of an enrolment."""
    with database.transaction() as tx:
        records.add(tx, encounter, sealed)
        asked = {"encounter_id": encounter.encounter_id, "person_id": encounter.person_id}
        audit.record(tx, _ACTOR, Action.REGISTER, "stored", at=_AT, asked=asked)


def _encounter(number: int, chance: random.Random) -> tuple[Encounter, dict[FingerPosition, bytes]]:
    """A person of the synthetic population, with pictures that do not compress."""
    prints = person(20, number).tenprint()
    pictures = {position: chance.randbytes(PICTURE_BYTES) for position in FINGERS}
    encounter = Encounter(
        encounter_id=f"benchmark-{number}",
        person_id=f"person-{number}",
        captured_at=_AT,
        purpose="asylum",
        category="1",
        biographic={"lastName": "Benchmark"},
        fingers=fingers_of(prints),
        images={
            position: StoredImage.of(
                data,
                position=position,
                impression=ImpressionType.LIVE_PLAIN,
                format="png",
                width_px=500,
                height_px=500,
                ppi=500,
            )
            for position, data in pictures.items()
        },
    )
    return encounter, pictures


def _seal(encounter: Encounter, pictures: dict[FingerPosition, bytes]) -> None:
    """Encrypt what an enrolment encrypts, and nothing else."""
    key = DataKey.new(encounter.encounter_id)
    for position, data in pictures.items():
        key.seal_picture(int(position), encounter.images[position].sha256, data)
        key.seal_template(int(position), "benchmark", template_v1.encode(encounter.tenprint[position]))


def _searches(database: Database, records: Records, encounters: int, progress: Progress) -> dict[str, Any]:
    """Search the gallery of what was stored: alone, and with the log's row."""
    gallery = Gallery()
    GalleryFollower(database, records, gallery).catch_up()
    bare, audited = Clock(), Clock()
    for number in range(encounters):
        probe = person(20, number).tenprint(1)
        search = partial(gallery.search, probe, limit=10, threshold=Score(40.0))
        with bare.running():
            search()
        with audited.running():
            search()
            with database.transaction() as tx:
                audit.record(tx, _ACTOR, Action.IDENTIFY, "done", at=_AT, asked=audit.probe_facts(probe))
        progress("searches", number + 1, encounters)
    return {
        "search": bare.report(),
        "search_audited": audited.report(),
        "added_by_audit": bare.difference(audited).report(),
    }


def _desk(database: Database, records: Records, visits: int, progress: Progress) -> dict[str, Any]:
    """Extract ten fingers and search, then the same and register, in turn; and what the next search pays.

    "answered" begins when the search has ended and ends when the answer may leave: `register`, as the desk
    calls it, with its claim, its ledger, its export queue and an idempotency key.
    """
    gallery, chance = Gallery(), random.Random(2)
    follower = GalleryFollower(database, records, gallery)
    searcher = Watched(gallery, follower.catch_up, Policy())
    queue = partial(eurodac_queue.enqueue, profile=Profile())
    desk = Desk(database, records, searcher, queue, "benchmark")
    searcher.catch_up()
    seen, enrolled, answered, followed = Clock(), Clock(), Clock(), Clock()
    alone, beside = Clock(), Clock()
    captures, answers = _captures(), TypeAdapter(DeskAnswer)
    with ExtractionPool() as pool:
        pool.extract(captures)
        for number in range(visits):
            encounter, pictures = _encounter(1_000_000 + number, chance)
            with seen.running():
                pool.extract(captures)
                replace(searcher, clock=alone).search(prepared_as_stored(encounter.tenprint))
            repeat = Repeat(f"benchmark:{number}", "0" * 64, answers.dump_json, answers.validate_json)
            registering = replace(desk, searcher=replace(searcher, clock=beside))
            with enrolled.running():
                work = partial(pool.extract, captures)
                _, kept = records.keep_beside(encounter.encounter_id, pictures, work)
                register(registering, encounter, kept, actor=_ACTOR, at=_AT, new_id=new_id, repeat=repeat)
                answered.note(searcher.ended[-1])
            with followed.running():
                follower.catch_up()
            progress("visits to the desk", number + 1, visits)
    return {
        "extraction_and_search": seen.report(),
        "desk": enrolled.report(),
        "search_alone": alone.report(),
        "search_beside_sealing": beside.report(),
        "answered": answered.report(),
        "followed": followed.report(),
        "answered_and_followed": answered.sum(followed).report(),
        "added_by_storing": seen.difference(enrolled).report(),
    }


def _captures() -> list[Capture]:
    """Ten pictures of a person who does not exist."""
    pictures = {each: capture(master_finger(1, 1, each), 1, careful=True).image for each in FINGERS}
    return [Capture(each, ImpressionType.LIVE_PLAIN, image) for each, image in pictures.items()]


def _audit(database: Database, keyring: Keyring, rows: int, progress: Progress) -> dict[str, Any]:
    """Fill the audit log, then verify every row of it."""
    signer = Signer(keyring.secret("audit-signing"))
    for first in range(0, rows, ROWS_TOGETHER):
        with database.transaction() as tx:
            for number in range(first, min(first + ROWS_TOGETHER, rows)):
                asked = {"person_id": f"person-{number}", "positions": [2, 7], "threshold": 40.0}
                audit.record(
                    tx, _ACTOR, Action.VERIFY, "match", at=_AT, asked=asked, returned=(f"person-{number}",)
                )
            if first % ROWS_A_CHECKPOINT == 0:
                write_checkpoint(tx, signer, _AT)
        progress("audit rows", min(first + ROWS_TOGETHER, rows), rows)
    clock, read = Clock(), [0]
    with clock.running(), database.reading() as tx:
        assert database.audit is not None  # noqa: S101 - opening the records set it
        note = partial(read.__setitem__, 0)
        findings = list(verify(tx, database.audit, signer.verifier, progress=note))
    (seen,) = read
    return {
        "rows": seen,
        "findings": len(findings),
        "verify_us_a_row_wall": 1e3 * clock.wall[0] / seen,
        "verify_us_a_row_processor": 1e3 * clock.processor[0] / seen,
    }
