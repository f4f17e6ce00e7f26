"""Real slaps beside the checkout: all fingers are found, and the hands are told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from enrollment.capture import FingerprintImage
from enrollment.formats.nist_itl import decode
from enrollment.formats.nist_records import FingerImage, finger_images
from enrollment.sandbox import DecoderSandbox
from enrollment.slap_hand import Hand
from enrollment.slaps import FINGERS_OF, CutSlap, cut
from matcher.codes import FINGERS, FingerPosition

_ITL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "itl"
_HANDS = {FingerPosition.PLAIN_RIGHT_FOUR: Hand.RIGHT, FingerPosition.PLAIN_LEFT_FOUR: Hand.LEFT}
#: Ten fingers each: three times an inked card's, once a scanner's.
_FILES = ("type-14-tpcard-nqm.an2", "type4-slaps.an2k", "type-4-14-slaps.an2", "valid1.8.an2")

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not _ITL.is_dir(), reason="no folder ../shared/data/itl beside the checkout"),
]


@pytest.fixture(scope="module")
def pictures() -> Mapping[str, list[tuple[FingerImage, FingerprintImage]]]:
    """Every image of the files."""
    with DecoderSandbox(workers=1) as sandbox:
        return {
            name: [
                (image, sandbox.decode(image.data, container_ppi=image.ppi))
                for image in finger_images(decode((_ITL / name).read_bytes()))
            ]
            for name in _FILES
        }


def _cuts(pictures: list[tuple[FingerImage, FingerprintImage]]) -> Iterator[CutSlap]:
    for described, picture in pictures:
        if described.position in FINGERS_OF:
            answer = cut(picture, described.position)
            assert isinstance(answer, CutSlap), answer
            yield answer


@pytest.mark.parametrize("name", _FILES)
def test_every_real_slap_is_cut_and_its_hand_is_told(
    pictures: Mapping[str, list[tuple[FingerImage, FingerprintImage]]], name: str
) -> None:
    """With handwriting, punched holes, printed lines and fingers beyond the edge: ten fingers, each once."""
    found = list(_cuts(pictures[name]))
    assert sorted(finger.position for answer in found for finger in answer.fingers) == list(FINGERS)
    for answer in found:
        assert answer.hand is _HANDS.get(answer.position)
