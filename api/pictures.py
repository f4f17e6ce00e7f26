"""Stored pictures as PNG, decoded in the sandbox like any other; a finger of a slap is cut out."""

from __future__ import annotations

import io

from PIL import Image

from api.engine import Engine
from enrollment.capture import FingerprintImage
from enrollment.encounter import Encounter, StoredImage
from enrollment.errors import UnknownRecord
from enrollment.sandbox import RawLayout
from enrollment.slaps import FINGERS_OF, CutSlap, cut, not_shown
from matcher.codes import FingerPosition


def viewable(encounter: Encounter) -> list[FingerPosition]:
    """What can be looked at: every picture, and the fingers of slaps."""
    cut_out = (finger for finger in encounter.tenprint if source_of(encounter, finger) is not None)
    return sorted({*encounter.images, *cut_out})


def source_of(encounter: Encounter, position: FingerPosition) -> StoredImage | None:
    """The picture that shows a finger best: its own, or a slap."""
    if position in encounter.images:
        return encounter.images[position]
    slaps = (slap for slap, fingers in FINGERS_OF.items() if position in fingers)
    return next((encounter.images[slap] for slap in slaps if slap in encounter.images), None)


def as_png(engine: Engine, data: bytes, encounter: Encounter, position: FingerPosition) -> bytes:
    """PNG with its resolution; the pixels are those of the picture as received, of a slap those at 500 ppi.

    data: of `source_of(encounter, position)`. Raises `UnknownRecord` where the slap does not show the finger.
    """
    described = source_of(encounter, position)
    if described is None:
        raise UnknownRecord(f"Encounter {encounter.encounter_id} has no picture of that finger.")
    image = _decoded(engine, data, described)
    if described.position != position:
        image = _finger_of(image, described.position, position, encounter)
    out = io.BytesIO()
    Image.fromarray(image.pixels).save(out, "PNG", dpi=(image.ppi, image.ppi))
    return out.getvalue()


def _decoded(engine: Engine, data: bytes, described: StoredImage) -> FingerprintImage:
    layout = RawLayout(described.width_px, described.height_px) if described.format == "raw" else None
    return engine.decoder.decode(data, container_ppi=described.ppi, raw=layout)


def _finger_of(
    image: FingerprintImage, slap: FingerPosition, position: FingerPosition, encounter: Encounter
) -> FingerprintImage:
    """Cut as it was cut when it was stored: the same fingers are missing."""
    answer = cut(image, slap, not_shown(slap, encounter.fingers.keys()))
    if isinstance(answer, CutSlap):
        for finger in answer.fingers:
            if finger.position == position:
                return finger.image
    # A plain thumb may have been taken whole, see `api.captures`.
    if FINGERS_OF[slap] == (position,):
        return image
    raise UnknownRecord(f"Encounter {encounter.encounter_id} has no picture of that finger.")
