"""The first look at an uploaded image: what is it, how large, is it whole. Plain Python, bounded.

The format is sniffed from the bytes, never taken from a name or a content type.
"""

from __future__ import annotations

from collections.abc import Callable

from enrollment.errors import ImageTooLarge, ImageTooSmall, UndecodableImage, UnsupportedFormat
from enrollment.headers import bmp, jpeg2000, png, tiff, wsq
from enrollment.headers.fields import Header, ImageFormat
from enrollment.limits import DEFAULT_LIMITS, ImageLimits

__all__ = ["SUPPORTED", "Header", "ImageFormat", "check_size", "inspect_header"]

#: What we read, in words for messages and documents.
SUPPORTED = "PNG, BMP, TIFF, JPEG 2000, WSQ, or raw 8-bit grey with width, height and ppi"

_READERS: tuple[tuple[bytes, Callable[[bytes], Header]], ...] = (
    (png.SIGNATURE, png.read),
    (bmp.SIGNATURE, bmp.read),
    (tiff.SIGNATURES[0], tiff.read),
    (tiff.SIGNATURES[1], tiff.read),
    (jpeg2000.BOX_SIGNATURE, jpeg2000.read),
    (jpeg2000.STREAM_SIGNATURE, jpeg2000.read),
    (wsq.SIGNATURE, wsq.read),
)

#: Things people send by mistake: first bytes, and what to do instead.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (
        b"\xff\xd8\xff",
        "a JPEG photograph; its block artefacts look like minutiae, so send the scanner's WSQ or PNG",
    ),
    (b"II+\x00", "a BigTIFF; save it as ordinary TIFF or PNG"),
    (b"MM\x00+", "a BigTIFF; save it as ordinary TIFF or PNG"),
    (b"%PDF", "a PDF; extract the print from it as PNG, with its ppi"),
    (b"GIF8", "a GIF; save it as PNG with its ppi"),
    (b"RIFF", "a WebP or RIFF file; save it as PNG with its ppi"),
    (b"P5", "a PGM, which carries no ppi; save it as PNG with its ppi, or declare its pixels as raw"),
    (b"FIR\x00", "an ISO 19794-4 record; extract its image and pass the record's ppi"),
    (b"FMR\x00", "a minutiae template, not an image"),
    (b"1.01:", "an ANSI/NIST-ITL transaction; extract its image records, with their ppi"),
    (b"1.001:", "an ANSI/NIST-ITL transaction; extract its image records, with their ppi"),
    (b"PK\x03\x04", "a ZIP archive; send the images in it one by one"),
    (b"\x1f\x8b", "gzip data; unpack it first"),
    (b"{", "JSON text; send the image's bytes"),
    (b"<", "XML or HTML text; send the image's bytes"),
    (b"data:", "a data URL; send the image's bytes, decoded from base64"),
    (b"iVBORw0KGgo", "base64 text; decode it and send the bytes"),
    (b"/6D", "base64 text; decode it and send the bytes"),
)


def inspect_header(data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> Header:
    """Format, size and resolution of an image file, without decoding any pixel.

    Raises a leaf of MalformedImage for anything that must not reach a decoder.
    """
    if not data:
        raise UnsupportedFormat(f"The image is empty (0 bytes): send {SUPPORTED}.")
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(
            f"The image has {len(data)} bytes; at most {limits.max_bytes} are read: "
            "crop it to the print, or compress it as WSQ or PNG."
        )
    header = _reader_of(data)(data)
    check_size(header.width_px, header.height_px, limits)
    if header.width_px * header.height_px > limits.max_pixels_per_byte * len(data):
        raise UndecodableImage(
            f"{len(data)} bytes cannot hold the {header.width_px} x {header.height_px} pixels that the "
            f"{header.format} header claims: send the complete, original file."
        )
    return header


def check_size(width_px: int, height_px: int, limits: ImageLimits) -> None:
    """Refuse a picture that is too large to be worth decoding, or too small to hold a fingertip."""
    size = f"{width_px} x {height_px} pixels"
    if width_px * height_px > limits.max_pixels:
        raise ImageTooLarge(
            f"The image has {size}; at most {limits.max_pixels} pixels are read: crop it to the print."
        )
    if min(width_px, height_px) < limits.min_side_px:
        raise ImageTooSmall(
            f"The image has {size}; a fingertip takes at least {limits.min_side_px} on each side: "
            "send the whole capture at 500 ppi or more."
        )


def _reader_of(data: bytes) -> Callable[[bytes], Header]:
    for signature, read in _READERS:
        if data.startswith(signature):
            return read
    for signature, advice in _FOREIGN:
        if data.startswith(signature):
            raise UnsupportedFormat(f"The bytes are {advice}. Read are {SUPPORTED}.")
    raise UnsupportedFormat(f"The bytes are no image in a format we read: send {SUPPORTED}.")
