"""Encounters of people who do not exist, as a store needs them: legal templates, no rendered prints."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from enrollment.capture import FailureToAcquire, Finger, Quality, Reason
from enrollment.encounter import Encounter, StoredImage
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.template import RidgeField, Template

#: A fixed time, so that what is written can be compared with what is read.
CAPTURED_AT = datetime(2026, 11, 23, 9, 30, 15, 123456, tzinfo=UTC)


def random_template(rng: np.random.Generator, *, minutiae: int = 35, ridges: bool = True) -> Template:
    """A template of minutiae strewn over a 300 x 400 px print; with a ridge field of parallel ridges."""
    rows, columns = 25, 19
    field = RidgeField(
        orientation=np.full((rows, columns), rng.integers(256), np.uint8),
        coherence=np.full((rows, columns), 200, np.uint8),
        foreground=np.ones((rows, columns), np.bool_),
    )
    return Template(
        x=rng.integers(0, 300, minutiae).astype(np.int16),
        y=rng.integers(0, 400, minutiae).astype(np.int16),
        angle=rng.uniform(0, 2 * np.pi, minutiae).astype(np.float32),
        kind=rng.integers(1, 3, minutiae).astype(np.uint8),
        quality=np.sort(rng.integers(20, 101, minutiae).astype(np.uint8))[::-1].copy(),
        width_px=300,
        height_px=400,
        field=field if ridges else None,
    )


def random_finger(rng: np.random.Generator, position: FingerPosition) -> Finger:
    """A finger with a random template."""
    return Finger(
        position=position,
        impression=ImpressionType.LIVE_PLAIN,
        template=random_template(rng),
        quality=Quality(value=int(rng.integers(101)), algorithm="test/1"),
        extractor="test/1",
    )


def random_encounter(
    seed: int,
    *,
    encounter_id: str | None = None,
    person_id: str | None = None,
    positions: tuple[FingerPosition, ...] = FINGERS,
) -> Encounter:
    """The same encounter for the same seed: ids `e-<seed>` of person `p-<seed>` unless given."""
    rng = np.random.default_rng(seed)
    return Encounter(
        encounter_id=f"e-{seed}" if encounter_id is None else encounter_id,
        person_id=f"p-{seed}" if person_id is None else person_id,
        captured_at=CAPTURED_AT,
        purpose="asylum",
        category="1",
        fingers={position: random_finger(rng, position) for position in positions},
    )


def with_picture(
    encounter: Encounter, data: bytes, position: FingerPosition = FingerPosition.RIGHT_INDEX
) -> tuple[Encounter, dict[FingerPosition, bytes]]:
    """The encounter with one picture described, and the picture. The store does not look inside it."""
    image = StoredImage.of(
        data,
        position=position,
        impression=ImpressionType.LIVE_PLAIN,
        format="png",
        width_px=300,
        height_px=400,
        ppi=500,
    )
    return replace(encounter, images={position: image}), {position: data}


def failure(position: FingerPosition) -> FailureToAcquire:
    """A finger of which no template was made."""
    return FailureToAcquire(position, ImpressionType.LIVE_ROLLED, Reason.TOO_SMALL, "Press harder.")
