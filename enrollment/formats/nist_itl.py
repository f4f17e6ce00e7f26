"""ANSI/NIST-ITL transactions in traditional encoding: bytes in, records out, and back.

A file is a row of records. The first (Type-1) lists the type and IDC of all others in field 1.003 (CNT);
without that list nobody could tell where a binary record begins.

    tagged record  (Types 1, 2, 9-99)   T.001:LEN GS T.002:IDC GS T.nnn:value GS ... T.999:data FS
    binary record  (Types 3-8)          LEN uint32 big-endian | IDC uint8 | payload
    inside a value                      subfields split by RS, items of a subfield split by US

LEN counts the whole record, separators included. Field 999 of Types 10-99 is image data and may hold any
byte, so a record is cut by its length, never by looking for a separator. LEN and CNT are derived: they are
checked on reading, never kept, and computed on writing.

Source: ANSI/NIST-ITL 1-2011 update 2015 (NIST SP 500-290e3), annex B.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from enrollment.errors import MalformedRecord

US, RS, GS, FS = b"\x1f", b"\x1e", b"\x1d", b"\x1c"

MAX_TRANSACTION_BYTES = 64 * 1024 * 1024
MAX_RECORDS = 999
MAX_FIELDS = 10_000
MAX_FIELD_NUMBER = 9999  # FBI's EBTS numbers Type-2 fields with four digits

LEN, IDC, CNT, DATA = 1, 2, 3, 999
_BINARY_TYPES = range(3, 9)
_FIRST_TYPE_WITH_DATA = 10
_HEAD = re.compile(rb"(\d{1,2})\.(\d{1,3}):(\d{1,9})(?=[\x1c\x1d])")
_TAG = re.compile(rb"(\d{1,2})\.(\d{1,4}):")
_NUMBER = re.compile(rb"\d{1,5}")


@dataclass(frozen=True, slots=True)
class TaggedRecord:
    """A record of numbered fields, as (number, value) in file order.

    LEN is left out, and CNT of a Type-1: both are derived. Values are raw bytes; `text` decodes one.
    A record that exists can be written: its numbers and separators were checked here.
    """

    record_type: int
    fields: tuple[tuple[int, bytes], ...]

    def __post_init__(self) -> None:
        """Refuse what traditional encoding cannot carry."""
        name = f"Type-{self.record_type}"
        if not 1 <= self.record_type <= 99 or self.record_type in _BINARY_TYPES:
            raise MalformedRecord(f"{name} is no tagged record type")
        if len(self.fields) > MAX_FIELDS:
            raise MalformedRecord(f"{name} has {len(self.fields)} fields; at most {MAX_FIELDS} are read")
        for place, (number, value) in enumerate(self.fields):
            binary = number == DATA and self.record_type >= _FIRST_TYPE_WITH_DATA
            derived = number == LEN or (number == CNT and self.record_type == 1)
            if derived or not 1 <= number <= MAX_FIELD_NUMBER:
                raise MalformedRecord(f"{name} cannot hold a field {number}: it is derived or out of range")
            if binary and place != len(self.fields) - 1:
                raise MalformedRecord(f"{name} has a field after its image data")
            if not binary and (GS in value or FS in value):
                raise MalformedRecord(f"field {self.record_type}.{number:03d} holds a separator byte")
        if self.record_type != 1:
            if not self.fields or self.fields[0][0] != IDC:
                raise MalformedRecord(f"{name} does not begin with its IDC, field 002")
            _number(self.fields[0][1], f"IDC of {name}", most=255)

    @property
    def idc(self) -> int:
        """Information designation character, 0-255; 0 for the Type-1, which has none."""
        return 0 if self.record_type == 1 else int(self.fields[0][1])

    def value(self, number: int) -> bytes | None:
        """The raw bytes of the first field with this number."""
        return next((value for found, value in self.fields if found == number), None)

    def text(self, number: int, charset: str = "ascii") -> str | None:
        """A field as text. `Transaction.charset` says how its bytes are meant."""
        value = self.value(number)
        if value is None:
            return None
        try:
            return value.decode(charset)
        except (UnicodeDecodeError, LookupError) as error:
            raise MalformedRecord(f"field {self.record_type}.{number:03d} is no {charset} text") from error

    def items(self, number: int) -> tuple[tuple[bytes, ...], ...]:
        """A field as subfields of items; empty where the field is absent."""
        value = self.value(number)
        return () if value is None else tuple(tuple(row.split(US)) for row in value.split(RS))

    def required(self, number: int) -> bytes:
        """The raw bytes of a field that has to be there."""
        value = self.value(number)
        if value is None:
            raise MalformedRecord(f"Type-{self.record_type} lacks field {number:03d}")
        return value


@dataclass(frozen=True, slots=True)
class BinaryRecord:
    """A record of Types 3-8. `payload` is what follows LEN and IDC."""

    record_type: int
    idc: int
    payload: bytes

    def __post_init__(self) -> None:
        """Refuse what traditional encoding cannot carry."""
        if self.record_type not in _BINARY_TYPES or not 0 <= self.idc <= 255:
            raise MalformedRecord(f"Type-{self.record_type} with IDC {self.idc} is no binary record")


Record: TypeAlias = TaggedRecord | BinaryRecord


@dataclass(frozen=True, slots=True)
class Transaction:
    """A file: the Type-1 and the records it announces, in order."""

    information: TaggedRecord
    records: tuple[Record, ...]

    def __post_init__(self) -> None:
        """Refuse what no Type-1 can announce."""
        if self.information.record_type != 1:
            raise MalformedRecord("a transaction begins with a Type-1 record")
        if len(self.records) > MAX_RECORDS:
            raise MalformedRecord(f"{len(self.records)} records; at most {MAX_RECORDS} are read")
        if any(record.record_type == 1 for record in self.records):
            raise MalformedRecord("a transaction has one Type-1 record")

    @property
    def charset(self) -> str:
        """Codec of text fields: UTF-8 where 1.015 (DCS) declares it, else ASCII."""
        declared = {row[0].lstrip(b"0") for row in self.information.items(15)}
        return "utf-8" if b"3" in declared else "ascii"

    def of_type(self, record_type: int) -> Iterator[Record]:
        """The records of one type, in file order."""
        return (record for record in self.records if record.record_type == record_type)


def decode(data: bytes) -> Transaction:
    """Read a whole file: every byte of it belongs to an announced record, or `MalformedRecord`."""
    if len(data) > MAX_TRANSACTION_BYTES:
        raise MalformedRecord(f"{len(data)} bytes; a transaction may have {MAX_TRANSACTION_BYTES}")
    (record_type, fields), position = _tagged(data, 0)
    if record_type != 1:
        raise MalformedRecord(f"the file begins with a Type-{record_type}, not with a Type-1 record")
    announced = _contents([value for number, value in fields if number == CNT])
    information = TaggedRecord(1, tuple(field for field in fields if field[0] != CNT))
    records: list[Record] = []
    for record_type, idc in announced:
        record, position = _record(data, position, record_type)
        found = (record.record_type, record.idc)
        if found != (record_type, idc):
            raise MalformedRecord(f"1.003 announces (type, IDC) {(record_type, idc)}; the file has {found}")
        records.append(record)
    if position != len(data):
        raise MalformedRecord(f"{len(data) - position} bytes follow the last announced record")
    return Transaction(information, tuple(records))


def encode(transaction: Transaction) -> bytes:
    """Write the file, with LEN of each record and CNT computed."""
    rows = [b"1\x1f%d" % len(transaction.records)]
    rows += [b"%d\x1f%02d" % (record.record_type, record.idc) for record in transaction.records]
    fields = list(transaction.information.fields)
    after_version = sum(1 for number, _ in fields if number < CNT)  # 1.002 (VER) stands before 1.003
    fields.insert(after_version, (CNT, RS.join(rows)))
    blocks = [_encode_tagged(1, fields)]
    for record in transaction.records:
        if isinstance(record, TaggedRecord):
            blocks.append(_encode_tagged(record.record_type, record.fields))
        else:
            length = 5 + len(record.payload)
            blocks.append(length.to_bytes(4, "big") + bytes([record.idc]) + record.payload)
    if sum(map(len, blocks)) > MAX_TRANSACTION_BYTES:
        raise MalformedRecord(f"the transaction exceeds {MAX_TRANSACTION_BYTES} bytes")
    return b"".join(blocks)


def _record(data: bytes, position: int, record_type: int) -> tuple[Record, int]:
    if record_type in _BINARY_TYPES:
        return _binary(data, position, record_type)
    (found_type, fields), end = _tagged(data, position)
    return TaggedRecord(found_type, tuple(fields)), end


def _binary(data: bytes, position: int, record_type: int) -> tuple[BinaryRecord, int]:
    head = data[position : position + 5]
    if len(head) < 5:
        raise MalformedRecord(f"the file ends inside the head of a Type-{record_type}")
    length = int.from_bytes(head[:4], "big")
    end = _end(data, position, length, least=5, name=f"Type-{record_type}")
    return BinaryRecord(record_type, head[4], data[position + 5 : end]), end


def _tagged(data: bytes, position: int) -> tuple[tuple[int, list[tuple[int, bytes]]], int]:
    head = _HEAD.match(data, position, position + 20)
    if head is None or int(head[2]) != LEN:
        raise MalformedRecord(f"no record begins at byte {position}: a tag such as 2.001:LEN is due there")
    record_type = int(head[1])
    head_bytes = head.end() - position
    end = _end(data, position, int(head[3]), least=head_bytes + 1, name=f"Type-{record_type}")
    if data[end - 1 : end] != FS:
        raise MalformedRecord(f"Type-{record_type} at byte {position} does not end in FS after LEN bytes")
    return (record_type, list(_fields(data[head.end() : end - 1], record_type))), end


def _end(data: bytes, position: int, length: int, *, least: int, name: str) -> int:
    if not least <= length <= len(data) - position:
        raise MalformedRecord(
            f"{name} at byte {position} says {length} bytes; {len(data) - position} are left"
        )
    return position + length


def _fields(body: bytes, record_type: int) -> Iterator[tuple[int, bytes]]:
    """The fields after LEN: each begins with GS and its tag."""
    cursor, count = 0, 0
    while cursor < len(body):
        tag = _TAG.match(body, cursor + 1, cursor + 9)
        if body[cursor : cursor + 1] != GS or tag is None or int(tag[1]) != record_type:
            raise MalformedRecord(f"no field tag of Type-{record_type} where one is due")
        count += 1
        if count > MAX_FIELDS:
            raise MalformedRecord(f"Type-{record_type} has more than {MAX_FIELDS} fields")
        number, start = int(tag[2]), tag.end()
        to_the_end = number == DATA and record_type >= _FIRST_TYPE_WITH_DATA
        stop = -1 if to_the_end else body.find(GS, start)
        cursor = len(body) if stop < 0 else stop
        yield number, body[start:cursor]


def _contents(values: list[bytes]) -> list[tuple[int, int]]:
    """Field 1.003 (CNT) as (type, IDC) of each record to come."""
    if len(values) != 1:
        raise MalformedRecord("a Type-1 has one field 1.003 (CNT)")
    rows = [row.split(US) for row in values[0].split(RS)]
    if any(len(row) != 2 for row in rows):
        raise MalformedRecord("1.003 (CNT) is a list of pairs")
    pairs = [(_number(kind, "1.003", most=99), _number(idc, "1.003", most=MAX_RECORDS)) for kind, idc in rows]
    if pairs[0] != (1, len(pairs) - 1):
        raise MalformedRecord(f"1.003 begins with {pairs[0]}, but lists {len(pairs) - 1} records")
    return pairs[1:]


def _number(value: bytes, name: str, *, most: int) -> int:
    if _NUMBER.fullmatch(value) is None or int(value) > most:
        raise MalformedRecord(f"{name} is no number from 0 to {most}")
    return int(value)


def _encode_tagged(record_type: int, fields: Iterable[tuple[int, bytes]]) -> bytes:
    tail = b"".join(GS + b"%d.%03d:" % (record_type, number) + value for number, value in fields) + FS
    head = b"%d.001:" % record_type
    length = len(head) + len(tail)
    digits = len(str(length))
    # LEN counts its own digits: one more where adding them crosses a power of ten
    digits += len(str(length + digits)) > digits
    return head + b"%d" % (length + digits) + tail
