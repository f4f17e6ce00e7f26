"""One capture event: who, when, why, and what became of each finger."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import uuid_utils

from enrollment.capture import FailureToAcquire, Finger
from enrollment.errors import MalformedRecord
from matcher.codes import FingerPosition, ImpressionType
from matcher.template import Tenprint

#: What the ids of persons and encounters look like, ours and those supplied from outside.
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
#: The gallery an encounter belongs to when nobody names one; OSIA reserves ALL for "every gallery".
DEFAULT_GALLERY = "REGISTER"


class EncounterStatus(StrEnum):
    """OSIA's two states; searches return only what is active."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What is known of a kept picture; the bytes come from `Records.image`.

    format: the container as received ("png", "bmp", "tiff", "jp2", "wsq", "raw").
    width_px, height_px, ppi: of the picture as received. size_bytes, sha256: of the bytes as received.
    The position may be a slap (11-15), which no `Finger` has.
    """

    position: FingerPosition
    impression: ImpressionType
    format: str
    width_px: int
    height_px: int
    ppi: int
    size_bytes: int
    sha256: str

    @classmethod
    def of(
        cls,
        data: bytes,
        *,
        position: FingerPosition,
        impression: ImpressionType,
        format: str,  # noqa: A002 - the word of the field
        width_px: int,
        height_px: int,
        ppi: int,
    ) -> StoredImage:
        """Describe the bytes of a picture."""
        digest = hashlib.sha256(data).hexdigest()
        return cls(position, impression, format, width_px, height_px, ppi, len(data), digest)


@dataclass(frozen=True, slots=True, eq=False)
class Encounter:
    """One event with a person. Its prints never change: a new capture is a new encounter.

    encounter_id, person_id: `IDENTIFIER`; see `new_id`. captured_at: aware; kept as UTC.
    purpose: why the prints were taken ("asylum", "police"…). category: the EURODAC-style category or None.
    galleries: names a search may be limited to. encounter_type: OSIA's free word.
    fingers: at most one per position 0-10. images: at most one per position 0-15.
    biographic, contextual: OSIA's free-form JSON objects. client_data: the caller's bytes, kept as they are.
    created_at, updated_at: set by the store; None before.
    """

    encounter_id: str
    person_id: str
    captured_at: datetime
    purpose: str
    category: str | None = None
    galleries: tuple[str, ...] = (DEFAULT_GALLERY,)
    status: EncounterStatus = EncounterStatus.ACTIVE
    encounter_type: str = "ENROLLMENT"
    fingers: Mapping[FingerPosition, Finger | FailureToAcquire] = field(default_factory=dict)
    images: Mapping[FingerPosition, StoredImage] = field(default_factory=dict)
    client_data: bytes | None = None
    biographic: Mapping[str, Any] = field(default_factory=dict)
    contextual: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what no store should hold."""
        check_identifier(self.encounter_id, "encounter id")
        check_identifier(self.person_id, "person id")
        if self.captured_at.tzinfo is None:
            raise MalformedRecord("captured_at needs a time zone, for example 2026-11-23T09:00:00Z")
        check_galleries(self.galleries)
        for name, mapping in (("fingers", self.fingers), ("images", self.images)):
            if any(position != entry.position for position, entry in mapping.items()):
                raise MalformedRecord(f"{name}: the key and the entry disagree on the finger position")
        if any(position > FingerPosition.LEFT_LITTLE for position in self.fingers):
            raise MalformedRecord("a finger has position 0-10; slaps are cut into fingers first")

    @property
    def tenprint(self) -> Tenprint:
        """The templates, by position, of the fingers that have one."""
        return {
            position: outcome.template
            for position, outcome in self.fingers.items()
            if isinstance(outcome, Finger)
        }


def check_identifier(value: str, what: str) -> str:
    """Give an id back, or refuse it by the name `what`."""
    if not IDENTIFIER.fullmatch(value):
        raise MalformedRecord(f"{what}: 1-64 characters of A-Z a-z 0-9 . _ : -, the first a letter or digit")
    return value


def check_galleries(names: tuple[str, ...]) -> None:
    """Refuse a list of galleries that is empty, or names one twice or badly."""
    if not names or len(set(names)) != len(names):
        raise MalformedRecord("an encounter belongs to at least one gallery, each named once")
    for name in names:
        check_identifier(name, "gallery")


def new_id() -> str:
    """A new UUIDv7: unguessable enough to be a name, ordered by time so that indexes stay compact."""
    return str(uuid_utils.uuid7())


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)
