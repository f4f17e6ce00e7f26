"""Whom to believe about pixels per inch."""

from __future__ import annotations

import pytest

from enrollment.errors import UnknownResolution
from enrollment.resolution import agreed_ppi


def agreed(
    container: float | None = None,
    file: float | None = None,
    argument: float | None = None,
    file_vertical: float | None = None,
) -> int:
    return agreed_ppi(container=container, file=file, file_vertical=file_vertical or file, argument=argument)


@pytest.mark.parametrize(
    ("container", "file", "argument", "expected"),
    [
        (None, 500, None, 500),
        (None, 499.999, None, 500),
        (None, 999.998, None, 1000),
        (None, 509.9, None, 500),
        (None, 511, None, 511),
        (None, None, 569, 569),
        (None, 1, 569, 569),
        (None, 72, 500, 500),
        (None, 96.01, 500, 500),
        (1000, 500, None, 1000),
        (0, 500, None, 500),
        (500, None, 500, 500),
        (None, 498, 500, 500),
        (None, 600, None, 600),
    ],
)
def test_first_usable_value_is_believed(
    container: float | None, file: float | None, argument: float | None, expected: int
) -> None:
    """Container, then file, then argument; absurd values count as absent; near 500 and 1000 is nominal."""
    assert agreed(container, file, argument) == expected


@pytest.mark.parametrize(
    ("container", "file", "argument", "sentence"),
    [
        (None, None, None, "carries no resolution: pass"),
        (None, 1, None, r"its file says 1 ppi\): pass the scanner's true resolution"),
        (None, 72, None, "its file says 72 ppi"),
        (96, 96, None, "record around it says 96 and its file says 96"),
        (None, None, 72, "ppi=72 is no fingerprint resolution"),
        (None, 500, 96, "ppi=96 is no fingerprint resolution"),
        (None, None, float("nan"), "ppi=nan is no fingerprint resolution"),
        (None, None, float("inf"), "ppi=inf is no fingerprint resolution"),
        (None, 1000, 500, "image file says 1000 ppi, the request 500"),
        (1000, 500, 500, "record around the image says 1000 ppi, the request 500"),
    ],
)
def test_no_resolution_is_ever_assumed(
    container: float | None, file: float | None, argument: float | None, sentence: str
) -> None:
    """Missing, absurd and contradicting values are refused with what to do."""
    with pytest.raises(UnknownResolution, match=sentence):
        agreed(container, file, argument)


def test_unsquare_pixels_are_refused() -> None:
    """Across and down must agree, unless a container knows better."""
    with pytest.raises(UnknownResolution, match="500 ppi across and 250 down"):
        agreed(file=500, file_vertical=250)
    assert agreed(container=500, file=500, file_vertical=250) == 500
