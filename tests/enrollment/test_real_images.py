"""Real captures beside the checkout: every kind of file we were given decodes, with the right resolution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enrollment.errors import UnknownResolution
from enrollment.image import normalise
from enrollment.sandbox import DecoderSandbox

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="no folder ../shared/data beside the checkout"),
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DecoderSandbox]:
    with DecoderSandbox() as pool:
        yield pool


@pytest.mark.parametrize(
    ("folder", "ppi", "size_at_500"),
    [
        ("fvc2000/db1_b", 500, (300, 300)),
        ("fvc2000/db2_b", 500, (364, 256)),
        ("fvc2000/db3_b", 500, (478, 448)),
        ("fvc2000/db4_b", 500, (320, 240)),
        ("fvc2002/db1_b", 500, (374, 388)),
        ("fvc2002/db2_b", 569, (492, 260)),
        ("fvc2002/db3_b", 500, (300, 300)),
        ("fvc2002/db4_b", 500, (384, 288)),
    ],
)
def test_fvc_needs_the_resolution_said(
    sandbox: DecoderSandbox, folder: str, ppi: int, size_at_500: tuple[int, int]
) -> None:
    """The tag in these files is a dummy: without an argument they are refused."""
    for path in sorted((DATA / folder).glob("*_1.tif")):
        assert normalise(sandbox.decode(path.read_bytes(), ppi=ppi)).pixels.shape == size_at_500
    with pytest.raises(UnknownResolution):
        sandbox.decode(path.read_bytes())


def test_palette_captures_carry_500_ppi(sandbox: DecoderSandbox) -> None:
    """CrossMatch files are LZW palette TIFFs with a true tag."""
    for path in sorted((DATA / "crossmatch").glob("*_1.tif")):
        image = sandbox.decode(path.read_bytes())
        assert (image.ppi, image.pixels.shape) == (500, (480, 504))


@pytest.mark.parametrize(("name", "ppi"), [("img.wsq", 500), ("img.jp2", 1000)])
def test_reference_codestreams(sandbox: DecoderSandbox, name: str, ppi: int) -> None:
    """NIST's WSQ and JPEG 2000 references carry their resolution."""
    assert sandbox.decode((DATA / "images" / name).read_bytes()).ppi == ppi
