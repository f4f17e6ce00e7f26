"""A small office: a store, a gallery that follows it, a desk and a police counter, on synthetic people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count

from enrollment.capture import Finger, Quality
from enrollment.database import Database
from enrollment.encounter import Encounter
from enrollment.follower import GalleryFollower
from enrollment.records import Records
from fixtures.templates import person
from matcher.codes import FingerPosition, ImpressionType
from matcher.gallery import Gallery
from matcher.scoring import Score
from matcher.template import Tenprint
from workflow import eurodac_queue
from workflow.audit import Actor
from workflow.desk_answer import DeskAnswer
from workflow.desk_suggestions import Desk
from workflow.eurodac_profile import Profile
from workflow.links import Signature
from workflow.police import Police
from workflow.registration import Repeat, register
from workflow.searching import Policy, Searcher

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DESK_KEY = Actor("k-desk", "desk")
POLICE_KEY = Actor("k-police", "police")
EXAMINER = Signature("e.dubois", "pattern and nine minutiae agree", AT)
THUMB, INDEX, MIDDLE = FingerPosition.RIGHT_THUMB, FingerPosition.RIGHT_INDEX, FingerPosition.RIGHT_MIDDLE
TWO = (THUMB, INDEX)
SEED = 20261123
#: High enough for nobody else, low enough for two fingers of the same person.
THRESHOLD = Score(35.0)


@dataclass(frozen=True)
class Office:
    """Everything a test of a counter needs."""

    database: Database
    records: Records
    searcher: Searcher
    desk: Desk
    police: Police
    new_id: Callable[[], str]

    def register(
        self, encounter: Encounter, *, repeat: Repeat | None = None, near: bool = False
    ) -> DeskAnswer:
        """Register at the desk, without pictures."""
        kept = self.records.keep_pictures(encounter.encounter_id, {})
        return register(
            self.desk, encounter, kept, actor=DESK_KEY, at=AT, new_id=self.new_id, repeat=repeat, near=near
        )


def open_office(database: Database, records: Records) -> Office:
    """An office over an empty store."""
    gallery = Gallery()
    follower = GalleryFollower(database, records, gallery, threads=1)
    searcher = Searcher(gallery, follower.catch_up, Policy(threshold=THRESHOLD, verification=THRESHOLD))
    numbers = count(1)
    return Office(
        database=database,
        records=records,
        searcher=searcher,
        desk=Desk(
            database=database,
            records=records,
            searcher=searcher,
            queue_export=partial(eurodac_queue.enqueue, profile=Profile()),
            matcher="tenprint/test",
        ),
        police=Police(database, records, searcher, THRESHOLD),
        new_id=lambda: f"id-{next(numbers):06d}",
    )


def prints(number: int, capture: int = 0, fingers: tuple[FingerPosition, ...] = TWO) -> Tenprint:
    """Templates of one capture of synthetic person `number`."""
    return person(SEED, number).tenprint(capture, fingers)


def visit(
    number: int,
    capture: int = 0,
    *,
    person_id: str | None = None,
    fingers: tuple[FingerPosition, ...] = TWO,
    category: str | None = None,
) -> Encounter:
    """A capture of synthetic person `number` as an encounter `e-number-capture` of file `p-number`."""
    return Encounter(
        encounter_id=f"e-{number}-{capture}",
        person_id=person_id or f"p-{number}",
        captured_at=AT,
        purpose="international protection",
        category=category,
        fingers={
            position: Finger(position, ImpressionType.LIVE_PLAIN, template, Quality(70, "test/1"), "test/1")
            for position, template in prints(number, capture, fingers).items()
        },
    )
