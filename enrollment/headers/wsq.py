"""WSQ (FBI IAFIS-IC-0110): marker segments, with the NISTCOM comment that carries the resolution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct

from enrollment.headers.fields import Header, ImageFormat, damaged, truncated, unpack

# segment: marker u16 | length u16 (counts itself) | payload; SOI and EOI stand alone
_SOI, _EOI, _SOF, _SOB, _COMMENT = 0xFFA0, 0xFFA1, 0xFFA2, 0xFFA3, 0xFFA8
#: Tables: wavelet taps, quantisation, Huffman, restart.
_TABLES = frozenset({0xFFA4, 0xFFA5, 0xFFA6, 0xFFA7})
SIGNATURE = b"\xff\xa0"
_MARKER = Struct(">H")
_LENGTH = Struct(">H")
# SOF: length u16 = 17 | black u8 | white u8 | height u16 | width u16 | scale and shift fields
_FRAME = Struct(">HBBHH")
_FRAME_LENGTH = 17
#: An encoder writes about a dozen segments: tables, comments and three blocks.
_MAX_SEGMENTS = 256
_ENTROPY_END = re.compile(rb"\xff[^\x00]")
_PPI = re.compile(rb"^PPI[ \t]+(-?\d{1,5})\s*$", re.MULTILINE)


def read(data: bytes) -> Header:
    """Header of a WSQ stream that runs from SOI to EOI with one frame and at least one block."""
    frame: tuple[int, int] | None = None
    ppi: float | None = None
    blocks = 0
    for marker, start, end in _segments(data):
        if marker == _SOF:
            if frame is not None or end - start != _FRAME_LENGTH:
                raise damaged("a WSQ stream has exactly one frame header of 17 bytes")
            _, _, _, height, width = unpack(_FRAME, data, start, "frame header")
            frame = (width, height)
        elif marker == _SOB:
            blocks += 1
        elif marker == _COMMENT and ppi is None:
            ppi = _nistcom_ppi(data[start + _LENGTH.size : end])
    if frame is None or not blocks:
        raise damaged("the WSQ stream has no frame header or no block of pixels")
    return Header(ImageFormat.WSQ, *frame, 8, ppi, ppi)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment (from its length field on) until EOI."""
    offset = _MARKER.size
    for _ in range(_MAX_SEGMENTS):
        (marker,) = unpack(_MARKER, data, offset, "next WSQ segment")
        if marker == _EOI:
            return
        if marker not in _TABLES and marker not in {_SOF, _SOB, _COMMENT}:
            raise damaged(f"no WSQ segment begins with {marker:04X}")
        start = offset + _MARKER.size
        (length,) = unpack(_LENGTH, data, start, "next WSQ segment")
        if length < _LENGTH.size or start + length > len(data):
            raise truncated("next WSQ segment")
        yield marker, start, start + length
        offset = _after_entropy(data, start + length) if marker == _SOB else start + length
    raise damaged(f"it has more than {_MAX_SEGMENTS} WSQ segments")


def _after_entropy(data: bytes, offset: int) -> int:
    """Where the next marker follows the coded pixels (0xFF inside them is stuffed with 0x00)."""
    found = _ENTROPY_END.search(data, offset)
    if found is None:
        raise truncated("coded pixels (the WSQ end marker is missing)")
    return found.start()


def _nistcom_ppi(comment: bytes) -> float | None:
    """PPI of a NISTCOM comment; -1 there means unknown."""
    found = _PPI.search(comment) if comment.startswith(b"NIST_COM") else None
    return float(found[1]) if found and int(found[1]) > 0 else None
