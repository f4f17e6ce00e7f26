"""The ANSI/NIST-ITL records we understand: Type-1 and the fingerprint images of Types 4 and 14.

Type-4 payload: IMP 1 | FGP 6 (padded with 255) | ISR 1 | HLL 2 | VLL 2 | GCA 1 | image; big-endian.
ISR 0 means 19.69 pixels/mm (500 ppi), ISR 1 what 1.011 (NSR) says.
Type-14 fields: 003 IMP, 004 SRC, 005 FCD, 006 HLL, 007 VLL, 008 SLC (1: ppi, 2: pixels/cm), 009 and 010
pixel scale, 011 CGA, 012 BPX, 013 FGP, 018 AMP (missing fingers), 996 SHA-256 of the image, 999 image.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from enrollment.errors import MalformedRecord
from enrollment.formats.nist_itl import DATA, IDC, RS, US, BinaryRecord, TaggedRecord, Transaction
from matcher.codes import FingerPosition, ImpressionType

_TYPE_4 = struct.Struct(">B6sBHHB")
_GCA = ("NONE", "WSQ20", "JPEGB", "JPEGL", "JP2", "JP2L", "PNG")
_MM_PER_INCH = 25.4
_CM_PER_INCH = 2.54
_DECIMAL = re.compile(r"\d{1,4}(\.\d{1,4})?")
_CHARSET_UTF8 = b"003" + US + b"UTF-8"
ANSI_NIST_VERSION = b"0502"  # ANSI/NIST-ITL 1-2011, update 2015


@dataclass(frozen=True, slots=True)
class FingerImage:
    """A compressed fingerprint image as a transaction carries it.

    compression: code of 14.011 (CGA), such as WSQ20, JP2 or NONE. ppi: pixels per inch as stored.
    missing: fingers it does not show, amputated or not printable (14.018, AMP).
    """

    idc: int
    position: FingerPosition
    impression: ImpressionType
    width_px: int
    height_px: int
    ppi: int
    compression: str
    data: bytes
    missing: tuple[FingerPosition, ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """What a Type-1 says of the file as a whole. Agencies and type of transaction are configuration.

    `request_control_number` is the number an answer refers to; `domain` is (name, version).
    """

    transaction_type: str
    destination: str
    origin: str
    control_number: str
    at: datetime
    domain: tuple[str, str]
    request_control_number: str | None = None


def type_1(heading: Heading) -> TaggedRecord:
    """The Type-1 of a file whose images are all Type-14: 1.011 and 1.012 are 00.00, text is UTF-8."""
    at = heading.at.astimezone(UTC)
    fields = [
        (2, ANSI_NIST_VERSION),
        (4, heading.transaction_type.encode()),
        (5, at.strftime("%Y%m%d").encode()),
        (7, heading.destination.encode()),
        (8, heading.origin.encode()),
        (9, heading.control_number.encode()),
    ]
    if heading.request_control_number is not None:
        fields.append((10, heading.request_control_number.encode()))
    fields += [
        (11, b"00.00"),
        (12, b"00.00"),
        (13, US.join(part.encode() for part in heading.domain)),
        (14, at.strftime("%Y%m%d%H%M%SZ").encode()),
        (15, _CHARSET_UTF8),
    ]
    return TaggedRecord(1, tuple(fields))


def type_2(fields: tuple[tuple[int, str], ...], *, idc: int = 0) -> TaggedRecord:
    """A descriptive record; what the numbers mean is the profile's affair."""
    return TaggedRecord(2, ((IDC, b"%02d" % idc), *((number, text.encode()) for number, text in fields)))


def type_14(image: FingerImage, *, source: str, captured_on: date) -> TaggedRecord:
    """A fingerprint image of variable resolution, with the SHA-256 of its bytes."""
    fields = (
        (IDC, b"%02d" % image.idc),
        (3, b"%d" % image.impression),
        (4, source.encode()),
        (5, captured_on.strftime("%Y%m%d").encode()),
        (6, b"%d" % image.width_px),
        (7, b"%d" % image.height_px),
        (8, b"1"),
        (9, b"%d" % image.ppi),
        (10, b"%d" % image.ppi),
        (11, image.compression.encode()),
        (12, b"8"),
        (13, b"%d" % image.position),
        *_missing(image.missing),
        (996, hashlib.sha256(image.data).hexdigest().upper().encode()),
        (DATA, image.data),
    )
    return TaggedRecord(14, fields)


def _missing(missing: tuple[FingerPosition, ...]) -> Iterator[tuple[int, bytes]]:
    """Field 14.018 (AMP) where there is something to say: UP, unable to print, is all that we know."""
    if missing:
        yield 18, RS.join(b"%d" % finger + US + b"UP" for finger in missing)


def finger_images(transaction: Transaction) -> Iterator[FingerImage]:
    """The fingerprint images of a transaction, Types 4 and 14, in file order."""
    for record in transaction.records:
        if isinstance(record, BinaryRecord) and record.record_type == 4:
            yield _from_type_4(record, transaction)
        elif isinstance(record, TaggedRecord) and record.record_type == 14 and record.value(DATA) is not None:
            yield _from_type_14(record)


def _from_type_4(record: BinaryRecord, transaction: Transaction) -> FingerImage:
    if len(record.payload) < _TYPE_4.size:
        raise MalformedRecord(f"Type-4 IDC {record.idc} is shorter than its header")
    impression, positions, resolution, width, height, compression = _TYPE_4.unpack_from(record.payload)
    if compression >= len(_GCA):
        raise MalformedRecord(f"Type-4 IDC {record.idc} names the unknown compression {compression}")
    ppi = 500
    if resolution == 1:
        ppi = round(_decimal(transaction.information.required(11), "1.011 (NSR)") * _MM_PER_INCH)
    return FingerImage(
        idc=record.idc,
        position=_position(positions[0], record.idc),
        impression=_impression(impression),
        width_px=width,
        height_px=height,
        ppi=ppi,
        compression=_GCA[compression],
        data=record.payload[_TYPE_4.size :],
    )


def _from_type_14(record: TaggedRecord) -> FingerImage:
    horizontal = _decimal(record.required(9), "14.009 (HPS)")
    vertical = _decimal(record.required(10), "14.010 (VPS)")
    if horizontal != vertical:
        raise MalformedRecord(f"Type-14 IDC {record.idc} has pixels that are not square")
    unit = {b"1": 1.0, b"2": _CM_PER_INCH}.get(record.required(8))
    if unit is None:
        raise MalformedRecord(f"Type-14 IDC {record.idc} gives no unit of resolution in 14.008 (SLC)")
    position = record.items(13)
    if not position:
        raise MalformedRecord(f"Type-14 IDC {record.idc} names no finger in 14.013 (FGP)")
    return FingerImage(
        idc=record.idc,
        position=_position(_whole(position[0][0], "14.013 (FGP)"), record.idc),
        impression=_impression(_whole(record.required(3), "14.003 (IMP)")),
        width_px=_whole(record.required(6), "14.006 (HLL)"),
        height_px=_whole(record.required(7), "14.007 (VLL)"),
        ppi=round(horizontal * unit),
        compression=record.text(11) or "NONE",
        data=record.required(DATA),
        missing=tuple(
            _position(_whole(row[0], "14.018 (AMP)"), record.idc) for row in record.items(18) if row[0]
        ),
    )


def _position(code: int, idc: int) -> FingerPosition:
    try:
        return FingerPosition(code)
    except ValueError:
        raise MalformedRecord(f"IDC {idc} shows friction ridge position {code}; we read 0-15") from None


def _impression(code: int) -> ImpressionType:
    """Codes we have no name for (the kinds of latent, palms, vertical swipe) become UNKNOWN."""
    return ImpressionType(code) if code in set(ImpressionType) else ImpressionType.UNKNOWN


def _whole(value: bytes, name: str) -> int:
    if not (value.isdigit() and len(value) <= 5):
        raise MalformedRecord(f"{name} is no whole number")
    return int(value)


def _decimal(value: bytes, name: str) -> float:
    text = value.decode("ascii", "replace")
    if _DECIMAL.fullmatch(text) is None:
        raise MalformedRecord(f"{name} is no decimal number")
    return float(text)
