"""WSQ (FBI IAFIS-IC-0110): marker segments, with the NISTCOM comment that carries the resolution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct

from enrollment.headers.fields import Header, ImageFormat, damaged, truncated, unpack

# segment: marker u16 | length u16 (counts itself) | payload; SOI and EOI stand alone
_SOI, _EOI, _SOF, _SOB, _COMMENT = 0xFFA0, 0xFFA1, 0xFFA2, 0xFFA3, 0xFFA8
_TAPS, _QUANTISATION, _HUFFMAN, _RESTART = 0xFFA4, 0xFFA5, 0xFFA6, 0xFFA7
_MARKERS = frozenset({_SOF, _SOB, _TAPS, _QUANTISATION, _HUFFMAN, _RESTART, _COMMENT})
SIGNATURE = b"\xff\xa0"
_MARKER = Struct(">H")
_LENGTH = Struct(">H")
# SOF: length u16 = 17 | black u8 | white u8 | height u16 | width u16 | scale and shift fields
_FRAME = Struct(">HBBHH")
_FRAME_LENGTH = 17
# SOB: length u16 = 3 | Huffman table u8
_BLOCK_LENGTH = 3
# taps: length u16 | low-pass taps u8 | high-pass taps u8 | 6 bytes for each stored tap (9 and 7 in practice)
_TAPS_HEAD, _TAP_BYTES, _MOST_TAPS = 4, 6, 32
# quantisation: length u16 | bin centre 3 bytes | 64 subbands x (bin width 3 bytes, zero bin 3 bytes)
_QUANTISATION_LENGTH = 389
_FIXED_LENGTHS = {
    _SOF: _FRAME_LENGTH,
    _SOB: _BLOCK_LENGTH,
    _QUANTISATION: _QUANTISATION_LENGTH,
}
# Huffman: length u16 | one or more of (table u8 | codes of each length, 16 u8 | that many values u8)
_MOST_TABLES, _MOST_CODES = 8, 256
#: An encoder writes about a dozen segments: tables, comments and three blocks.
_MAX_SEGMENTS = 256
_ENTROPY_END = re.compile(rb"\xff[^\x00]")
_PPI = re.compile(rb"^PPI[ \t]+(-?\d{1,5})\s*$", re.MULTILINE)


def read(data: bytes) -> Header:
    """Header of a WSQ stream that runs from SOI to EOI with one frame and at least one block."""
    frame: tuple[int, int] | None = None
    ppi: float | None = None
    tables: set[int] = set()
    blocks = 0
    for marker, start, end in _segments(data):
        if marker == _SOF:
            if frame is not None:
                raise damaged("a WSQ stream has exactly one frame header")
            _, _, _, height, width = unpack(_FRAME, data, start, "frame header")
            frame = (width, height)
        elif marker == _TAPS:
            _check_taps(data[start:end])
        elif marker == _HUFFMAN:
            tables |= _huffman_tables(data[start + _LENGTH.size : end])
        elif marker == _SOB:
            if data[start + _LENGTH.size] not in tables:
                raise damaged("a WSQ block names a Huffman table that is not there")
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
        if marker not in _MARKERS:
            raise damaged(f"no WSQ segment begins with {marker:04X}")
        start = offset + _MARKER.size
        (length,) = unpack(_LENGTH, data, start, "next WSQ segment")
        if length < _LENGTH.size or start + length > len(data):
            raise truncated("next WSQ segment")
        if length != _FIXED_LENGTHS.get(marker, length):
            raise damaged(f"a WSQ segment {marker:04X} never has {length} bytes")
        yield marker, start, start + length
        offset = _after_entropy(data, start + length) if marker == _SOB else start + length
    raise damaged(f"it has more than {_MAX_SEGMENTS} WSQ segments")


def _after_entropy(data: bytes, offset: int) -> int:
    """Where the next marker follows the coded pixels (0xFF inside them is stuffed with 0x00)."""
    found = _ENTROPY_END.search(data, offset)
    if found is None:
        raise truncated("coded pixels (the WSQ end marker is missing)")
    return found.start()


def _check_taps(segment: bytes) -> None:
    """Both filters are there and as long as they say: half of each symmetric filter is stored."""
    low, high = segment[2:4] if len(segment) >= _TAPS_HEAD else (0, 0)
    stored = (low + 1) // 2 + (high + 1) // 2
    if (
        not (0 < low <= _MOST_TAPS and 0 < high <= _MOST_TAPS)
        or len(segment) != _TAPS_HEAD + stored * _TAP_BYTES
    ):
        raise damaged("the WSQ wavelet filters contradict themselves")


def _huffman_tables(payload: bytes) -> set[int]:
    """Numbers of the tables in one segment."""
    numbers: set[int] = set()
    while payload:
        values = sum(payload[1:17])
        if payload[0] >= _MOST_TABLES or values > _MOST_CODES or len(payload) < 17 + values:
            raise damaged("a WSQ Huffman table contradicts itself")
        numbers.add(payload[0])
        payload = payload[17 + values :]
    return numbers


def _nistcom_ppi(comment: bytes) -> float | None:
    """PPI of a NISTCOM comment; -1 there means unknown."""
    found = _PPI.search(comment) if comment.startswith(b"NIST_COM") else None
    return float(found[1]) if found and int(found[1]) > 0 else None
