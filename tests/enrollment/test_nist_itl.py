"""The ANSI/NIST-ITL codec: others read what we write, we read what others write, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nistitl import Message

from enrollment.errors import MalformedRecord
from enrollment.formats import nist_itl
from enrollment.formats.nist_itl import BinaryRecord, TaggedRecord, Transaction, decode, encode
from enrollment.formats.nist_records import FingerImage, Heading, finger_images, type_1, type_2, type_14
from matcher.codes import FingerPosition, ImpressionType

REFERENCE_FILES = Path(__file__).parents[2].parent / "shared" / "data" / "itl"
HEADING = Heading(
    transaction_type="EUDS",
    destination="EUD/SIMULATED",
    origin="BE/SIMULATED",
    control_number="BE1000000000101",
    at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    domain=("BE-EUD-STYLE", "1"),
)
PRINT = FingerImage(
    idc=1,
    position=FingerPosition.RIGHT_INDEX,
    impression=ImpressionType.LIVE_ROLLED,
    width_px=388,
    height_px=374,
    ppi=500,
    compression="WSQ20",
    data=bytes(range(256)) * 5,  # every separator byte is in it
)


def transaction(*, names: str = "DUPONT\x1fZoé") -> Transaction:
    """A file of one person: Type-1, Type-2, a Type-14 and a Type-4."""
    type_4 = BinaryRecord(4, 2, bytes([0, 7, 255, 255, 255, 255, 255, 0, 1, 0, 1, 44, 1]) + b"\x1c\x1dwsq")
    image = type_14(PRINT, source="BE/SIMULATED", captured_on=date(2026, 11, 23))
    return Transaction(type_1(HEADING), (type_2(((30, names),)), image, type_4))


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
    assert bytes(image.DATA.value if hasattr(image.DATA, "value") else image.DATA) == PRINT.data
    assert (image.HLL, image.VLL, image.FGP, image.CGA) == ("388", "374", "2", "WSQ20")
    assert len(list(message.iter(4))) == 1


def test_images_of_both_types_come_back() -> None:
    """Type-14 and Type-4 give position, impression, size, resolution, compression and bytes."""
    plain, binary = finger_images(decode(encode(transaction())))
    assert plain == PRINT
    assert binary == FingerImage(
        idc=2,
        position=FingerPosition.LEFT_INDEX,
        impression=ImpressionType.LIVE_PLAIN,
        width_px=256,
        height_px=300,
        ppi=500,
        compression="WSQ20",
        data=b"\x1c\x1dwsq",
    )


def test_text_is_utf_8_when_declared() -> None:
    """1.015 (DCS) declares UTF-8, and names keep their accents."""
    read = decode(encode(transaction()))
    (descriptive,) = read.of_type(2)
    assert isinstance(descriptive, TaggedRecord)
    assert read.charset == "utf-8"
    assert descriptive.text(30, read.charset) == "DUPONT\x1fZoé"
    with pytest.raises(MalformedRecord, match="ascii"):
        descriptive.text(30)


@pytest.mark.parametrize(
    ("number", "value", "message"),
    [
        (8, b"0", "unit"),
        (9, b"400", "square"),
        (9, b"1e3", "decimal"),
        (13, b"40", "position"),
        (13, b"x", "whole"),
        (6, b"-1", "whole"),
        (3, b"", "whole"),
    ],
)
def test_unusable_image_fields_are_named(number: int, value: bytes, message: str) -> None:
    """A Type-14 that cannot be understood says which field is to blame."""
    good = type_14(PRINT, source="BE", captured_on=date(2026, 11, 23))
    fields = tuple((tag, value if tag == number else held) for tag, held in good.fields)
    with pytest.raises(MalformedRecord, match=message):
        list(finger_images(Transaction(type_1(HEADING), (TaggedRecord(14, fields),))))


@pytest.mark.parametrize("payload", [b"", bytes(12), bytes([0, 1, *[255] * 5, 0, 0, 1, 0, 1, 7])])
def test_unusable_type_4_is_refused(payload: bytes) -> None:
    """A Type-4 shorter than its header, or of unknown compression."""
    with pytest.raises(MalformedRecord):
        list(finger_images(Transaction(type_1(HEADING), (BinaryRecord(4, 1, payload),))))


def test_resolution_of_type_4_may_stand_in_type_1() -> None:
    """ISR 1 points to 1.011 (NSR), in pixels per millimetre."""
    information = TaggedRecord(1, ((2, b"0300"), (11, b"39.37")))
    record = BinaryRecord(4, 1, bytes([0, 1, *[255] * 5, 1, 0, 1, 0, 1, 0]))
    (image,) = finger_images(Transaction(information, (record,)))
    assert image.ppi == 1000


real_files = sorted(REFERENCE_FILES.glob("*")) if REFERENCE_FILES.is_dir() else []


@pytest.mark.real_data
@pytest.mark.skipif(not real_files, reason="no folder of real fingerprints beside the checkout")
@pytest.mark.parametrize("path", real_files or [None], ids=lambda path: path.name if path else "none")
def test_reference_files_decode_and_survive_the_round_trip(path: Path) -> None:
    """NIST's and nist4j's files are read; those in today's numbering are written back to the byte."""
    data = path.read_bytes()
    read = decode(data)
    assert decode(encode(read)) == read
    assert (encode(read) == data) is data.startswith(b"1.001:")


@pytest.mark.real_data
@pytest.mark.skipif(not real_files, reason="no folder of real fingerprints beside the checkout")
def test_a_whole_card_gives_its_fourteen_images() -> None:
    """Ten rolled, two thumbs and two slaps, at 500 ppi, in WSQ."""
    images = list(finger_images(decode((REFERENCE_FILES / "type-14-tpcard-nqm.an2").read_bytes())))
    assert [image.position for image in images] == [*range(1, 11), 14, 12, 11, 13]
    assert {image.ppi for image in images} == {500}
    assert all(image.data.startswith(b"\xff\xa0") for image in images)


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


def test_an_answer_names_the_request() -> None:
    """1.010 (TCR) echoes the control number of the request."""
    heading = replace(HEADING, request_control_number="BE1000000000101")
    read = decode(encode(Transaction(type_1(heading), ())))
    assert read.information.text(10) == "BE1000000000101"
    assert read.information.text(6) is None
    assert read.information.idc == 0
