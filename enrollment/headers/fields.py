"""What every header reader shares: the answer type and the bounds-checked read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from struct import Struct
from typing import Any

from enrollment.errors import UndecodableImage

#: Inches in a metre, turned around: file formats count pixels per metre or centimetre.
METRES_PER_INCH = 0.0254


class ImageFormat(StrEnum):
    """The formats we read."""

    PNG = "PNG"
    BMP = "BMP"
    TIFF = "TIFF"
    JPEG2000 = "JPEG 2000"
    WSQ = "WSQ"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself before anything is decoded.

    width_px, height_px: as stored, before any EXIF rotation. bits: per channel.
    ppi, ppi_vertical: pixels per inch as written, not judged; None where the file is silent.
    """

    format: ImageFormat
    width_px: int
    height_px: int
    bits: int = 8
    ppi: float | None = None
    ppi_vertical: float | None = None


def unpack(layout: Struct, data: bytes, offset: int, what: str) -> tuple[Any, ...]:
    """Fields of `layout` at `offset`, or a refusal that names `what` is cut off."""
    if offset < 0 or offset + layout.size > len(data):
        raise truncated(what)
    return layout.unpack_from(data, offset)


def truncated(what: str) -> UndecodableImage:
    """The refusal of a file that ends too early."""
    return UndecodableImage(
        f"The image file is cut off or damaged at its {what}: send the complete file as it was exported."
    )


def damaged(what: str) -> UndecodableImage:
    """The refusal of a file whose structure contradicts itself."""
    return UndecodableImage(f"The image file is damaged: {what}. Export it again from its source.")
