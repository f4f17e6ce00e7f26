"""People with pictures in the queue of the export."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection
from stored_people import random_encounter

from enrollment.encounter import Encounter, StoredImage
from enrollment.records import Records
from matcher.codes import FingerPosition, ImpressionType
from workflow import eurodac_queue
from workflow.audit import Actor
from workflow.eurodac import Exporter, ExportReport, export
from workflow.eurodac_profile import Profile

OPERATOR = Actor("k-operator", "operator")
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROFILE = Profile()


class Clock:
    """A clock that moves a second whenever somebody looks."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Give the time."""
        self.now += timedelta(seconds=1)
        return self.now


def ridges(seed: int, *, height: int = 150, width: int = 120) -> NDArray[np.uint8]:
    """Grey waves with some noise: enough of a print for a codec."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    wave = np.sin((columns * np.cos(seed) + rows * np.sin(seed)) * 2 * np.pi / 9)
    return np.clip(128 + 90 * wave + rng.normal(0, 4, wave.shape), 0, 255).astype(np.uint8)


def raw_picture(seed: int, position: FingerPosition) -> tuple[StoredImage, bytes]:
    """A picture of bare pixels at 500 ppi."""
    pixels = ridges(seed)
    return described(pixels.tobytes(), position, "raw", pixels.shape), pixels.tobytes()


def described(
    data: bytes, position: FingerPosition, container: str, shape: tuple[int, ...], ppi: int = 500
) -> StoredImage:
    """What the store keeps of a picture beside its bytes."""
    return StoredImage.of(
        data,
        position=position,
        impression=ImpressionType.LIVE_ROLLED,
        format=container,
        width_px=shape[1],
        height_px=shape[0],
        ppi=ppi,
    )


def pictured(seed: int, pictures: dict[FingerPosition, tuple[StoredImage, bytes]]) -> Encounter:
    """An encounter with these pictures."""
    encounter = random_encounter(seed, positions=(FingerPosition.RIGHT_INDEX,))
    return replace(encounter, images={position: image for position, (image, _) in pictures.items()})


def queue_people(tx: Connection, records: Records, seeds: range) -> list[str | None]:
    """Store and queue people with two raw pictures each; gives their reference numbers."""
    numbers = []
    for seed in seeds:
        positions = (FingerPosition.RIGHT_THUMB, FingerPosition.RIGHT_INDEX)
        pictures = {position: raw_picture(seed * 10 + position, position) for position in positions}
        encounter = pictured(seed, pictures)
        records.add(tx, encounter, {position: data for position, (_, data) in pictures.items()})
        numbers.append(eurodac_queue.enqueue(tx, encounter, START, profile=PROFILE))
    return numbers


def run(exporter: Exporter, folder: Path, **options: object) -> ExportReport:
    """One batch."""
    return export(exporter, folder, actor=OPERATOR, now=Clock(), **options)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a batch by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
