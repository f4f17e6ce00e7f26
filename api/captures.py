"""From uploaded bytes to fingers: one path for the desk, the police, OSIA and the command line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from api.engine import Engine
from api.errors import InvalidRequest, NoUsablePrint
from enrollment.capture import Capture, FailureToAcquire, Finger
from enrollment.encounter import StoredImage
from enrollment.errors import ImageTooLarge
from enrollment.image_header import ImageFormat, inspect_header
from enrollment.sandbox import RawLayout
from enrollment.slaps import FINGERS_OF, UncutSlap, cut
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.template import Tenprint
from workflow.sequence import SessionPrint

#: How the store names container formats (`StoredImage.format`).
_FORMATS = {
    ImageFormat.PNG: "png",
    ImageFormat.BMP: "bmp",
    ImageFormat.TIFF: "tiff",
    ImageFormat.JPEG2000: "jp2",
    ImageFormat.WSQ: "wsq",
}
_NAMES = ", ".join(position.name.lower() for position in FingerPosition)


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of one picture and what the sender says of it.

    ppi: given with the request. container_ppi: of the record the picture came in.
    raw: set when the bytes are bare pixels. missing: fingers that a slap does not show, because the person
    has none or has it bandaged.
    """

    position: FingerPosition
    impression: ImpressionType
    data: bytes
    ppi: int | None = None
    container_ppi: int | None = None
    raw: RawLayout | None = None
    missing: tuple[FingerPosition, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Acquired:
    """What became of one finger; `image` describes `data`, the bytes as received.

    Fingers of a slap share its image; other_hand: they lie as those of the hand that it is not named for.
    """

    outcome: Finger | FailureToAcquire
    image: StoredImage
    data: bytes
    other_hand: bool = False

    @property
    def position(self) -> FingerPosition:
        """The finger."""
        return self.outcome.position

    @property
    def from_slap(self) -> bool:
        """Whether the finger was cut out of a slap."""
        return self.image.position in FINGERS_OF


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A decoded picture: what is described of it, its bytes as received, and what is to become of it.

    captures: its fingers, or why they could not be cut out.
    """

    image: StoredImage
    data: bytes
    captures: tuple[Capture | FailureToAcquire, ...]
    other_hand: bool = False


def acquire(engine: Engine, uploads: Sequence[Upload]) -> tuple[Acquired, ...]:
    """`extract` of what `see` gives."""
    return extract(engine, see(engine, uploads))


def see(engine: Engine, uploads: Sequence[Upload]) -> tuple[Seen, ...]:
    """Decode in the sandbox and cut up slaps, in the uploads' order; what comes back is pictures."""
    check_positions([upload.position for upload in uploads])
    pictures = [(upload, _decode(engine, upload)) for upload in uploads]
    return tuple(
        Seen(_describe(upload, picture), upload.data, *_cut(upload, picture)) for upload, picture in pictures
    )


def extract(engine: Engine, seen: Sequence[Seen]) -> tuple[Acquired, ...]:
    """Extract all fingers at the same time; in order, each picture as many as it should show."""
    captures = [each for picture in seen for each in picture.captures if isinstance(each, Capture)]
    outcomes = iter(engine.extract(captures))
    return tuple(
        Acquired(
            next(outcomes) if isinstance(each, Capture) else each,
            picture.image,
            picture.data,
            picture.other_hand,
        )
        for picture in seen
        for each in picture.captures
    )


def probe_of(acquired: Collection[Acquired]) -> Tenprint:
    """The templates, by position, of the fingers that have one; `NoUsablePrint` where none has."""
    fingers = fingers_of(acquired)
    probe = {each.position: each.template for each in fingers.values() if isinstance(each, Finger)}
    if not probe:
        failures = [each.outcome for each in acquired if isinstance(each.outcome, FailureToAcquire)]
        told = " ".join(f"{each.position.name.lower()}: {each.advice}" for each in failures)
        raise NoUsablePrint(f"No image shows a print that can be searched. {told}")
    return probe


def fingers_of(acquired: Collection[Acquired]) -> Mapping[FingerPosition, Finger | FailureToAcquire]:
    """What became of each finger, as an `Encounter` keeps it.

    Of two prints of a finger that which has a template, then that which has an image of its own.
    """
    chosen: dict[FingerPosition, Finger | FailureToAcquire] = {}
    for entry in sorted(acquired, key=_last_resort):
        chosen.setdefault(entry.position, entry.outcome)
    return chosen


def _last_resort(entry: Acquired) -> tuple[bool, bool]:
    return isinstance(entry.outcome, FailureToAcquire), entry.from_slap


def images_of(acquired: Collection[Acquired | Seen]) -> Mapping[FingerPosition, StoredImage]:
    """The pictures as an `Encounter` keeps them: a slap is one."""
    return {entry.image.position: entry.image for entry in acquired}


def pictures_of(acquired: Collection[Acquired | Seen]) -> Mapping[FingerPosition, bytes]:
    """The bytes of the pictures."""
    return {entry.image.position: entry.data for entry in acquired}


def session_prints(acquired: Collection[Acquired]) -> tuple[SessionPrint, ...]:
    """All prints, also two of one finger, for `check_sequence`."""
    return tuple(
        SessionPrint(entry.position, entry.outcome.template, "slap" if entry.from_slap else "single")
        for entry in acquired
        if isinstance(entry.outcome, Finger)
    )


def other_hands(acquired: Collection[Acquired]) -> tuple[FingerPosition, ...]:
    """The slaps whose fingers lie as those of the other hand do."""
    return tuple(sorted({entry.image.position for entry in acquired if entry.other_hand}))


def parse_position(text: str) -> FingerPosition:
    """A finger or slap from its ANSI/NIST-ITL code (`2`) or its name (`right_index`, `right-index`)."""
    word = text.strip().replace("-", "_").upper()
    try:
        return FingerPosition(int(word)) if word.isdecimal() else FingerPosition[word]
    except (KeyError, ValueError) as error:
        raise InvalidRequest(f"`{text[:40]}` is no finger position. Use 0-15 or one of: {_NAMES}.") from error


def parse_missing(text: str) -> tuple[FingerPosition, ...]:
    """Fingers that are amputated or bandaged, separated by commas: `9,10` or `left_ring,left_little`."""
    missing = tuple(parse_position(part) for part in text.split(",") if part.strip())
    for position in missing:
        if position not in FINGERS:
            raise InvalidRequest(f"missing: {position.name.lower()} is no single finger; name 1-10.")
    return missing


def parse_impression(text: str) -> ImpressionType:
    """An impression type from its ANSI/NIST-ITL code (`1`) or its name (`live_rolled`)."""
    word = text.strip().replace("-", "_").upper()
    try:
        return ImpressionType(int(word)) if word.isdecimal() else ImpressionType[word]
    except (KeyError, ValueError) as error:
        names = ", ".join(kind.name.lower() for kind in ImpressionType)
        raise InvalidRequest(f"`{text[:40]}` is no impression type. Use one of: {names}.") from error


def check_positions(positions: Sequence[FingerPosition]) -> None:
    """Refuse an empty request, and the same finger twice: which of the two would count."""
    if not positions:
        raise InvalidRequest("There is no image in the request. Send each under its position.")
    for position in positions:
        if positions.count(position) > 1:
            raise InvalidRequest(f"{position.name.lower()} comes twice: send one image a finger.")


def _cut(upload: Upload, picture: Capture) -> tuple[tuple[Capture | FailureToAcquire, ...], bool]:
    """The fingers of one picture, or why they could not be cut out; whether they are of the other hand."""
    if upload.position not in FINGERS_OF:
        return (picture,), False
    answer = cut(picture.image, upload.position, upload.missing)
    if not isinstance(answer, UncutSlap):
        return tuple(each.capture(upload.impression) for each in answer.fingers), answer.other_hand
    if len(FINGERS_OF[upload.position]) == 1:
        # A picture of one thumb is that thumb, also where its outline is not understood.
        return (replace(picture, position=FINGERS_OF[upload.position][0]),), False
    return answer.failures(upload.impression), False


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
