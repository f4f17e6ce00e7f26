"""PNG (ISO/IEC 15948): chunks with their checksums."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import Struct

from enrollment.errors import UnsupportedFormat
from enrollment.headers.fields import METRES_PER_INCH, Header, ImageFormat, damaged, truncated, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# chunk: length u32 | type 4s | payload | CRC-32 of type and payload u32
_CHUNK = Struct(">I4s")
_CRC = Struct(">I")
# IHDR: width u32 | height u32 | bit depth u8 | colour type u8 | compression u8 | filter u8 | interlace u8
_IHDR = Struct(">IIBBBBB")
# pHYs: pixels per unit x u32 | y u32 | unit u8 (1 = metre)
_PHYS = Struct(">IIB")
_ACTL = Struct(">I")
#: Colour type to channels: grey, RGB, palette, grey + alpha, RGB + alpha.
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Legal bit depths per colour type that we take; 1 and 2 bits are named apart.
_DEPTHS = {0: (4, 8, 16), 2: (8, 16), 3: (4, 8), 4: (8, 16), 6: (8, 16)}
#: 8 MiB in the smallest IDAT chunks seen in the wild (4 kB) are 2,048.
_MAX_CHUNKS = 20_000
#: DEFLATE cannot expand a byte to more than this many.
_MAX_INFLATION = 1_032


def read(data: bytes) -> Header:
    """Header of a PNG whose chunks are whole and whose pixels can be in it."""
    chunks = _chunks(data)
    kind, start, length = next(chunks, (b"", 0, 0))
    if kind != b"IHDR" or length != _IHDR.size:
        raise damaged("a PNG must begin with its IHDR chunk")
    width, height, bits, colour, compression, filtering, interlace = unpack(_IHDR, data, start, "IHDR chunk")
    if colour not in _CHANNELS or compression or filtering or interlace > 1:
        raise damaged("its IHDR chunk holds values that no PNG has")
    if bits not in _DEPTHS[colour]:
        raise UnsupportedFormat(
            f"The PNG has {bits} bit(s) per channel; a print needs 256 grey levels: save it as 8-bit grey."
        )
    ppi, compressed = _body(data, chunks)
    if height * (width * _CHANNELS[colour] * bits // 8 + 1) > compressed * _MAX_INFLATION + 1_024:
        raise damaged(f"{compressed} compressed bytes cannot hold the {width} x {height} pixels it claims")
    return Header(ImageFormat.PNG, width, height, bits, *ppi)


def _body(data: bytes, chunks: Iterator[tuple[bytes, int, int]]) -> tuple[tuple[float, ...], int]:
    """Resolution (empty if none) and number of compressed bytes, from the chunks after IHDR."""
    ppi: tuple[float, ...] = ()
    compressed = 0
    for kind, start, length in chunks:
        if kind == b"IDAT":
            compressed += length
        elif kind == b"pHYs" and length == _PHYS.size:
            across, down, unit = _PHYS.unpack_from(data, start)
            ppi = (across * METRES_PER_INCH, down * METRES_PER_INCH) if unit == 1 else ()
        elif kind == b"acTL" and length >= _ACTL.size and _ACTL.unpack_from(data, start)[0] > 1:
            raise UnsupportedFormat("The PNG is an animation: send one still image per capture.")
        elif kind == b"IEND":
            return ppi, compressed
    raise truncated("end (the IEND chunk is missing)")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and length of each payload, its checksum verified."""
    offset = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if offset == len(data):
            return
        length, kind = unpack(_CHUNK, data, offset, "next chunk")
        start = offset + _CHUNK.size
        (crc,) = unpack(_CRC, data, start + length, f"{kind.decode('latin-1')!a} chunk")
        if zlib.crc32(memoryview(data)[offset + 4 : start + length]) != crc:
            raise damaged(f"the checksum of its {kind.decode('latin-1')!a} chunk is wrong")
        yield kind, start, length
        offset = start + length + _CRC.size
    raise damaged(f"it has more than {_MAX_CHUNKS} chunks")
