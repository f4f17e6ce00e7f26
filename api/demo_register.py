"""Synthetic people into the store as templates only: made on the spot, or from a folder of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from api.store import Store
from enrollment.capture import FailureToAcquire, Finger, Quality
from enrollment.encounter import Encounter
from fixtures.template_folder import TemplateFolder
from fixtures.templates import tenprints
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.template import Template, Tenprint

#: Encounters a transaction: one fsync for many rows.
_BATCH = 200
_QUALITY_ALGORITHM = "synthetic/1"
_EXTRACTOR = "synthetic-templates/1"


def fill_register(
    store: Store, people: int, seed: int, *, at: datetime, progress: Callable[[int, int], None]
) -> None:
    """Store `people` synthetic people with ten fingers each; those that are there already are left alone."""
    for first in range(0, people, _BATCH):
        numbers = range(first, min(first + _BATCH, people))
        missing = _missing(store, [encounter_id_of(seed, number) for number in numbers])
        if missing:
            made = tenprints(seed, first, len(numbers))
            prints = (
                {position: made.template(made.row_of(number, position, 0)) for position in FINGERS}
                for number in numbers
            )
            _store(store, seed, ((number, 1, each) for number, each in zip(numbers, prints, strict=True)), at)
        progress(numbers.stop, people)


def enrol_folder(
    store: Store, folder: TemplateFolder, *, at: datetime, progress: Callable[[int, int], None]
) -> int:
    """Store every capture of a folder of templates as an encounter; returns how many were not there yet.

    Interrupted? Called again it goes on: an encounter's id says person and capture. Templates are read one
    shard at a time, and no gallery is searched: these people are known to be different.
    """
    total, done, added = folder.people * folder.captures, 0, 0
    tenprints_left = folder.tenprints()
    while batch := list(islice(tenprints_left, _BATCH)):
        added += _store(store, folder.seed, batch, at)
        done += len(batch)
        progress(done, total)
    return added


def encounter_id_of(seed: int, number: int, capture: int = 1) -> str:
    """The id of an encounter of a synthetic person; the demo's people have one each."""
    return f"{person_id_of(seed, number)}.{capture}"


def person_id_of(seed: int, number: int) -> str:
    """The id of a synthetic person."""
    return f"synthetic-{seed}-{number:06d}"


def _missing(store: Store, encounter_ids: Sequence[str]) -> set[str]:
    with store.database.reading() as tx:
        return {each for each in encounter_ids if not store.records.exists(tx, each)}


def _store(store: Store, seed: int, batch: Iterable[tuple[int, int, Tenprint]], at: datetime) -> int:
    """Store those of a batch of (person, capture, fingers) that are missing, in one transaction."""
    encounters = list(_encounters(seed, batch, at))
    missing = _missing(store, [each.encounter_id for each in encounters])
    with store.database.transaction() as tx:
        for encounter in encounters:
            if encounter.encounter_id in missing:
                store.records.add(tx, encounter)
    return len(missing)


def _encounters(seed: int, batch: Iterable[tuple[int, int, Tenprint]], at: datetime) -> Iterator[Encounter]:
    for number, capture, tenprint in batch:
        yield Encounter(
            encounter_id=encounter_id_of(seed, number, capture),
            person_id=person_id_of(seed, number),
            captured_at=at,
            purpose="demonstration",
            fingers=fingers_of(tenprint),
        )


def fingers_of(
    tenprint: Mapping[FingerPosition, Template],
) -> dict[FingerPosition, Finger | FailureToAcquire]:
    """Templates that nobody extracted, as an encounter holds them."""
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
