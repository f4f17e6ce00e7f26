"""Stored templates come back as they were, or not at all."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from ridge_pictures import ridge_picture

from enrollment.capture import Capture, Finger, FingerprintImage
from enrollment.errors import MalformedRecord
from enrollment.formats.template_v1 import as_stored, decode, encode
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType
from matcher.errors import InvalidTemplate
from matcher.template import RidgeField, Template


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Any template that the format holds."""
    count = draw(st.integers(0, 255))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    field = None
    if draw(st.booleans()):
        shape = draw(st.tuples(st.integers(0, 40), st.integers(0, 40)))
        bytes_of = arrays.arrays(np.uint8, shape)
        field = RidgeField(draw(bytes_of), draw(bytes_of), draw(arrays.arrays(np.bool_, shape)))
    return Template(
        random.integers(0, 4001, count).astype(np.int16),
        random.integers(0, 4001, count).astype(np.int16),
        random.uniform(0, 2 * np.pi, count).astype(np.float32),
        random.integers(0, 3, count).astype(np.uint8),
        random.integers(0, 256, count).astype(np.uint8),
        draw(st.integers(1, 4000)),
        draw(st.integers(1, 4000)),
        field,
    )


@given(templates())
def test_round_trip(template: Template) -> None:
    """All columns exactly, angles within half a step, and the same bytes again."""
    data = encode(template)
    back = decode(data)
    for column in ("x", "y", "kind", "quality", "width_px", "height_px"):
        np.testing.assert_array_equal(getattr(back, column), getattr(template, column))
    turned = np.angle(np.exp(1j * (back.angle.astype(np.float64) - template.angle)))
    np.testing.assert_allclose(turned, 0, atol=np.pi / 65_536 + 1e-6)
    assert (back.angle >= 0).all()
    assert (back.angle < 2 * np.pi).all()
    assert (back.field is None) == (template.field is None)
    if back.field is not None and template.field is not None:
        for grid in ("orientation", "coherence", "foreground"):
            np.testing.assert_array_equal(getattr(back.field, grid), getattr(template.field, grid))
    assert encode(back) == data
    np.testing.assert_array_equal(as_stored(template).angle, back.angle)


@given(st.binary(max_size=400))
def test_any_bytes_give_a_template_or_malformed_record(data: bytes) -> None:
    """Nothing else comes out, with a right checksum too."""
    body = b"TPT\x01" + data
    for tried in (data, body, body + zlib.crc32(body).to_bytes(4, "big")):
        try:
            assert isinstance(decode(tried), Template)
        except MalformedRecord as error:
            assert str(error)  # noqa: PT017 - the other outcome is asserted above


@given(templates(), st.data())
def test_changed_bytes_are_noticed(template: Template, data: st.DataObject) -> None:
    """Every single changed bit, every missing tail."""
    whole = encode(template)
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    for tried in (bytes(changed), whole[:at], whole + b"\0"):
        with pytest.raises(MalformedRecord):
            decode(tried)


@given(templates(), st.binary(min_size=1, max_size=60), st.integers(8, 10_000))
def test_forged_records_stay_within_bounds(template: Template, noise: bytes, at: int) -> None:
    """Bytes overwritten and the checksum made right again: a template within the limits, or malformed."""
    body = bytearray(encode(template)[:-4])
    at %= len(body)
    body[at : at + len(noise)] = noise
    try:
        back = decode(bytes(body) + zlib.crc32(body).to_bytes(4, "big"))
    except MalformedRecord:
        return
    assert len(back) == 0 or max(back.x.max(), back.y.max()) <= 4000


def test_bomb_does_not_unfold() -> None:
    """A ridge field that would inflate to more than its grid is refused without inflating it."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = deflate.compress(bytes(50_000_000)) + deflate.flush()
    body = b"TPT\x01\x01\x00\x01\x00\x00\x01\x02\x02" + len(bomb).to_bytes(2, "big", signed=False) + bomb
    with pytest.raises(MalformedRecord, match="fill its grid"):
        decode(body + zlib.crc32(body).to_bytes(4, "big"))


@pytest.mark.parametrize(("column", "value"), [("x", -1), ("y", 4001), ("kind", 3)])
def test_what_the_format_cannot_hold_is_refused(column: str, value: int) -> None:
    """Rather an error now than another minutia later."""
    columns = {
        "x": np.zeros(1, dtype=np.int16),
        "y": np.zeros(1, dtype=np.int16),
        "angle": np.zeros(1, dtype=np.float32),
        "kind": np.zeros(1, dtype=np.uint8),
        "quality": np.zeros(1, dtype=np.uint8),
    }
    columns[column][0] = value
    with pytest.raises(InvalidTemplate, match="to be stored"):
        encode(Template(**columns, width_px=10, height_px=10))


def test_field_too_large_for_the_format_is_refused() -> None:
    """256 rows of 16 px are more than any picture has."""
    empty = np.zeros(0, dtype=np.int16)
    grid = np.zeros((256, 1), dtype=np.uint8)
    field = RidgeField(grid, grid, grid.astype(np.bool_))
    template = Template(
        empty, empty, empty.astype(np.float32), empty.astype(np.uint8), empty.astype(np.uint8), 9, 9, field
    )
    with pytest.raises(InvalidTemplate, match="cannot be stored"):
        encode(template)


def test_a_plain_print_stays_small(network: MinutiaeNetwork) -> None:
    """40 minutiae with their field in at most 1.2 kB."""
    pixels = ridge_picture(360, 400, minutiae=40, seed=2).pixels
    capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, FingerprintImage(pixels, 500))
    finger = extract(capture, network)
    assert isinstance(finger, Finger)
    assert len(finger.template) >= 38
    assert len(encode(finger.template)) <= 1200
