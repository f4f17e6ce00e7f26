"""Our stored template, version 1: compact, exact, self-checking.

    0   3  "TPT"
    3   1  version, 1
    4   2  width_px        6   2  height_px
    8   1  n, minutiae     9   1  flags: 1 = a ridge field follows
   10  7n  minutiae: u16 kind << 14 | x,  u16 y,  u16 angle (65,536 steps a turn),  u8 quality
           then, with a field:  u8 rows, u8 columns, u16 length, raw deflate of
             foreground (1 bit a cell, rows padded to bytes), orientation, coherence (u8 a cell, each the
             difference to the cell above it)
  end  4  CRC-32 of all before

All numbers big-endian. Angles come back within half a step (0.00005 rad); everything else exactly.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from enrollment.errors import MalformedRecord
from matcher.codes import MinutiaKind
from matcher.errors import InvalidTemplate
from matcher.template import MAX_SIDE_PX, RidgeField, Template

_MAGIC = b"TPT\x01"
_HEADER = struct.Struct(">4sHHBB")
_FIELD_HEADER = struct.Struct(">BBH")
_CHECKSUM = struct.Struct(">I")
_MINUTIA = np.dtype([("kind_x", ">u2"), ("y", ">u2"), ("angle", ">u2"), ("quality", "u1")])
_ANGLE_STEPS = 65_536
_KIND_SHIFT = 14
_LAST_KIND = int(max(MinutiaKind))
_HAS_FIELD = 1


def encode(template: Template) -> bytes:
    """The template's bytes; `InvalidTemplate` for columns that the format cannot hold."""
    for name, column in (("x", template.x), ("y", template.y)):
        if (column.view(np.uint16) > MAX_SIDE_PX).any():  # negative ones are high there
            raise InvalidTemplate(f"{name} must lie within 0-{MAX_SIDE_PX} px to be stored")
    if (template.kind > _LAST_KIND).any():
        raise InvalidTemplate("a minutia's kind must be one of the coded ones to be stored")
    rows = np.empty(len(template), dtype=_MINUTIA)
    rows["kind_x"] = template.kind.astype(np.uint16) << _KIND_SHIFT | template.x.view(np.uint16)
    rows["y"] = template.y
    rows["angle"] = _steps(template.angle)
    rows["quality"] = template.quality
    flags = 0 if template.field is None else _HAS_FIELD
    body = _HEADER.pack(_MAGIC, template.width_px, template.height_px, len(template), flags) + rows.tobytes()
    if template.field is not None:
        body += _encode_field(template.field)
    return body + _CHECKSUM.pack(zlib.crc32(body))


def as_stored(template: Template) -> Template:
    """The template as it comes back from the store: its angles in steps."""
    return replace(template, angle=_angles(_steps(template.angle)))


def decode(data: bytes) -> Template:
    """The template in `data`; `MalformedRecord` for bytes that `encode` did not write."""
    if len(data) < _HEADER.size + _CHECKSUM.size:
        raise MalformedRecord("a stored template is longer than this")
    body = data[: -_CHECKSUM.size]
    if data[: len(_MAGIC)] != _MAGIC:
        raise MalformedRecord("not a stored template of version 1")
    if _CHECKSUM.unpack(data[-_CHECKSUM.size :])[0] != zlib.crc32(body):
        raise MalformedRecord("the stored template is damaged: its checksum does not fit")
    _, width_px, height_px, count, flags = _HEADER.unpack_from(body)
    end = _HEADER.size + count * _MINUTIA.itemsize
    if end > len(body) or flags not in {0, _HAS_FIELD}:
        raise MalformedRecord("the stored template ends before its minutiae do")
    rows = np.frombuffer(body, dtype=_MINUTIA, count=count, offset=_HEADER.size)
    field = _decode_field(body[end:]) if flags else None
    if not flags and end != len(body):
        raise MalformedRecord("the stored template goes on after its minutiae")
    return _template(rows, width_px, height_px, field)


def _template(rows: NDArray[np.void], width_px: int, height_px: int, field: RidgeField | None) -> Template:
    kind, x = rows["kind_x"] >> _KIND_SHIFT, rows["kind_x"] & ((1 << _KIND_SHIFT) - 1)
    if len(rows) and (kind.max() > _LAST_KIND or x.max() > MAX_SIDE_PX or rows["y"].max() > MAX_SIDE_PX):
        raise MalformedRecord(
            "a minutia of the stored template lies outside any picture or has no known kind"
        )
    try:
        return Template(
            x=x.astype(np.int16),
            y=rows["y"].astype(np.int16),
            angle=_angles(rows["angle"]),
            kind=kind.astype(np.uint8),
            quality=rows["quality"].copy(),
            width_px=width_px,
            height_px=height_px,
            field=field,
        )
    except InvalidTemplate as error:
        raise MalformedRecord(f"the stored template is none: {error}") from error


def _steps(angle: NDArray[np.float32]) -> NDArray[np.uint16]:
    turns = angle.astype(np.float64) / (2 * np.pi)
    turns -= np.floor(turns)
    # A whole turn is none: it does not fit into the sixteen bits.
    return np.rint(turns * _ANGLE_STEPS).astype(np.int32).astype(np.uint16)


def _angles(steps: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (steps * (2 * np.pi / _ANGLE_STEPS)).astype(np.float32)


def _encode_field(field: RidgeField) -> bytes:
    rows, columns = field.orientation.shape
    if max(rows, columns) > 255:
        raise InvalidTemplate("a ridge field of more than 255 rows or columns cannot be stored")
    # Neighbours differ little, so differences compress to half.
    differences = np.stack([field.orientation, field.coherence])
    differences[:, 1:] -= differences[:, :-1].copy()
    cells = np.packbits(field.foreground, axis=1).tobytes() + differences.tobytes()
    # Runs alone, as in PNG: half the time of a search for longer repeats, for 2 % more bytes.
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    packed = deflate.compress(cells) + deflate.flush()
    return _FIELD_HEADER.pack(rows, columns, len(packed)) + packed


def _decode_field(data: bytes) -> RidgeField:
    if len(data) < _FIELD_HEADER.size:
        raise MalformedRecord("the stored template ends before its ridge field does")
    rows, columns, length = _FIELD_HEADER.unpack_from(data)
    packed = data[_FIELD_HEADER.size :]
    if length != len(packed):
        raise MalformedRecord("the length of the stored ridge field does not fit")
    mask_size = rows * -(-columns // 8)
    size = mask_size + 2 * rows * columns
    cells = _inflate(packed, size)
    mask = np.frombuffer(cells, dtype=np.uint8, count=mask_size).reshape(rows, -(-columns // 8))
    differences = np.frombuffer(cells, dtype=np.uint8, offset=mask_size).reshape(2, rows, columns)
    orientation, coherence = np.cumsum(differences, axis=1, dtype=np.uint8)
    foreground = np.unpackbits(mask, axis=1, count=columns).astype(np.bool_)
    return RidgeField(orientation.copy(), coherence.copy(), foreground)


def _inflate(packed: bytes, size: int) -> bytes:
    """Exactly `size` bytes: a small record cannot grow beyond the grid it declares."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        cells = inflate.decompress(packed, size + 1)
    except zlib.error as error:
        raise MalformedRecord("the stored ridge field cannot be unpacked") from error
    if len(cells) != size or not inflate.eof or inflate.unused_data:
        raise MalformedRecord("the stored ridge field does not fill its grid")
    return cells
