"""Between OSIA's words and ours: codes, images in and encounters out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from api import osia_schemas as osia
from api.captures import Acquired, Upload
from api.errors import BodyTooLarge, InvalidRequest, NotOffered
from api.settings import Settings
from enrollment.capture import FailureToAcquire, Finger
from enrollment.encounter import Encounter, StoredImage
from enrollment.sandbox import RawLayout
from enrollment.slaps import not_shown
from matcher.codes import FingerPosition, ImpressionType

_POSITIONS: dict[str, FingerPosition] = {
    **{position.name: position for position in FingerPosition if position <= FingerPosition.LEFT_LITTLE},
    "PLAIN_RIGHT_FOUR_FINGERS": FingerPosition.PLAIN_RIGHT_FOUR,
    "PLAIN_LEFT_FOUR_FINGERS": FingerPosition.PLAIN_LEFT_FOUR,
    "PLAIN_THUMBS": FingerPosition.PLAIN_THUMBS,
}
_PLAIN_THUMBS = {
    FingerPosition.PLAIN_RIGHT_THUMB: FingerPosition.RIGHT_THUMB,
    FingerPosition.PLAIN_LEFT_THUMB: FingerPosition.LEFT_THUMB,
}
_IMPRESSIONS: dict[str, ImpressionType] = {
    "LIVE_SCAN_PLAIN": ImpressionType.LIVE_PLAIN,
    "LIVE_SCAN_ROLLED": ImpressionType.LIVE_ROLLED,
    "NONLIVE_SCAN_PLAIN": ImpressionType.NONLIVE_PLAIN,
    "NONLIVE_SCAN_ROLLED": ImpressionType.NONLIVE_ROLLED,
    "LATENT_IMPRESSION": ImpressionType.LATENT,
    "LIVE_SCAN_SWIPE": ImpressionType.SWIPE,
    "LIVE_SCAN_OPTICAL_CONTACTLESS_PLAIN": ImpressionType.CONTACTLESS_PLAIN,
    "UNKNOWN": ImpressionType.UNKNOWN,
}
_IMPRESSION_NAMES = {impression: name for name, impression in _IMPRESSIONS.items()}
#: What our container formats are called in OSIA's `compression`, and as a MIME type.
_COMPRESSION = {"wsq": "WSQ", "jp2": "JPEG2000", "png": "PNG", "raw": "NONE"}
_MIME = {
    "wsq": "image/x-wsq",
    "jp2": "image/jp2",
    "png": "image/png",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "raw": "application/octet-stream",
}


def position_name(position: FingerPosition) -> str:
    """OSIA's `biometricSubType` of a single finger or slap."""
    if position in _PLAIN_THUMBS:
        # OSIA has no word for a plain thumb by itself.
        position = _PLAIN_THUMBS[position]
    return next((name for name, known in _POSITIONS.items() if known == position), "UNKNOWN")


def uploads_of(
    biometric_data: Sequence[osia.BiometricData], settings: Settings, where: str = "biometricData"
) -> tuple[Upload, ...]:
    """The finger images of a request; anything we could not serve honestly is refused by name."""
    if len(biometric_data) > settings.max_images:
        raise BodyTooLarge(f"{where}: more than {settings.max_images} images in one request.")
    return tuple(_upload(entry, settings, f"{where}.{number}") for number, entry in enumerate(biometric_data))


def decode_base64(text: str, where: str) -> bytes:
    """Bytes from base64, strictly; white space as MIME writes it is allowed."""
    try:
        return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidRequest(f"{where}: this is no base64.") from error


def captured_at(biometric_data: Sequence[osia.BiometricData], now: datetime) -> datetime:
    """When the capture took place: the latest `captureDate` of its images, else now."""
    dates = [entry.captureDate for entry in biometric_data if entry.captureDate is not None]
    aware = [date if date.tzinfo else date.replace(tzinfo=UTC) for date in dates]
    return max(aware, default=now)


def client_data(body: osia.Encounter) -> bytes | None:
    """The caller's own bytes, kept as they are."""
    return decode_base64(body.clientData, "clientData") if body.clientData is not None else None


def finger_report(acquired: Sequence[Acquired]) -> list[dict[str, object]]:
    """What became of each finger, for `others` of a creation's answer."""
    return [_finger(entry.outcome) for entry in acquired]


def encounter_of(encounter: Encounter, images: Mapping[FingerPosition, bytes]) -> osia.Encounter:
    """A stored encounter as OSIA reads it: images as received, quality and failures beside them."""
    return osia.Encounter(
        encounterId=encounter.encounter_id,
        status=encounter.status.value,
        encounterType=encounter.encounter_type,
        createdDate=encounter.created_at,
        updatedDate=encounter.updated_at,
        galleries=list(encounter.galleries),
        clientData=_base64(encounter.client_data) if encounter.client_data is not None else None,
        contextualData=dict(encounter.contextual) or None,
        biographicData=dict(encounter.biographic) or None,
        biometricData=[
            _biometric_data(encounter, image, images[position])
            for position, image in encounter.images.items()
        ],
    )


def _upload(entry: osia.BiometricData, settings: Settings, where: str) -> Upload:
    if entry.biometricType != "FINGER":
        raise NotOffered(f"{where}: this service holds fingers only, not {entry.biometricType}.")
    if entry.encryption or entry.integrity:
        raise NotOffered(f"{where}: encryption and integrity blocks are not served yet; use TLS.")
    if entry.image is None:
        raise InvalidRequest(
            f"{where}.image: send the image as base64; references and templates are not served."
        )
    if entry.compression == "JPEG":
        raise NotOffered(f"{where}: JPEG damages ridges; send PNG, WSQ, JPEG2000, BMP, TIFF or raw pixels.")
    if len(entry.image) > settings.max_image_bytes * 2:
        raise BodyTooLarge(f"{where}.image: larger than {settings.max_image_bytes} bytes.")
    return Upload(
        position=_position(entry, where),
        impression=_impression(entry, where),
        data=decode_base64(entry.image, f"{where}.image"),
        container_ppi=entry.resolution,
        raw=_raw_layout(entry, where),
        missing=_missing(entry),
    )


def _position(entry: osia.BiometricData, where: str) -> FingerPosition:
    name = entry.biometricSubType or "UNKNOWN"
    if name not in _POSITIONS:
        raise NotOffered(
            f"{where}.biometricSubType: single fingers, slaps of four fingers and both thumbs are served."
        )
    return _POSITIONS[name]


def _missing(entry: osia.BiometricData) -> tuple[FingerPosition, ...]:
    """Fingers the image does not show; a palm or an eye is none of ours."""
    names = [each.biometricSubType for each in entry.missing or ()]
    return tuple(_POSITIONS[name] for name in names if name in _POSITIONS)


def _impression(entry: osia.BiometricData, where: str) -> ImpressionType:
    name = entry.impressionType or "UNKNOWN"
    if name not in _IMPRESSIONS:
        raise NotOffered(f"{where}.impressionType: use one of {', '.join(_IMPRESSIONS)}.")
    return _IMPRESSIONS[name]


def _raw_layout(entry: osia.BiometricData, where: str) -> RawLayout | None:
    if entry.compression != "NONE":
        return None
    if entry.width is None or entry.height is None or entry.resolution is None:
        raise InvalidRequest(f"{where}: raw pixels (compression NONE) need width, height and resolution.")
    if entry.bitdepth not in (None, 8):
        raise NotOffered(f"{where}.bitdepth: raw pixels have 8 bits.")
    return RawLayout(width_px=entry.width, height_px=entry.height)


def _finger(outcome: Finger | FailureToAcquire) -> dict[str, object]:
    subtype = position_name(outcome.position)
    if isinstance(outcome, FailureToAcquire):
        return {"biometricSubType": subtype, "failure": outcome.reason.value, "advice": outcome.advice}
    return {
        "biometricSubType": subtype,
        "quality": outcome.quality.value,
        "qualityFormat": outcome.quality.algorithm,
        "defects": [defect.value for defect in outcome.quality.defects],
        "minutiae": len(outcome.template.x),
    }


def _biometric_data(encounter: Encounter, image: StoredImage, data: bytes) -> osia.BiometricData:
    outcome = encounter.fingers.get(image.position)
    finger = outcome if isinstance(outcome, Finger) else None
    missing = not_shown(image.position, encounter.fingers.keys())
    return osia.BiometricData(
        biometricType="FINGER",
        biometricSubType=position_name(image.position),
        encounterId=encounter.encounter_id,
        image=_base64(data),
        captureDate=encounter.captured_at,
        impressionType=_IMPRESSION_NAMES.get(image.impression, "UNKNOWN"),
        width=image.width_px,
        height=image.height_px,
        bitdepth=8,
        mimeType=_MIME.get(image.format),
        resolution=image.ppi,
        compression=_COMPRESSION.get(image.format),  # type: ignore[arg-type]  # the table holds OSIA's words
        missing=[osia.MissingType(biometricSubType=position_name(each)) for each in missing] or None,
        quality=finger.quality.value if finger else None,
        qualityFormat=finger.quality.algorithm if finger else None,
        comment=outcome.advice if isinstance(outcome, FailureToAcquire) else None,
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
