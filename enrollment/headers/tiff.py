"""TIFF 6.0: one page of strips or tiles, uncompressed, LZW, Deflate or PackBits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from enrollment.errors import ImageTooLarge, UnsupportedFormat
from enrollment.headers.fields import Header, ImageFormat, damaged, truncated, unpack

SIGNATURES = (b"II*\x00", b"MM\x00*")
# header: byte order 2s | 42 u16 | offset of the first directory u32
# directory: number of entries u16 | entries | offset of the next directory u32
# entry: tag u16 | type u16 | count u32 | value, or its offset where it takes more than 4 bytes u32
_TYPES = {1: "B", 3: "H", 4: "I", 5: "II"}  # BYTE, SHORT, LONG, RATIONAL
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _CHANNELS, _STRIP_BYTES, _PLANES = 273, 277, 279, 284
_ACROSS, _DOWN, _UNIT = 282, 283, 296
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _SAMPLE_FORMAT = 322, 323, 324, 325, 339
_WANTED = frozenset(
    {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS, _CHANNELS, _STRIP_BYTES, _PLANES}
    | {_ACROSS, _DOWN, _UNIT, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _SAMPLE_FORMAT}
)
_UNCOMPRESSED = 1
_COMPRESSIONS = frozenset({_UNCOMPRESSED, 5, 8, 32773, 32946})  # LZW, Deflate, PackBits, old Deflate
_PHOTOMETRICS = frozenset({0, 1, 2, 3, 5})  # white is zero, black is zero, RGB, palette, CMYK
_DEPTHS = frozenset({4, 8, 16})
_CENTIMETRES_PER_INCH = 2.54
_MAX_ENTRIES = 256
#: One strip per row of the tallest image we take.
_MAX_PIECES = 65_536
#: Largest tile, in pixels: scanners write 256 x 256; the decoder allocates one whole.
_MAX_TILE = 4_000_000

_Tags = Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Source:
    """The bytes and their byte order ('<' or '>')."""

    data: bytes
    order: str

    def numbers(self, layout: str, offset: int, what: str) -> tuple[int, ...]:
        return unpack(Struct(self.order + layout), self.data, offset, what)


def read(data: bytes) -> Header:
    """Header of a one-page TIFF whose pieces all lie inside the file."""
    source = _Source(data, "<" if data.startswith(SIGNATURES[0]) else ">")
    (directory,) = source.numbers("I", 4, "TIFF header")
    tags = _directory(source, directory)
    width, height = _one(tags, _WIDTH), _one(tags, _HEIGHT)
    bits = _depth(tags)
    _check_coding(tags)
    _check_pieces(source, tags, width, height, bits)
    return Header(ImageFormat.TIFF, width, height, bits, *_resolution(tags))


def _directory(source: _Source, offset: int) -> dict[int, tuple[int, ...]]:
    """The tags we use, by number; any further page is refused."""
    (count,) = source.numbers("H", offset, "TIFF directory")
    if not 1 <= count <= _MAX_ENTRIES:
        raise damaged(f"its TIFF directory claims {count} entries")
    tags: dict[int, tuple[int, ...]] = {}
    outside = 0
    for index in range(count):
        at = offset + 2 + 12 * index
        tag, kind, number = source.numbers("HHI", at, "TIFF directory")
        size = number * _SIZES.get(kind, 1)
        outside += size if size > 4 else 0
        if outside > len(source.data):
            raise damaged("its TIFF tags claim more bytes than the file has")
        if tag in _WANTED and kind in _TYPES and number <= _MAX_PIECES:
            place = source.numbers("I", at + 8, "TIFF directory")[0] if size > 4 else at + 8
            tags[tag] = source.numbers(_TYPES[kind] * number, place, f"TIFF tag {tag}")
    if any(source.numbers("I", offset + 2 + 12 * count, "TIFF directory")):
        raise UnsupportedFormat("The TIFF has several pages: send one file per capture.")
    return tags


def _one(tags: _Tags, tag: int, default: int | None = None) -> int:
    values = tags.get(tag) or (() if default is None else (default,))
    if not values:
        raise damaged(f"its TIFF directory lacks tag {tag}")
    return values[0]


def _depth(tags: _Tags) -> int:
    bits = tags.get(_BITS) or (1,)
    if len(set(bits)) != 1 or bits[0] not in _DEPTHS or set(tags.get(_SAMPLE_FORMAT) or (1,)) != {1}:
        raise UnsupportedFormat(
            f"The TIFF has {bits[0]} bit(s) per channel or no whole numbers: save it as 8-bit grey."
        )
    return bits[0]


def _check_coding(tags: _Tags) -> None:
    if _one(tags, _COMPRESSION, _UNCOMPRESSED) not in _COMPRESSIONS:
        raise UnsupportedFormat(
            f"The TIFF uses compression {_one(tags, _COMPRESSION)}: "
            "save it uncompressed or with LZW, Deflate or PackBits."
        )
    if _one(tags, _PHOTOMETRIC) not in _PHOTOMETRICS:
        raise UnsupportedFormat("The TIFF is no grey, palette, RGB or CMYK image: save it as 8-bit grey.")
    if not 1 <= _one(tags, _CHANNELS, 1) <= 5 or (
        _one(tags, _PLANES, 1) != 1 and _one(tags, _CHANNELS, 1) > 1
    ):
        raise UnsupportedFormat("The TIFF keeps its channels in an unusual way: save it as 8-bit grey.")


def _check_pieces(source: _Source, tags: _Tags, width: int, height: int, bits: int) -> None:
    """Strips or tiles: as many sizes as places, all inside the file, enough bytes when uncompressed."""
    tiled = _TILE_OFFSETS in tags
    places = tags.get(_TILE_OFFSETS if tiled else _STRIP_OFFSETS, ())
    sizes = tags.get(_TILE_BYTES if tiled else _STRIP_BYTES, ())
    if not places or len(places) != len(sizes):
        raise damaged("its TIFF strips or tiles have no places or no sizes")
    if tiled and _one(tags, _TILE_WIDTH) * _one(tags, _TILE_HEIGHT) > _MAX_TILE:
        raise ImageTooLarge(
            f"A single TIFF tile claims more than {_MAX_TILE} pixels: save the image in strips."
        )
    if any(place + size > len(source.data) for place, size in zip(places, sizes, strict=True)):
        raise truncated("TIFF strips or tiles")
    row = (width * _one(tags, _CHANNELS, 1) * bits + 7) // 8
    if _one(tags, _COMPRESSION, _UNCOMPRESSED) == _UNCOMPRESSED and sum(sizes) < row * height:
        raise truncated(f"pixels ({width} x {height} do not fit in its strips)")


def _resolution(tags: _Tags) -> tuple[float, ...]:
    """Across and down in ppi; empty without the tags or without an absolute unit."""
    unit = {2: 1.0, 3: _CENTIMETRES_PER_INCH}.get(_one(tags, _UNIT, 2))
    across, down = tags.get(_ACROSS, ()), tags.get(_DOWN, ())
    if unit is None or len(across) != 2 or len(down) != 2 or not across[1] or not down[1]:
        return ()
    return across[0] / across[1] * unit, down[0] / down[1] * unit
