"""The demo's register: a few thousand synthetic people, as templates only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from api.store import Store
from enrollment.capture import FailureToAcquire, Finger, Quality
from enrollment.encounter import Encounter
from fixtures.templates import person
from matcher.codes import FingerPosition, ImpressionType
from matcher.template import Template

#: Encounters a transaction: one fsync for many rows.
_BATCH = 200
_QUALITY_ALGORITHM = "synthetic/1"
_EXTRACTOR = "synthetic-templates/1"


def fill_register(
    store: Store, people: int, seed: int, *, at: datetime, progress: Callable[[int, int], None]
) -> None:
    """Store `people` synthetic people with ten fingers each; those that are there already are left alone."""
    with store.database.reading() as tx:
        missing = [
            number for number in range(people) if not store.records.exists(tx, encounter_id_of(seed, number))
        ]
    progress(people - len(missing), people)
    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        with store.database.transaction() as tx:
            for encounter in _encounters(seed, batch, at):
                store.records.add(tx, encounter)
        progress(people - len(missing) + start + len(batch), people)


def encounter_id_of(seed: int, number: int) -> str:
    """The id of a synthetic person's only encounter."""
    return f"synthetic-{seed}-{number:06d}.1"


def _encounters(seed: int, numbers: list[int], at: datetime) -> Iterator[Encounter]:
    for number in numbers:
        yield Encounter(
            encounter_id=encounter_id_of(seed, number),
            person_id=f"synthetic-{seed}-{number:06d}",
            captured_at=at,
            purpose="demonstration",
            fingers=_fingers(person(seed, number).tenprint()),
        )


def _fingers(
    tenprint: Mapping[FingerPosition, Template],
) -> dict[FingerPosition, Finger | FailureToAcquire]:
    return {
        position: Finger(
            position=position,
            impression=ImpressionType.LIVE_PLAIN,
            template=template,
            quality=Quality(int(template.quality.mean()) if len(template) else 0, _QUALITY_ALGORITHM),
            extractor=_EXTRACTOR,
        )
        for position, template in tenprint.items()
    }
