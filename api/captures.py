"""From uploaded bytes to fingers: one path for the desk, the police, OSIA and the command line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from api.engine import Engine
from api.errors import InvalidRequest, NotOffered, NoUsablePrint
from enrollment.capture import Capture, FailureToAcquire, Finger
from enrollment.encounter import StoredImage
from enrollment.errors import ImageTooLarge
from enrollment.image_header import ImageFormat, inspect_header
from enrollment.sandbox import RawLayout
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.template import Tenprint

#: A plain thumb from a thumb scanner is that thumb; real slaps are cut into fingers by a later version.
_SINGLE = {
    FingerPosition.PLAIN_RIGHT_THUMB: FingerPosition.RIGHT_THUMB,
    FingerPosition.PLAIN_LEFT_THUMB: FingerPosition.LEFT_THUMB,
}
#: How the store names container formats (`StoredImage.format`).
_FORMATS = {
    ImageFormat.PNG: "png",
    ImageFormat.BMP: "bmp",
    ImageFormat.TIFF: "tiff",
    ImageFormat.JPEG2000: "jp2",
    ImageFormat.WSQ: "wsq",
}
_NAMES = ", ".join(position.name.lower() for position in (*FINGERS, FingerPosition.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of one picture and what the sender says of it.

    ppi: given with the request. container_ppi: of the record the picture came in.
    raw: set when the bytes are bare pixels.
    """

    position: FingerPosition
    impression: ImpressionType
    data: bytes
    ppi: int | None = None
    container_ppi: int | None = None
    raw: RawLayout | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Acquired:
    """What became of one upload; `image` describes `data`, the bytes as received."""

    outcome: Finger | FailureToAcquire
    image: StoredImage
    data: bytes

    @property
    def position(self) -> FingerPosition:
        """The finger."""
        return self.outcome.position


def acquire(engine: Engine, uploads: Sequence[Upload]) -> tuple[Acquired, ...]:
    """Decode in the sandbox, then extract all fingers at the same time; order and length are the uploads'."""
    check_positions([upload.position for upload in uploads])
    captures = [_decode(engine, upload) for upload in uploads]
    outcomes = engine.extract(captures)
    return tuple(
        Acquired(outcome, _describe(upload, capture), upload.data)
        for upload, capture, outcome in zip(uploads, captures, outcomes, strict=True)
    )


def probe_of(acquired: Collection[Acquired]) -> Tenprint:
    """The templates, by position, of the fingers that have one; `NoUsablePrint` where none has."""
    probe = {each.position: each.outcome.template for each in acquired if isinstance(each.outcome, Finger)}
    if not probe:
        failures = [each.outcome for each in acquired if isinstance(each.outcome, FailureToAcquire)]
        told = " ".join(f"{each.position.name.lower()}: {each.advice}" for each in failures)
        raise NoUsablePrint(f"No image shows a print that can be searched. {told}")
    return probe


def fingers_of(acquired: Collection[Acquired]) -> Mapping[FingerPosition, Finger | FailureToAcquire]:
    """What became of each finger, as an `Encounter` keeps it."""
    return {entry.position: entry.outcome for entry in acquired}


def parse_position(text: str) -> FingerPosition:
    """A finger position from its ANSI/NIST-ITL code (`2`) or its name (`right_index`, `right-index`)."""
    word = text.strip().replace("-", "_").upper()
    try:
        position = FingerPosition(int(word)) if word.isdecimal() else FingerPosition[word]
    except (KeyError, ValueError) as error:
        raise InvalidRequest(f"`{text[:40]}` is no finger position. Use 0-10 or one of: {_NAMES}.") from error
    return single_finger(position)


def parse_impression(text: str) -> ImpressionType:
    """An impression type from its ANSI/NIST-ITL code (`1`) or its name (`live_rolled`)."""
    word = text.strip().replace("-", "_").upper()
    try:
        return ImpressionType(int(word)) if word.isdecimal() else ImpressionType[word]
    except (KeyError, ValueError) as error:
        names = ", ".join(kind.name.lower() for kind in ImpressionType)
        raise InvalidRequest(f"`{text[:40]}` is no impression type. Use one of: {names}.") from error


def single_finger(position: FingerPosition) -> FingerPosition:
    """The finger a position stands for; an image of several fingers is refused."""
    position = _SINGLE.get(position, position)
    if position > FingerPosition.LEFT_LITTLE:
        name = position.name.lower()
        raise NotOffered(f"{name}: images of several fingers are not cut up yet. Send one image a finger.")
    return position


def check_positions(positions: Sequence[FingerPosition]) -> None:
    """Refuse an empty request, and the same finger twice: which of the two would count."""
    if not positions:
        raise InvalidRequest(
            "There is no image in the request. Send one to ten, each under its finger position."
        )
    for position in positions:
        if positions.count(position) > 1:
            raise InvalidRequest(f"{position.name.lower()} comes twice: send one image a finger.")


def _decode(engine: Engine, upload: Upload) -> Capture:
    limit = engine.settings.max_image_bytes
    if len(upload.data) > limit:
        raise ImageTooLarge(f"The image of {upload.position.name.lower()} is larger than {limit} bytes.")
    image = engine.decoder.decode(
        upload.data, ppi=upload.ppi, container_ppi=upload.container_ppi, raw=upload.raw
    )
    return Capture(upload.position, upload.impression, image)


def _describe(upload: Upload, capture: Capture) -> StoredImage:
    height_px, width_px = capture.image.pixels.shape
    return StoredImage.of(
        upload.data,
        position=upload.position,
        impression=upload.impression,
        format="raw" if upload.raw else _FORMATS[inspect_header(upload.data).format],
        width_px=width_px,
        height_px=height_px,
        ppi=capture.image.ppi,
    )
