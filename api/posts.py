"""Reading a multipart post: images under their finger positions, and the fields beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from api.captures import Upload, parse_impression, parse_missing, parse_position
from api.errors import InvalidRequest
from api.multipart import Form
from enrollment.slaps import FINGERS_OF
from matcher.codes import FINGERS, ImpressionType

#: Fields every image post understands.
IMAGE_FIELDS = ("ppi", "impression", "missing")


def uploads_from(form: Form, allowed: Collection[str]) -> tuple[Upload, ...]:
    """The images of a post; a field nobody knows is refused, so that no typing error goes unnoticed."""
    known = (*IMAGE_FIELDS, *allowed)
    for name in form.fields:
        if name not in known:
            raise InvalidRequest(f"The field `{name[:64]}` is not known. Known: {', '.join(known)}.")
    ppi = _ppi(form.fields)
    impression = parse_impression(form.fields.get("impression") or ImpressionType.UNKNOWN.name)
    missing = parse_missing(form.fields.get("missing", ""))
    uploads = tuple(
        Upload(parse_position(part.name), impression, part.data, ppi, missing=missing) for part in form.files
    )
    for upload in uploads:
        if upload.position in missing:
            name = upload.position.name.lower()
            raise InvalidRequest(f"{name} is declared missing, and there is an image of it: correct one.")
    return uploads


def captured_at(form: Form, now: datetime) -> datetime:
    """When the prints were taken: the field `captured_at` (RFC 3339), else now."""
    text = form.fields.get("captured_at")
    if not text:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest("captured_at: write it as 2026-11-23T09:00:00Z.") from error
    if at.tzinfo is None:
        raise InvalidRequest("captured_at: give the time zone, as in 2026-11-23T09:00:00Z.")
    return at.astimezone(UTC)


def fingerprint_of(form: Form, address: str) -> str:
    """What makes two posts the same request: hex SHA-256 of address, fields and files."""
    files = [(part.name, hashlib.sha256(part.data).hexdigest()) for part in form.files]
    return hashlib.sha256(json.dumps([address, sorted(form.fields.items()), files]).encode()).hexdigest()


def form_schema(fields: Mapping[str, str], required: Collection[str] = ()) -> dict[str, Any]:
    """The OpenAPI description of a post: optional images and the text fields with their meaning."""
    about = {
        "ppi": "Resolution of the images in pixels per inch, when the files do not carry it.",
        "impression": "How the prints were made: `live_plain`, `live_rolled`… Default: unknown.",
        "missing": "Fingers that slaps do not show (amputated, bandaged), for instance `left_ring,10`.",
        **fields,
    }
    image = {
        "type": "string",
        "format": "binary",
        "description": "Image file: PNG, BMP, TIFF, JPEG 2000 or WSQ.",
    }
    slap = {**image, "description": "Image of several fingers, or of a plain thumb; it is cut up."}
    properties = {
        **{position.name.lower(): image for position in FINGERS},
        **{position.name.lower(): slap for position in FINGERS_OF},
        "unknown": {**image, "description": "Image of a finger whose position is not known."},
        **{name: {"type": "string", "description": meaning} for name, meaning in about.items()},
    }
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def _ppi(fields: Mapping[str, str]) -> int | None:
    text = fields.get("ppi", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise InvalidRequest("ppi: give pixels per inch as a whole number, for instance 500.")
    return int(text)
