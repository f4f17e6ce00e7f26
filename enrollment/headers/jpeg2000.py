"""JPEG 2000 (ISO/IEC 15444-1): JP2 boxes around a codestream, or the codestream alone."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from enrollment.errors import UnsupportedFormat
from enrollment.headers.fields import METRES_PER_INCH, Header, ImageFormat, damaged, truncated, unpack

BOX_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
STREAM_SIGNATURE = b"\xff\x4f\xff\x51"
# box: length u32 (1: a u64 follows; 0: to the end of the file) | type 4s | content
_BOX = Struct(">I4s")
_LONG = Struct(">Q")
# resolution box: vertical numerator u16 | denominator u16 | horizontal numerator u16 | denominator u16
#                 | vertical exponent i8 | horizontal exponent i8; points per metre = n / d * 10^e
_RESOLUTION = Struct(">HHHHbb")
# SIZ: length u16 | capabilities u16 | Xsiz, Ysiz, XOsiz, YOsiz, XTsiz, YTsiz, XTOsiz, YTOsiz u32
#      | components u16
_SIZ = Struct(">HHIIIIIIIIH")
# per component: precision u8 (high bit: signed) | subsampling x u8 | y u8
_COMPONENT = Struct(">BBB")
# COD: length u16 | style u8 | progression u8 | layers u16 | colour transform u8 | levels u8
#      | block w, h, style, wavelet u8 | one u8 per level where style bit 0 says so: precinct exponents,
#      y in the high nibble, x in the low one
_COD = Struct(">HBBHBBBBBB")
_MARKER = Struct(">HH")
# SOT: marker u16 | length u16 = 10 | tile u16 | tile-part length u32 (0: to EOC) | part u8 | parts u8
_SOT = Struct(">HHHIBB")
_SOT_MARKER, _COD_MARKER, _EOC = 0xFF90, 0xFF52, b"\xff\xd9"
#: Nobody nests or repeats this much; each step costs about a microsecond.
_MAX_STEPS = 4_096
_MAX_TILES = 1_024
_MAX_LAYERS = 256
_MAX_LEVELS = 32
#: Smallest precinct as an exponent: 2^4 x 2^4 keeps 4 Mpx near 20,000 precincts over all levels.
_MIN_PRECINCT = 4


def read(data: bytes) -> Header:
    """Header of a JP2 file or codestream whose tile-parts reach its end marker."""
    if data.startswith(STREAM_SIGNATURE):
        return _codestream(data, 0, len(data), ())
    ppi: tuple[float, ...] = ()
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind == b"jp2h":
            ppi = _resolution(data, start, end)
        elif kind == b"jp2c":
            return _codestream(data, start, end, ppi)
    raise truncated("boxes (there is no codestream)")


def _boxes(data: bytes, offset: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, start and end of the contents of each box between two offsets."""
    for _ in range(_MAX_STEPS):
        if offset >= end:
            return
        length, kind = unpack(_BOX, data, offset, "next box")
        start = offset + _BOX.size
        if length == 1:
            (length,) = unpack(_LONG, data, start, "next box")
            start += _LONG.size
        after = end if length == 0 else offset + length
        if after < start or after > end:
            raise truncated(f"{kind.decode('latin-1')!a} box")
        yield kind, start, after
        offset = after
    raise damaged(f"it has more than {_MAX_STEPS} boxes")


def _resolution(data: bytes, start: int, end: int) -> tuple[float, ...]:
    """Across and down, from the capture resolution if there is one, else the display resolution."""
    found: dict[bytes, tuple[float, ...]] = {}
    for kind, inner, inner_end in _boxes(data, start, end):
        if kind != b"res ":
            continue
        for name, at, _ in _boxes(data, inner, inner_end):
            up, down_by, across, across_by, up_10, across_10 = unpack(_RESOLUTION, data, at, "resolution box")
            if down_by and across_by:
                found[name] = (
                    across / across_by * 10.0**across_10 * METRES_PER_INCH,
                    up / down_by * 10.0**up_10 * METRES_PER_INCH,
                )
    return found.get(b"resc", found.get(b"resd", ()))


def _codestream(data: bytes, start: int, end: int, ppi: tuple[float, ...]) -> Header:
    if data[start : start + 4] != STREAM_SIGNATURE:
        raise damaged("its JPEG 2000 codestream does not begin with SOC and SIZ")
    width, height, bits = _size(data, start + 4)
    _tile_parts(data, _main_header(data, start + 2, end), end)
    return Header(ImageFormat.JPEG2000, width, height, bits, *ppi)


def _size(data: bytes, offset: int) -> tuple[int, int, int]:
    """Width, height and bits per channel from the SIZ segment."""
    fields = unpack(_SIZ, data, offset, "SIZ segment")
    _, _, right, bottom, left, top, tile_w, tile_h, tile_x, tile_y, channels = fields
    if right <= left or bottom <= top or not tile_w or not tile_h or tile_x > left or tile_y > top:
        raise damaged("its JPEG 2000 size segment contradicts itself")
    tiles = -(-(right - tile_x) // tile_w) * -(-(bottom - tile_y) // tile_h)
    if tiles > _MAX_TILES:
        raise damaged(f"it claims {tiles} JPEG 2000 tiles; at most {_MAX_TILES} are read")
    if not 1 <= channels <= 4:
        raise UnsupportedFormat(f"The JPEG 2000 image has {channels} channels: save it as 8-bit grey.")
    components = [
        unpack(_COMPONENT, data, offset + _SIZ.size + 3 * index, "SIZ segment") for index in range(channels)
    ]
    bits = components[0][0] + 1
    if any(precision + 1 != bits or (across, down) != (1, 1) for precision, across, down in components):
        raise UnsupportedFormat("The JPEG 2000 channels differ in size or depth: save it as 8-bit grey.")
    if not 8 <= bits <= 16:  # a signed precision has bit 7 set and lands above
        raise UnsupportedFormat(f"The JPEG 2000 image has no 8- to 16-bit grey (depth byte {bits - 1}).")
    return right - left, bottom - top, bits


def _main_header(data: bytes, offset: int, end: int) -> int:
    """Offset of the first tile-part; coding parameters that cost memory are checked on the way."""
    for _ in range(_MAX_STEPS):
        marker, length = unpack(_MARKER, data, offset, "JPEG 2000 main header")
        if marker == _SOT_MARKER:
            return offset
        if marker < 0xFF00 or length < 2 or offset + 2 + length > end:
            raise truncated("JPEG 2000 main header")
        if marker == _COD_MARKER:
            _coding_style(data, offset + 2, length)
        offset += 2 + length
    raise damaged(f"its JPEG 2000 header has more than {_MAX_STEPS} segments")


def _coding_style(data: bytes, offset: int, length: int) -> None:
    _, style, _, layers, _, levels, *_ = unpack(_COD, data, offset, "COD segment")
    if not 1 <= layers <= _MAX_LAYERS or levels > _MAX_LEVELS:
        raise damaged(f"it claims {layers} quality layers and {levels} levels")
    precincts = data[offset + _COD.size : offset + length] if style & 1 else b""
    if any(min(size >> 4, size & 15) < _MIN_PRECINCT for size in precincts):
        raise damaged("its JPEG 2000 precincts are smaller than 16 x 16")


def _tile_parts(data: bytes, offset: int, end: int) -> None:
    """Follow the tile-parts by their lengths to the end marker."""
    for _ in range(_MAX_STEPS):
        if data[offset : offset + 2] == _EOC and offset + 2 <= end:
            return
        marker, _, _, length, _, _ = unpack(_SOT, data, offset, "JPEG 2000 tile-part")
        if marker != _SOT_MARKER:
            raise damaged("a JPEG 2000 tile-part does not begin with SOT")
        if length == 0:
            if data[offset:end].rstrip(b"\x00").endswith(_EOC):
                return
            raise truncated("JPEG 2000 end marker")
        if length < _SOT.size + 2 or offset + length > end:
            raise truncated("JPEG 2000 tile-part")
        offset += length
    raise damaged(f"it has more than {_MAX_STEPS} JPEG 2000 tile-parts")
