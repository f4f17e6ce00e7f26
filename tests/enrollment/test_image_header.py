"""The first look at an image: what each format says of itself, and what never reaches a decoder."""

from __future__ import annotations

import io
import struct

import hostile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from enrollment.errors import (
    ImageTooLarge,
    ImageTooSmall,
    MalformedImage,
    UndecodableImage,
    UnsupportedFormat,
)
from enrollment.image_header import Header, ImageFormat, inspect_header
from enrollment.limits import ImageLimits

SEEDS = hostile.seeds()
FORMATS = {
    "png": ImageFormat.PNG,
    "bmp": ImageFormat.BMP,
    "tiff": ImageFormat.TIFF,
    "tiff-deflate": ImageFormat.TIFF,
    "tiff-lzw-palette": ImageFormat.TIFF,
    "jp2": ImageFormat.JPEG2000,
    "j2k": ImageFormat.JPEG2000,
    "jp2-lossy": ImageFormat.JPEG2000,
    "wsq": ImageFormat.WSQ,
}


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def with_resolution_box(jp2: bytes, name: bytes, points_per_metre: int) -> bytes:
    """The same JP2 with a resolution box at the end of its header box."""
    inner = struct.pack(">I4sHHHHbb", 18, name, points_per_metre, 1, points_per_metre, 1, 0, 0)
    box = struct.pack(">I4s", 8 + len(inner), b"res ") + inner
    at = jp2.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", jp2, at)
    return (
        jp2[:at] + struct.pack(">I", length + len(box)) + jp2[at + 4 : at + length] + box + jp2[at + length :]
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_its_size(name: str) -> None:
    """Format, width and height come from the bytes."""
    header = inspect_header(SEEDS[name])
    assert (header.format, header.width_px, header.height_px, header.bits) == (FORMATS[name], 160, 200, 8)


@pytest.mark.parametrize("name", ["png", "bmp", "tiff", "tiff-lzw-palette", "wsq"])
def test_resolution_in_the_file_is_read(name: str) -> None:
    """pHYs, pixels per metre, TIFF tags and NISTCOM all mean 500 ppi here."""
    header = inspect_header(SEEDS[name])
    assert header.ppi == pytest.approx(500, rel=0.001)
    assert header.ppi_vertical == pytest.approx(500, rel=0.001)


@pytest.mark.parametrize("name", ["jp2", "j2k"])
def test_silent_file_has_no_resolution(name: str) -> None:
    """Pillow writes no resolution box, and a bare codestream has no place for one."""
    assert inspect_header(SEEDS[name]).ppi is None


def test_jpeg_2000_capture_resolution_outranks_display_resolution() -> None:
    """Both boxes in one header: the capture box is the scanner's."""
    display = with_resolution_box(SEEDS["jp2"], b"resd", 3_937)
    both = with_resolution_box(display, b"resc", 19_685)
    assert inspect_header(display).ppi == pytest.approx(100, rel=0.001)
    assert inspect_header(both).ppi == pytest.approx(500, rel=0.001)


def test_tiff_resolution_may_be_per_centimetre() -> None:
    """Unit 3 counts pixels per centimetre; unit 1 is no resolution at all."""
    image = Image.fromarray(hostile.ridges())
    metric = saved(image, "TIFF", resolution=196.85, resolution_unit=3)
    unitless = saved(image, "TIFF", resolution=500, resolution_unit=1)
    assert inspect_header(metric).ppi == pytest.approx(500, rel=0.001)
    assert inspect_header(unitless).ppi is None


def test_wsq_comment_without_resolution_is_silence() -> None:
    """NISTCOM writes -1 for unknown."""
    assert inspect_header(SEEDS["wsq"].replace(b"PPI 500", b"PPI  -1")).ppi is None


def test_big_endian_tiff_is_read() -> None:
    """Byte order MM; Pillow writes it only for 16 bits."""
    data = saved(
        Image.fromarray((hostile.ridges().astype(np.uint16) * 257).astype(">u2")), "TIFF", dpi=(500, 500)
    )
    assert data.startswith(b"MM")
    assert inspect_header(data) == Header(ImageFormat.TIFF, 160, 200, 16, 500.0, 500.0)


@pytest.mark.parametrize(
    ("data", "refusal", "sentence"),
    [
        (hostile.encoded(hostile.ridges(80, 200), "PNG"), ImageTooSmall, "200 x 80 pixels; a fingertip"),
        (saved(Image.new("L", (2001, 2000)), "PNG"), ImageTooLarge, "at most 4000000 pixels"),
        (saved(Image.new("1", (200, 200)), "PNG"), UnsupportedFormat, "1 bit"),
        (saved(Image.new("1", (200, 200)), "TIFF"), UnsupportedFormat, "1 bit"),
        (saved(Image.new("1", (200, 200)), "BMP"), UnsupportedFormat, "1 bits per pixel"),
        (saved(Image.new("F", (200, 200)), "TIFF"), UnsupportedFormat, "8-bit grey"),
        (saved(Image.new("L", (200, 200)), "TIFF", compression="jpeg"), UnsupportedFormat, "compression 7"),
        (
            saved(
                Image.new("L", (200, 200)), "TIFF", save_all=True, append_images=[Image.new("L", (200, 200))]
            ),
            UnsupportedFormat,
            "several pages",
        ),
        (
            saved(
                Image.new("L", (200, 200)),
                "PNG",
                save_all=True,
                append_images=[Image.new("L", (200, 200), 9)],
            ),
            UnsupportedFormat,
            "animation",
        ),
        (SEEDS["png"].replace(b"pHYs", b"pHYt"), UndecodableImage, "checksum"),
        (SEEDS["wsq"][:-2], UndecodableImage, "end marker is missing"),
        (SEEDS["jp2"][:-2], UndecodableImage, "cut off"),
        (SEEDS["bmp"][:-400], UndecodableImage, "cut off"),
    ],
)
def test_refusal_says_what_is_wrong(data: bytes, refusal: type[MalformedImage], sentence: str) -> None:
    """Each refusal is its own leaf, with a sentence to act on."""
    with pytest.raises(refusal, match=sentence):
        inspect_header(data)


def test_limits_are_configurable() -> None:
    """Bytes and pixels follow the limits given."""
    with pytest.raises(ImageTooLarge, match="at most 1000 are read"):
        inspect_header(SEEDS["png"], ImageLimits(max_bytes=1_000))
    with pytest.raises(ImageTooLarge, match="at most 1000 pixels"):
        inspect_header(SEEDS["png"], ImageLimits(max_pixels=1_000))


SIGNATURES = st.sampled_from([data[:size] for data in SEEDS.values() for size in (2, 4, 8, 12, 24, 60)])


@settings(deadline=None)
@given(SIGNATURES, st.binary(max_size=300))
def test_arbitrary_bytes_are_a_header_or_a_refusal(start: bytes, rest: bytes) -> None:
    """Nothing but a Header or a leaf of MalformedImage comes out."""
    try:
        answer = str(inspect_header(start + rest).format)
    except MalformedImage as refusal:
        answer = str(refusal)
    assert answer in set(ImageFormat) or answer.endswith(".")


@settings(deadline=None)
@given(st.sampled_from(list(SEEDS)), st.integers(0, 2**32 - 1))
def test_mutants_are_a_header_or_a_refusal(name: str, seed: int) -> None:
    """Files near a sound one are harder than noise."""
    for mutant in hostile.mutants(SEEDS[name], 7, np.random.default_rng(seed)):
        try:
            header = inspect_header(mutant)
        except MalformedImage:
            continue
        assert header.width_px * header.height_px <= ImageLimits().max_pixels
