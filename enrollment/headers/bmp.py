"""BMP: file header, then one of several generations of bitmap header."""

from __future__ import annotations

from struct import Struct

from enrollment.errors import UnsupportedFormat
from enrollment.headers.fields import METRES_PER_INCH, Header, ImageFormat, damaged, truncated, unpack

SIGNATURE = b"BM"
# file header, 14 bytes: "BM" | file size u32 | reserved u32 | offset of the pixels u32
_FILE = Struct("<2sIII")
_SIZE = Struct("<I")
# OS/2 core header: size u32 | width u16 | height u16 | planes u16 | bits per pixel u16
_CORE = Struct("<IHHHH")
# info header: size u32 | width i32 | height i32 (negative: top row first) | planes u16 | bits per pixel u16
#              | compression u32 | image size u32 | pixels per metre x i32 | y i32
_INFO = Struct("<IiiHHIIii")
_CORE_SIZE = 12
_INFO_SIZES = frozenset({40, 52, 56, 64, 108, 124})
#: Bits per pixel to bits per channel.
_DEPTHS = {4: 4, 8: 8, 24: 8, 32: 8}
_UNCOMPRESSED = frozenset({0, 3})  # BI_RGB, BI_BITFIELDS


def read(data: bytes) -> Header:
    """Header of an uncompressed BMP whose rows are all there."""
    _, _, _, pixels_at = unpack(_FILE, data, 0, "file header")
    (size,) = unpack(_SIZE, data, _FILE.size, "bitmap header")
    if size == _CORE_SIZE:
        _, width, height, _, bits = unpack(_CORE, data, _FILE.size, "bitmap header")
        compression = across = down = 0
    elif size in _INFO_SIZES:
        fields = unpack(_INFO, data, _FILE.size, "bitmap header")
        _, width, height, _, bits, compression, _, across, down = fields
    else:
        raise damaged(f"a BMP header of {size} bytes does not exist")
    if width <= 0 or height == 0:
        raise damaged("its BMP header gives no width or no height")
    if bits not in _DEPTHS:
        raise UnsupportedFormat(f"The BMP has {bits} bits per pixel: save it as 8-bit grey.")
    if compression not in _UNCOMPRESSED:
        raise UnsupportedFormat("The BMP is compressed (RLE or embedded): save it uncompressed, or as PNG.")
    row_bytes = (width * bits + 31) // 32 * 4
    if pixels_at + row_bytes * abs(height) > len(data):
        raise truncated(f"pixels ({width} x {abs(height)} at {bits} bits do not fit in {len(data)} bytes)")
    ppi = (across * METRES_PER_INCH, down * METRES_PER_INCH) if across > 0 and down > 0 else ()
    return Header(ImageFormat.BMP, width, abs(height), _DEPTHS[bits], *ppi)
