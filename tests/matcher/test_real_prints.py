"""The comparison on real prints: a few fingers of a public set, told apart."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import pytest

from enrollment.capture import Capture, Finger, FingerprintImage
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from matcher.codes import FingerPosition, ImpressionType
from matcher.comparison import PreparedTemplate, prepare, score_of

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "fvc2002" / "db1_b"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no folder ../shared/data beside the checkout"),
]


@pytest.fixture(scope="module")
def fingers() -> dict[tuple[int, int], PreparedTemplate]:
    """Two captures of four fingers, by (finger, capture)."""
    network = MinutiaeNetwork.load(threads=1)
    prepared = {}
    for finger, impression in itertools.product((101, 104, 107, 110), (1, 2)):
        pixels = cv2.imread(str(FOLDER / f"{finger}_{impression}.tif"), cv2.IMREAD_GRAYSCALE)
        capture = Capture(FingerPosition.UNKNOWN, ImpressionType.LIVE_PLAIN, FingerprintImage(pixels, 500))
        found = extract(capture, network)
        assert isinstance(found, Finger)
        prepared[finger, impression] = prepare(found.template)
    return prepared


def test_two_captures_of_a_finger_match(fingers: dict[tuple[int, int], PreparedTemplate]) -> None:
    """Far beyond one false match in a million."""
    scores = [score_of(fingers[finger, 1], fingers[finger, 2]) for finger in (101, 104, 107, 110)]
    assert min(scores) > 60.0


def test_different_fingers_do_not_match(fingers: dict[tuple[int, int], PreparedTemplate]) -> None:
    """None of the pairs reaches one false match in a thousand."""
    scores = [
        score_of(one, two)
        for ((finger, _), one), ((other, _), two) in itertools.combinations(fingers.items(), 2)
        if finger != other
    ]
    assert max(scores) < 30.0
