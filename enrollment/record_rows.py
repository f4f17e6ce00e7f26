"""Between the types of an encounter and the rows of its tables: sealed going in, opened coming out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, select

from enrollment.capture import Defect, FailureToAcquire, Finger, Measure, Quality, Reason
from enrollment.encounter import Encounter, EncounterStatus, StoredImage
from enrollment.envelope import DataKey, Envelope, Particulars
from enrollment.errors import MalformedRecord
from enrollment.formats import template_v1
from enrollment.sealing import OVERHEAD_BYTES
from enrollment.tables import encounter_galleries, encounters, fingers, images, templates
from matcher.codes import FingerPosition, ImpressionType
from matcher.prepared_prints import made_by
from matcher.references import PreparedTenprint, prepare_tenprint
from matcher.template import Template, Tenprint

#: The codec new templates are written with, as the column `codec` names it.
CODEC = "template_v1"
_DECODERS = {CODEC: template_v1.decode}
_FINGER_COLUMNS = tuple(column.name for column in fingers.columns)


def encounter_row(encounter: Encounter, key: DataKey) -> dict[str, Any]:
    """The columns of `encounters` that the caller decides."""
    return {
        "encounter_id": encounter.encounter_id,
        "person_id": encounter.person_id,
        "captured_at": encounter.captured_at,
        "purpose": encounter.purpose,
        "category": encounter.category,
        "status": encounter.status.value,
        "encounter_type": encounter.encounter_type,
        **particulars_columns(Particulars.of(encounter), key),
    }


def particulars_columns(particulars: Particulars, key: DataKey) -> dict[str, Any]:
    """The columns of `encounters` that hold what is said of the person."""
    sealed = key.seal_particulars(particulars)
    return {"sealed": sealed, "client_data": None, "biographic": {}, "contextual": {}}


def particulars_of(row: Row[Any], key: DataKey | None) -> Particulars:
    """The reverse, for a row of `encounters`; without a key, of a store from before sealing."""
    if key is not None:
        return key.open_particulars(row.sealed or b"")
    return Particulars(row.biographic, row.contextual, row.client_data)


def finger_row(encounter_id: str, outcome: Finger | FailureToAcquire) -> dict[str, Any]:
    """One row of `fingers`."""
    row: dict[str, Any] = dict.fromkeys(_FINGER_COLUMNS)
    row |= {
        "encounter_id": encounter_id,
        "position": int(outcome.position),
        "impression": int(outcome.impression),
    }
    if isinstance(outcome, FailureToAcquire):
        return row | {"reason": outcome.reason.value, "advice": outcome.advice}
    return row | {
        "quality": outcome.quality.value,
        "quality_algorithm": outcome.quality.algorithm,
        "defects": [defect.value for defect in outcome.quality.defects],
        "extractor": outcome.extractor,
        "measures": [asdict(measure) for measure in outcome.quality.measures] or None,
    }


def template_row(position: FingerPosition, template: Template, key: DataKey) -> dict[str, Any]:
    """One row of `templates`."""
    return {
        "encounter_id": key.encounter_id,
        "position": int(position),
        "codec": CODEC,
        "data": key.seal_template(int(position), CODEC, template_v1.encode(template)),
    }


def prepared_as_stored(tenprint: Tenprint) -> PreparedTenprint:
    """Prints prepared from their templates as they come back from the store, for `Records.seal`."""
    return prepare_tenprint({position: template_v1.as_stored(each) for position, each in tenprint.items()})


def prepared_row(encoded: bytes, key: DataKey) -> dict[str, Any]:
    """The row of `prepared_prints`; encoded: by `matcher.prepared_prints`."""
    maker = made_by()
    data = key.seal_prepared(maker, encoded)
    return {"encounter_id": key.encounter_id, "made_by": maker, "data": data}


def image_row(encounter_id: str, image: StoredImage, blob: str, blob_at: int) -> dict[str, Any]:
    """One row of `images`; blob, blob_at: where the sealed bytes lie."""
    return {
        "blob": blob,
        "blob_at": blob_at,
        "encounter_id": encounter_id,
        "position": int(image.position),
        "impression": int(image.impression),
        "format": image.format,
        "width_px": image.width_px,
        "height_px": image.height_px,
        "ppi": image.ppi,
        "size_bytes": image.size_bytes,
        "sha256": image.sha256,
    }


def open_picture(row: Row[Any], key: DataKey | None, stored: bytes) -> bytes:
    """A picture from its row of `images` and the bytes under its address, as `Records.seal` laid them."""
    if key is None:
        return stored
    if row.blob_at is not None:
        stored = stored[row.blob_at : row.blob_at + row.size_bytes + OVERHEAD_BYTES]
    return key.open_picture(row.position, row.sha256, stored)


def decode_template(row: Row[Any], key: DataKey | None) -> Template:
    """A template from a row with `position`, `codec`, `data`; key: None in stores from before sealing."""
    if row.codec not in _DECODERS:
        raise MalformedRecord(f"templates written by codec {row.codec!r} need a newer tenprint")
    data = row.data if key is None else key.open_template(row.position, row.codec, row.data)
    return _DECODERS[row.codec](data)


def read_encounters(
    tx: Connection, encounter_ids: Collection[str], envelope: Envelope
) -> Sequence[Encounter]:
    """The encounters with these ids, oldest first; unknown ids are left out."""
    chosen = select(encounters).where(encounters.c.encounter_id.in_(encounter_ids))
    rows = tx.execute(chosen.order_by(encounters.c.created_at, encounters.c.encounter_id)).all()
    keys = envelope.keys_of(tx, encounter_ids)
    galleries: dict[str, list[str]] = defaultdict(list)
    for row in tx.execute(
        select(encounter_galleries)
        .where(encounter_galleries.c.encounter_id.in_(encounter_ids))
        .order_by(encounter_galleries.c.gallery)
    ):
        galleries[row.encounter_id].append(row.gallery)
    outcomes: dict[str, dict[FingerPosition, Finger | FailureToAcquire]] = defaultdict(dict)
    for row in tx.execute(_fingers_with_templates(encounter_ids)):
        outcome = _finger(row, keys[row.encounter_id])
        outcomes[row.encounter_id][outcome.position] = outcome
    pictures: dict[str, dict[FingerPosition, StoredImage]] = defaultdict(dict)
    for row in tx.execute(
        select(images).where(images.c.encounter_id.in_(encounter_ids)).order_by(images.c.position)
    ):
        pictures[row.encounter_id][FingerPosition(row.position)] = _image(row)
    return [
        _encounter(
            row, particulars_of(row, keys[name]), tuple(galleries[name]), outcomes[name], pictures[name]
        )
        for row in rows
        for name in (row.encounter_id,)
    ]


def _fingers_with_templates(encounter_ids: Collection[str]) -> Any:
    """Fingers beside their templates, in order of position."""
    together = (fingers.c.encounter_id == templates.c.encounter_id) & (
        fingers.c.position == templates.c.position
    )
    return (
        select(fingers, templates.c.codec, templates.c.data)
        .select_from(fingers.outerjoin(templates, together))
        .where(fingers.c.encounter_id.in_(encounter_ids))
        .order_by(fingers.c.position)
    )


def _finger(row: Row[Any], key: DataKey | None) -> Finger | FailureToAcquire:
    """One finger from its row."""
    position, impression = FingerPosition(row.position), ImpressionType(row.impression)
    if row.reason is not None:
        return FailureToAcquire(position, impression, Reason(row.reason), row.advice)
    if row.data is None:
        raise MalformedRecord("a finger lost its template: run `tenprint doctor`")
    defects = tuple(Defect(defect) for defect in row.defects)
    measures = tuple(Measure(**measure) for measure in row.measures or ())
    quality = Quality(row.quality, row.quality_algorithm, defects, measures)
    return Finger(position, impression, decode_template(row, key), quality, row.extractor)


def _image(row: Row[Any]) -> StoredImage:
    """One picture's description from its row."""
    return StoredImage(
        FingerPosition(row.position),
        ImpressionType(row.impression),
        row.format,
        row.width_px,
        row.height_px,
        row.ppi,
        row.size_bytes,
        row.sha256,
    )


def _encounter(
    row: Row[Any],
    particulars: Particulars,
    galleries: tuple[str, ...],
    outcomes: Mapping[FingerPosition, Finger | FailureToAcquire],
    pictures: Mapping[FingerPosition, StoredImage],
) -> Encounter:
    """An encounter from its rows."""
    return Encounter(
        encounter_id=row.encounter_id,
        person_id=row.person_id,
        captured_at=row.captured_at,
        purpose=row.purpose,
        category=row.category,
        galleries=galleries,
        status=EncounterStatus(row.status),
        encounter_type=row.encounter_type,
        fingers=outcomes,
        images=pictures,
        client_data=particulars.client_data,
        biographic=particulars.biographic,
        contextual=particulars.contextual,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
