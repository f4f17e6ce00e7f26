"""A picture becomes a finger, or a failure with a reason: never an exception, never a wrong template."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from ridge_pictures import ridge_picture

from benchmarks.impostors import photographs
from benchmarks.worse_pictures import Worse, faint, noisy, unchanged, wet
from enrollment.capture import Capture, FailureToAcquire, Finger, FingerprintImage, Reason
from enrollment.network import MinutiaeNetwork
from enrollment.orientation import ridge_field
from enrollment.pipeline import EXTRACTOR, extract
from enrollment.segmentation import gradients
from fixtures import named
from fixtures.capture import capture
from fixtures.finger import master_finger
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.comparison import prepare, score_of

REAL = Path(__file__).parents[3] / "shared" / "data"


def capture_of(pixels: NDArray[np.uint8], ppi: int = 500) -> Capture:
    """A plain right index finger."""
    return Capture(FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN, FingerprintImage(pixels, ppi))


def not_a_finger(name: str) -> NDArray[np.uint8]:
    """Grey photographs and textures that come with scikit-image, and patterns that are none."""
    random = np.random.default_rng(1)
    made: dict[str, Any] = {
        "blank": lambda: np.full((400, 400), 255),
        "black": lambda: np.zeros((400, 400)),
        "speckled": lambda: random.normal(200, 4, (400, 400)),
        "noise": lambda: random.integers(0, 256, (400, 400)),
        "smooth_noise": lambda: cv2.GaussianBlur(random.normal(128, 250, (400, 400)), (0, 0), 1.5),
        "shade": lambda: np.tile(np.linspace(0, 255, 400), (400, 1)),
        "grating": lambda: np.tile(127 + 100 * np.sin(np.arange(400) * 2 * np.pi / 9), (400, 1)),
    }
    if name in made:
        return np.clip(made[name](), 0, 255).astype(np.uint8)
    picture = np.asarray(getattr(skimage.data, name)())
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(picture[:400, :400])


HARD = {
    "so dry that its ridges are rows of dots, on a speckled ground": (27, FingerPosition.LEFT_THUMB, 1),
    "so dry that its ridges are rows of dots, on a striped ground": (33, FingerPosition.LEFT_THUMB, 2),
    "small, on noisy glass": (51, FingerPosition.RIGHT_LITTLE, 3),
    "on dark glass": (84, FingerPosition.RIGHT_THUMB, 3),
    "whose ridges all run one way, with glass around": (40, FingerPosition.RIGHT_RING, 3),
}


@pytest.mark.parametrize(("number", "position", "visit"), HARD.values(), ids=HARD.keys())
def test_hard_print_becomes_a_template(
    network: MinutiaeNetwork, number: int, position: FingerPosition, visit: int
) -> None:
    """Captures of synthetic people that were refused once; few minutiae lie off the print, no sure one."""
    taken = capture(master_finger(1, number, position), visit)
    finger = extract(capture_of(taken.image.pixels), network)
    assert isinstance(finger, Finger)
    template = finger.template
    assert len(template) > 10
    on_skin = taken.touched[template.y, template.x]
    assert np.average(on_skin, weights=template.quality) > 0.9
    assert on_skin[template.quality >= 90].all()


def test_print_becomes_a_template(network: MinutiaeNetwork) -> None:
    """All its minutiae, in its frame, with a field that covers it, a quality and the extractor's name."""
    picture = ridge_picture(320, 384, minutiae=24, seed=6)
    finger = extract(capture_of(picture.pixels), network)
    assert isinstance(finger, Finger)
    assert (finger.position, finger.impression) == (FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_PLAIN)
    assert finger.extractor == EXTRACTOR
    template = finger.template
    assert (template.width_px, template.height_px, len(template)) == (320, 384, 24)
    assert np.hypot(template.x[:, None] - picture.x, template.y[:, None] - picture.y).min(axis=0).max() < 6
    assert (np.diff(template.quality.astype(int)) <= 0).all()
    assert template.field is not None
    assert template.field.orientation.shape == (24, 20)
    assert 60 < finger.quality.value <= 100
    assert finger.quality.defects == ()


@pytest.mark.parametrize("ppi", [400, 569, 1000])
def test_resolution_changes_nothing_but_the_scale(network: MinutiaeNetwork, ppi: int) -> None:
    """A print captured finer or coarser has its minutiae at the same places at 500 ppi."""
    picture = ridge_picture(288, 320, minutiae=16, seed=8, noise=2)
    factor = ppi / 500
    scaled = cv2.resize(picture.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    finger = extract(capture_of(scaled, ppi), network)
    assert isinstance(finger, Finger)
    template = finger.template
    distance = np.hypot(template.x[:, None] - picture.x, template.y[:, None] - picture.y)
    assert (distance.min(axis=0) < 6).sum() >= 15


def test_same_picture_gives_same_template(network: MinutiaeNetwork) -> None:
    """Deterministic to the last bit."""
    pixels = ridge_picture(256, 288, minutiae=14, seed=9).pixels
    first, second = (extract(capture_of(pixels), network) for _ in range(2))
    assert isinstance(first, Finger)
    assert isinstance(second, Finger)
    for column in ("x", "y", "angle", "kind", "quality"):
        np.testing.assert_array_equal(getattr(first.template, column), getattr(second.template, column))
    assert first.quality == second.quality


@pytest.mark.parametrize(
    "name",
    [
        *("blank", "black", "speckled", "noise", "smooth_noise", "shade", "grating"),
        *("camera", "astronaut", "coins", "brick", "grass", "gravel", "text", "cat", "coffee", "page"),
    ],
)
def test_what_is_no_finger_fails_with_a_reason(network: MinutiaeNetwork, name: str) -> None:
    """Blank pages, noise, textures and photographs never become a template."""
    result = extract(capture_of(not_a_finger(name)), network)
    assert isinstance(result, FailureToAcquire)
    assert result.reason in {Reason.NO_FINGERPRINT, Reason.NO_FINGERTIP, Reason.TOO_FEW_MINUTIAE}
    assert result.advice.endswith(".")


@pytest.mark.parametrize("factor", [0.6, 0.8, 1.4, 2.0])
@pytest.mark.parametrize("name", ["camera", "astronaut", "grass", "text", "coffee"])
def test_photograph_of_another_size_is_no_finger(network: MinutiaeNetwork, name: str, factor: float) -> None:
    """Whole, smaller and larger: in some size its details are as wide as ridges. In the negative too."""
    picture = np.asarray(getattr(skimage.data, name)())
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    pixels = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=way), dtype=np.uint8)
    for seen in (pixels, 255 - pixels):
        assert isinstance(extract(capture_of(np.asarray(seen)), network), FailureToAcquire)


@pytest.mark.parametrize("way", [unchanged, wet, noisy])
def test_photograph_of_any_size_is_no_finger(network: MinutiaeNetwork, way: Worse) -> None:
    """Every eleventh of twenty pictures in six sizes and their negatives, as it is, damp and grainy."""
    random = np.random.default_rng(4)
    for name, pixels in islice(photographs(), 0, None, 11):
        assert isinstance(extract(capture_of(way(pixels, random)), network), FailureToAcquire), name


@pytest.mark.parametrize(("way", "number"), [(noisy, 3), (noisy, 18), (noisy, 25), (faint, 3), (wet, 8)])
def test_bad_glass_does_not_hide_a_finger(network: MinutiaeNetwork, way: Worse, number: int) -> None:
    """What is left of the print is taken, and is like the finger's other capture and like nobody's else.

    Noisy ones were refused once, one of them as a palm: the grain went to every corner.
    """
    master = master_finger(1, number, FINGERS[number % len(FINGERS)])
    bad = way(capture(master, 1).image.pixels, np.random.default_rng(number))
    others = [capture(master, 2).image, named.probe()]
    fingers = [extract(capture_of(pixels), network) for pixels in (bad, *(other.pixels for other in others))]
    probe, mated, non_mated = (prepare(finger.template) for finger in fingers if isinstance(finger, Finger))
    assert score_of(probe, mated) > 80
    assert score_of(probe, non_mated) < 30


def test_grain_does_not_turn_the_ridges(network: MinutiaeNetwork) -> None:
    """The field of a grainy picture is that of the picture without its grain: nearer to the clean one's."""
    pixels = named.probe().pixels
    grainy = pixels + np.random.default_rng(1).normal(0.0, 90.0, pixels.shape)
    bad = np.clip(grainy, 0, 255).astype(np.uint8)
    fingers = [extract(capture_of(each), network) for each in (pixels, bad)]
    clean, found = (finger.template.field for finger in fingers if isinstance(finger, Finger))
    assert clean is not None
    assert found is not None
    with_grain = ridge_field(gradients(bad), np.ones(bad.shape, np.bool_))
    both = clean.foreground & found.foreground
    off, off_before = (
        np.abs((each.orientation[both].astype(int) - clean.orientation[both] + 128) % 256 - 128).mean()
        for each in (found, with_grain)
    )
    assert off < 0.85 * off_before
    assert found.coherence[both].mean() > 1.5 * with_grain.coherence[both].mean()


def test_scrap_of_a_finger_is_too_small(network: MinutiaeNetwork) -> None:
    """Ridges, but only 4 × 4 mm of them."""
    pixels = np.full((300, 300), 235, dtype=np.uint8)
    pixels[100:180, 100:180] = ridge_picture(320, 384, seed=2).pixels[150:230, 120:200]
    result = extract(capture_of(pixels), network)
    assert isinstance(result, FailureToAcquire)
    assert result.reason is Reason.TOO_SMALL


@pytest.mark.parametrize("shape", [(90, 90), (90, 500), (331, 91)])
def test_smallest_pictures_are_no_special_case(network: MinutiaeNetwork, shape: tuple[int, int]) -> None:
    """The smallest that is read fails like any other without a finger."""
    noise = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    assert isinstance(extract(capture_of(noise), network), FailureToAcquire)


def test_trace_sees_every_stage(network: MinutiaeNetwork) -> None:
    """An examiner or a developer can look between the steps."""
    stages: list[str] = []
    extract(
        capture_of(ridge_picture(224, 256, seed=1).pixels), network, lambda stage, _: stages.append(stage)
    )
    assert stages == [
        *("normalised", "foreground", "grey_bands", "field", "crop", "detections", "template", "quality")
    ]


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real prints is not beside the checkout")
@pytest.mark.parametrize(
    ("path", "ppi"),
    [
        *(
            ("fvc2000/db1_b/101_1.tif", 500),
            ("fvc2000/db2_b/110_2.tif", 500),
            ("fvc2000/db3_b/105_4.tif", 500),
        ),
        *(
            ("fvc2000/db4_b/101_3.tif", 500),
            ("fvc2002/db1_b/107_8.tif", 500),
            ("fvc2002/db2_b/109_8.tif", 569),
        ),
        *(
            ("fvc2002/db3_b/108_2.tif", 500),
            ("fvc2002/db4_b/110_1.tif", 500),
            ("crossmatch/012_3_1.tif", 500),
        ),
    ],
)
def test_hardest_real_prints_become_templates(network: MinutiaeNetwork, path: str, ppi: int) -> None:
    """The prints with least ridge energy or least sure minutiae of each sensor are still acquired."""
    pixels = cv2.imread(str(REAL / path), cv2.IMREAD_GRAYSCALE)
    finger = extract(capture_of(pixels, ppi), network)
    assert isinstance(finger, Finger)
    assert len(finger.template) >= 8


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.is_dir(), reason="the folder of real prints is not beside the checkout")
@pytest.mark.parametrize("folder", ["fvc2000/db1_b", "fvc2002/db3_b"])
def test_noise_does_not_hide_a_real_finger(network: MinutiaeNetwork, folder: str) -> None:
    """Grain all over ten real prints: all were refused once; all but two at most are found."""
    random = np.random.default_rng(12)
    found = 0
    for number in range(101, 111):
        pictures = [cv2.imread(str(REAL / folder / f"{number}_{k}.tif"), 0) for k in (1, 2)]
        bad = extract(capture_of(noisy(np.asarray(pictures[0], dtype=np.uint8), random)), network)
        good = extract(capture_of(np.asarray(pictures[1], dtype=np.uint8)), network)
        assert isinstance(good, Finger)
        found += isinstance(bad, Finger) and score_of(prepare(bad.template), prepare(good.template)) > 40
    assert found >= 8
