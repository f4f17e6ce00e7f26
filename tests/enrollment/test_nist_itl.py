"""The ANSI/NIST-ITL codec: others read what we write, we read what others write, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nist_support import HEADING, PRINT, real_files, transaction
from nistitl import Message

from enrollment.errors import MalformedRecord
from enrollment.formats import nist_itl
from enrollment.formats.nist_itl import BinaryRecord, TaggedRecord, Transaction, decode, encode
from enrollment.formats.nist_records import finger_images, type_1, type_14

values = st.binary(max_size=40).map(lambda raw: raw.replace(b"\x1c", b"").replace(b"\x1d", b""))
idcs = st.integers(0, 255)


@st.composite
def tagged_records(draw: st.DrawFn) -> TaggedRecord:
    """Any record of fields that traditional encoding carries."""
    record_type = draw(st.sampled_from([2, 9, 10, 13, 14, 15, 99]))
    numbers = draw(st.lists(st.integers(3, 998), max_size=6))
    fields = [(2, b"%02d" % draw(idcs)), *((number, draw(values)) for number in numbers)]
    if record_type >= 10 and draw(st.booleans()):
        fields.append((999, draw(st.binary(max_size=200))))
    return TaggedRecord(record_type, tuple(fields))


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Any transaction."""
    binary = st.builds(BinaryRecord, st.integers(3, 8), idcs, st.binary(max_size=60))
    numbers = draw(st.lists(st.integers(4, 20), max_size=8))
    information = TaggedRecord(1, ((2, b"0502"), *((number, draw(values)) for number in numbers)))
    records = draw(st.lists(st.one_of(tagged_records(), binary), max_size=6))
    return Transaction(information, tuple(records))


@given(transactions())
def test_every_transaction_survives_the_round_trip(wanted: Transaction) -> None:
    """What is encoded decodes to itself, to the byte."""
    data = encode(wanted)
    assert decode(data) == wanted
    assert encode(decode(data)) == data


@given(st.binary(max_size=300))
def test_arbitrary_bytes_give_a_transaction_or_malformed_record(data: bytes) -> None:
    """No other exception leaves the decoder."""
    with contextlib.suppress(MalformedRecord):
        assert encode(decode(data))


@settings(max_examples=300)
@given(st.data())
def test_mutated_files_give_a_transaction_or_malformed_record(data: st.DataObject) -> None:
    """Bytes changed, cut out and repeated in a good file: never another exception, never a hang."""
    original = bytearray(encode(transaction()))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(original) - 1))
        length = data.draw(st.integers(0, 20))
        original[place : place + length] = data.draw(st.binary(max_size=20))
        if not original:
            break
    with contextlib.suppress(MalformedRecord):
        list(finger_images(decode(bytes(original))))


@given(st.integers(0, 2000))
def test_every_truncation_is_refused(length: int) -> None:
    """A file that stops early is no file."""
    data = encode(transaction())
    with pytest.raises(MalformedRecord):
        decode(data[: min(length, len(data) - 1)])


def test_bytes_after_the_last_record_are_refused() -> None:
    """Nothing hides behind the announced records."""
    with pytest.raises(MalformedRecord, match="follow the last"):
        decode(encode(transaction()) + b"\x1c")


@pytest.mark.parametrize("size", [*range(80, 110), *range(970, 1010)])
def test_length_counts_its_own_digits(size: int) -> None:
    """LEN is right where one more digit makes the record one byte longer."""
    wanted = Transaction(type_1(HEADING), (TaggedRecord(2, ((2, b"00"), (3, b"x" * size))),))
    assert decode(encode(wanted)) == wanted


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"1.003:1\x1f3\x1e2\x1f00", b"1.003:1\x1f3\x1e2\x1f01"),
        (b"1.003:1\x1f3\x1e2\x1f00", b"1.003:1\x1f2\x1e2\x1f00"),
        (b"1.003:1\x1f3\x1e2\x1f00", b"1.003:2\x1f3\x1e2\x1f00"),
        (b"2.002:00", b"2.002:-1"),
        (b"2.030:", b"3.030:"),
        (b"2.030:", b"2x030:"),
        (b"1.001:", b"2.001:"),
        (b"14.001:", b"14.00x:"),
    ],
)
def test_contradictions_are_refused(old: bytes, new: bytes) -> None:
    """Announced records, IDCs and tags have to agree."""
    data = encode(transaction())
    assert data.count(old) == 1
    with pytest.raises(MalformedRecord):
        decode(data.replace(old, new))


@pytest.mark.parametrize(
    "fields",
    [
        ((2, b"00"), (3, b"a\x1db")),
        ((2, b"00"), (3, b"a\x1cb")),
        ((2, b"x"),),
        ((3, b"x"),),
        ((2, b"00"), (1, b"12")),
        ((2, b"00"), (10_000, b"12")),
        (),
    ],
)
def test_records_that_cannot_be_written_do_not_exist(fields: Any) -> None:
    """Separators in a value, a missing IDC and derived fields are refused when the record is made."""
    with pytest.raises(MalformedRecord):
        TaggedRecord(2, fields)


def test_image_data_is_last() -> None:
    """Nothing can follow a field that runs to the end of its record."""
    with pytest.raises(MalformedRecord, match="after its image data"):
        TaggedRecord(14, ((2, b"01"), (999, b"x"), (13, b"1")))


def test_an_independent_parser_reads_what_we_write() -> None:
    """PyPI nistitl sees the same fields and the same image bytes."""
    message = Message()
    message.parse(encode(transaction(names="DUPONT\x1fZOE")))
    assert message.TOT == "EUDS"
    assert message[0].TCN == "BE1000000000101"
    (image,) = list(message.iter(14))
    assert bytes(image.DATA) == PRINT.data
    assert (image.HLL, image.VLL, image.FGP, image.CGA) == ("388", "374", "2", "WSQ20")
    assert len(list(message.iter(4))) == 1


@pytest.mark.real_data
@pytest.mark.skipif(not real_files, reason="no folder of real fingerprints beside the checkout")
@pytest.mark.parametrize("path", real_files or [None], ids=lambda path: path.name if path else "none")
def test_reference_files_decode_and_survive_the_round_trip(path: Path) -> None:
    """NIST's and nist4j's files are read; those in today's numbering are written back to the byte."""
    data = path.read_bytes()
    read = decode(data)
    assert decode(encode(read)) == read
    assert (encode(read) == data) is data.startswith(b"1.001:")


def numbered(count: int) -> tuple[tuple[int, bytes], ...]:
    """A Type-2 of `count` fields."""
    return ((2, b"00"), *((3, b"x") for _ in range(count - 1)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: TaggedRecord(4, ((2, b"00"),)),
        lambda: TaggedRecord(100, ((2, b"00"),)),
        lambda: TaggedRecord(2, numbered(10_001)),
        lambda: BinaryRecord(2, 0, b""),
        lambda: BinaryRecord(4, 256, b""),
        lambda: Transaction(TaggedRecord(2, numbered(1)), ()),
        lambda: Transaction(type_1(HEADING), (type_1(HEADING),)),
        lambda: Transaction(type_1(HEADING), (BinaryRecord(4, 1, b""),) * 1000),
        lambda: TaggedRecord(2, numbered(2)).required(30),
        lambda: list(finger_images(Transaction(type_1(HEADING), (TaggedRecord(14, IMAGE_WITHOUT_FINGER),)))),
    ],
)
def test_what_no_file_can_hold_is_refused(make: Callable[[], object]) -> None:
    """Wrong types, too many fields or records, two Type-1, absent fields."""
    with pytest.raises(MalformedRecord):
        make()


IMAGE_WITHOUT_FINGER = tuple(
    field for field in type_14(PRINT, source="BE", captured_on=date(2026, 11, 23)).fields if field[0] != 13
)


@pytest.mark.parametrize(
    "data",
    [
        b"2.001:18\x1d2.002:00\x1c",
        b"1.001:18\x1d1.002:05\x1c",
        b"1.001:20\x1d1.003:1\x1f0\x1e\x1c",
        b"1.001:24\x1d1.003:1\x1f1\x1e4\x1f01\x1c\x00\x00",
        b"1.001:24\x1d1.003:1\x1f1\x1e4\x1f01\x1c\x00\x00\x00\x04\x01",
        b"1.001:24\x1d1.003:1\x1f1\x1e4\x1f01\x1c\x00\x00\xff\xff\x01",
    ],
)
def test_files_that_contradict_themselves_are_refused(data: bytes) -> None:
    """No Type-1, no list of contents, a list that is none, binary records that end early or lie."""
    with pytest.raises(MalformedRecord):
        decode(data)


def test_limits_hold_in_both_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many bytes or fields are refused while reading, too many bytes while writing."""
    data = encode(transaction())
    monkeypatch.setattr(nist_itl, "MAX_FIELDS", 3)
    with pytest.raises(MalformedRecord, match="more than 3 fields"):
        decode(data)
    monkeypatch.setattr(nist_itl, "MAX_TRANSACTION_BYTES", 100)
    with pytest.raises(MalformedRecord, match="100"):
        decode(data)
    monkeypatch.setattr(nist_itl, "MAX_FIELDS", 10_000)
    with pytest.raises(MalformedRecord, match="exceeds 100"):
        encode(transaction())
