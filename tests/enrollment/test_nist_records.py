"""Type-1, Type-4 and Type-14: the records we understand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from nist_support import HEADING, PRINT, REFERENCE_FILES, real_files, transaction

from enrollment.errors import MalformedRecord
from enrollment.formats.nist_itl import BinaryRecord, TaggedRecord, Transaction, decode, encode
from enrollment.formats.nist_records import FingerImage, finger_images, type_1, type_14
from matcher.codes import FingerPosition, ImpressionType


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


@pytest.mark.real_data
@pytest.mark.skipif(not real_files, reason="no folder of real fingerprints beside the checkout")
def test_a_whole_card_gives_its_fourteen_images() -> None:
    """Ten rolled, two thumbs and two slaps, at 500 ppi, in WSQ."""
    images = list(finger_images(decode((REFERENCE_FILES / "type-14-tpcard-nqm.an2").read_bytes())))
    assert [image.position for image in images] == [*range(1, 11), 14, 12, 11, 13]
    assert {image.ppi for image in images} == {500}
    assert all(image.data.startswith(b"\xff\xa0") for image in images)


def test_an_answer_names_the_request() -> None:
    """1.010 (TCR) echoes the control number of the request."""
    heading = replace(HEADING, request_control_number="BE1000000000101")
    read = decode(encode(Transaction(type_1(heading), ())))
    assert read.information.text(10) == "BE1000000000101"
    assert read.information.text(6) is None
    assert read.information.idc == 0
