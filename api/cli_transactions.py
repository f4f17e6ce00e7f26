"""ANSI/NIST-ITL files named on the command line: the fingers and slaps that a transaction carries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from api.captures import Upload
from api.errors import InvalidRequest
from enrollment.errors import ImageTooLarge
from enrollment.formats.nist_itl import MAX_TRANSACTION_BYTES, decode
from enrollment.formats.nist_records import FingerImage, finger_images
from enrollment.sandbox import RawLayout
from matcher.codes import FingerPosition, ImpressionType

#: What a folder is searched for; a file named outright may be called anything.
TRANSACTION_SUFFIXES = frozenset({".an2", ".an2k", ".an", ".nist", ".nst", ".eft"})
#: A transaction begins with the tag of its Type-1 record; files of before 2000 leave out the zeros.
_HEAD = re.compile(rb"1\.0{0,2}1:\d")
_ROLLED = frozenset({ImpressionType.LIVE_ROLLED, ImpressionType.NONLIVE_ROLLED})


def is_transaction(path: Path) -> bool:
    """Whether a file begins as a transaction does."""
    with path.open("rb") as file:
        return _HEAD.match(file.read(8)) is not None


def transaction_uploads(path: Path) -> list[Upload]:
    """The fingers and slaps of a transaction, each position once, rolled before plain.

    Raises `MalformedRecord`, `ImageTooLarge`, or `InvalidRequest` where there is no image of a known finger.
    """
    if path.stat().st_size > MAX_TRANSACTION_BYTES:
        raise ImageTooLarge(f"The file is larger than {MAX_TRANSACTION_BYTES} bytes.")
    chosen: dict[FingerPosition, Upload] = {}
    for image in _rolled_first(finger_images(decode(path.read_bytes()))):
        if image.position is not FingerPosition.UNKNOWN:
            chosen.setdefault(image.position, _upload(image))
    if not chosen:
        raise InvalidRequest("The transaction has no image of a known finger.")
    return [chosen[position] for position in sorted(chosen)]


def _rolled_first(images: Iterable[FingerImage]) -> list[FingerImage]:
    return sorted(images, key=lambda image: image.impression not in _ROLLED)


def _upload(image: FingerImage) -> Upload:
    bare = image.compression == "NONE"
    return Upload(
        image.position,
        image.impression,
        image.data,
        container_ppi=image.ppi,
        raw=RawLayout(image.width_px, image.height_px) if bare else None,
        missing=image.missing,
    )
