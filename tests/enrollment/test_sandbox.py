"""What comes through the wall around native decoders: pixels as they were, with their resolution."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import hostile
import numpy as np
import pytest
from PIL import Image

from enrollment.capture import FingerprintImage
from enrollment.errors import (
    ImageTooSmall,
    UndecodableImage,
    UnknownResolution,
)
from enrollment.sandbox import DecoderSandbox, RawLayout

GREY = hostile.ridges()
SEEDS = hostile.seeds()
SLOW = hostile.encoded(hostile.ridges(2_000, 2_000), "JPEG2000")
RIDGES_500 = FingerprintImage(GREY, 500)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DecoderSandbox]:
    with DecoderSandbox() as pool:
        yield pool


def saved(image: Image.Image, name: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, dpi=(500, 500), **options)
    return file.getvalue()


@pytest.mark.parametrize("name", ["png", "bmp", "tiff", "tiff-deflate", "tiff-lzw-palette", "jp2", "j2k"])
def test_lossless_formats_come_back_exactly(sandbox: DecoderSandbox, name: str) -> None:
    """Every pixel, and the resolution."""
    image = sandbox.decode(SEEDS[name], ppi=500)
    assert image.ppi == 500
    np.testing.assert_array_equal(image.pixels, GREY)


def test_lossy_formats_come_back_nearly(sandbox: DecoderSandbox) -> None:
    """WSQ and JPEG 2000 at 10:1 stay within a few grey levels of a noisy pattern."""
    for name in ("wsq", "jp2-lossy"):
        image = sandbox.decode(SEEDS[name], ppi=500)
        assert np.abs(image.pixels.astype(int) - GREY).mean() < 6


@pytest.mark.parametrize("ppi", [500, 569, 1000])
def test_wsq_written_here_is_read_here_with_its_resolution(sandbox: DecoderSandbox, ppi: int) -> None:
    """The encoder's constant 500 is replaced by the truth; about a bit a pixel."""
    data = sandbox.encode_wsq(FingerprintImage(GREY, ppi))
    image = sandbox.decode(data)
    assert (image.ppi, image.pixels.shape) == (ppi, GREY.shape)
    assert len(data) < GREY.size / 4


def test_picture_too_small_for_wsq_is_refused(sandbox: DecoderSandbox) -> None:
    """The same limits hold on the way out."""
    with pytest.raises(ImageTooSmall):
        sandbox.encode_wsq(FingerprintImage(GREY[:50], 500))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.fromarray(GREY.astype(np.uint16) * 257), GREY),
        (Image.merge("RGB", [Image.fromarray(GREY)] * 3), GREY),
        (Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (160, 200), 255)]), GREY),
        (Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (160, 200), 0)]), np.full_like(GREY, 255)),
        (Image.fromarray(GREY).convert("P"), GREY),
    ],
    ids=["16-bit", "rgb", "opaque", "transparent is white paper", "palette"],
)
def test_other_pixel_kinds_become_grey(
    sandbox: DecoderSandbox, picture: Image.Image, expected: np.ndarray
) -> None:
    """16 bits are scaled, colours weighed, transparency laid on white."""
    np.testing.assert_array_equal(sandbox.decode(saved(picture)).pixels, expected)


def test_16_bit_tiff_and_jpeg_2000_become_grey(sandbox: DecoderSandbox) -> None:
    """Either byte order, and the deep JPEG 2000 of some scanners."""
    deep = GREY.astype(np.uint16) * 257
    for picture in (Image.fromarray(deep), Image.fromarray(deep.astype(">u2"))):
        np.testing.assert_array_equal(sandbox.decode(saved(picture, "TIFF")).pixels, GREY)
    np.testing.assert_array_equal(
        sandbox.decode(saved(Image.fromarray(deep), "JPEG2000"), ppi=500).pixels, GREY
    )


def test_cmyk_becomes_grey(sandbox: DecoderSandbox) -> None:
    """Print shops scan fingerprint cards as CMYK."""
    picture = Image.merge("RGB", [Image.fromarray(GREY)] * 3).convert("CMYK")
    pixels = sandbox.decode(saved(picture, "TIFF")).pixels
    assert np.abs(pixels.astype(int) - GREY).max() <= 1


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_exif_rotation_is_applied(sandbox: DecoderSandbox, name: str) -> None:
    """Orientation 6 means: turn a quarter clockwise to see it upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    image = sandbox.decode(saved(Image.fromarray(GREY), name, exif=exif))
    np.testing.assert_array_equal(image.pixels, np.rot90(GREY, -1))


def test_raw_pixels_need_layout_and_resolution(sandbox: DecoderSandbox) -> None:
    """Width, height and ppi all come from the caller."""
    image = sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 200), ppi=500)
    np.testing.assert_array_equal(image.pixels, GREY)
    assert sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 200), container_ppi=1000).ppi == 1000
    with pytest.raises(UndecodableImage, match="takes 32160 bytes, one each, but 32000 came"):
        sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 201), ppi=500)
    with pytest.raises(UnknownResolution, match="pass the scanner's true resolution"):
        sandbox.decode(GREY.tobytes(), raw=RawLayout(160, 200))


def test_missing_resolution_is_refused_before_decoding(sandbox: DecoderSandbox) -> None:
    """No worker is asked."""
    before = sandbox.counts
    with pytest.raises(UnknownResolution, match="--ppi 500"):
        sandbox.decode(SEEDS["jp2"])
    assert sandbox.counts == before


def test_many_threads_share_the_pool(sandbox: DecoderSandbox) -> None:
    """Each gets its own picture."""
    pictures = [hostile.ridges(seed=seed) for seed in range(8)]
    files = [hostile.encoded(pixels, "PNG", dpi=(500, 500)) for pixels in pictures]
    with ThreadPoolExecutor(8) as threads:
        images = list(threads.map(lambda index: sandbox.decode(files[index % 8]).pixels, range(64)))
    for index, pixels in enumerate(images):
        np.testing.assert_array_equal(pixels, pictures[index % 8])
