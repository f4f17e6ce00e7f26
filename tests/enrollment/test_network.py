"""The network on onnxruntime says what the published Keras model says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from ridge_pictures import ridge_picture

from enrollment.network import MinutiaeNetwork, patches_at, peaks
from enrollment.network_parts import Parts
from enrollment.parts_cache import load_parts
from enrollment.peak_gate import cells_with_peaks
from enrollment.segmentation import crop_to_foreground, gradients, segment
from enrollment.trunk import Features
from fixtures import named

GOLDEN = Path(__file__).parent.parent / "golden" / "leader_keras.npz"
#: Differences to the Keras model allowed; the largest seen is 2e-5.
TOLERANCE = 2e-4


@pytest.fixture(scope="module")
def golden() -> dict[str, NDArray[np.generic]]:
    with np.load(GOLDEN) as file:
        return dict(file)


def test_position_map_equals_keras(golden: dict[str, NDArray[np.generic]], network: MinutiaeNetwork) -> None:
    """The whole map, all pixel parities and the picture's edges among it."""
    position = network.position(golden["pixels"].astype(np.uint8))
    np.testing.assert_allclose(position[::3, ::3], golden["position"], atol=TOLERANCE)


def test_peaks_equal_keras(golden: dict[str, NDArray[np.generic]], network: MinutiaeNetwork) -> None:
    """Position, direction, type and probability of every peak, the faint and the cut-off ones too."""
    found = network.detect(golden["pixels"].astype(np.uint8), threshold=0.05)
    np.testing.assert_array_equal(np.stack([found.y, found.x]), np.stack([golden["y"], golden["x"]]))
    turned = np.angle(np.exp(1j * (found.direction - golden["direction"].astype(np.float64))))
    np.testing.assert_allclose(turned, 0, atol=TOLERANCE)
    np.testing.assert_allclose(found.ending, golden["ending"], atol=TOLERANCE)
    np.testing.assert_allclose(found.probability, golden["probability"], atol=TOLERANCE)


def test_minutiae_of_a_formula_are_found(network: MinutiaeNetwork) -> None:
    """Each minutia that the formula put there, at its place and pointing its way, and no other."""
    picture = ridge_picture(320, 384, minutiae=24, seed=3)
    found = network.detect(picture.pixels)
    distance = np.hypot(found.x[:, None] - picture.x, found.y[:, None] - picture.y)
    nearest = distance.argmin(axis=0)
    assert len(found.x) == 24
    assert distance.min(axis=0).max() < 6
    assert np.abs(np.angle(np.exp(1j * (found.direction[nearest] - picture.angle)))).max() < 0.3


def test_work_saved_around_the_foreground_changes_nothing_inside(network: MinutiaeNetwork) -> None:
    """The widest blocks skip what is far from the print; its minutiae stay."""
    picture = ridge_picture(320, 384, minutiae=24, seed=3)
    crop = crop_to_foreground(picture.pixels, segment(gradients(picture.pixels)))
    everywhere, near = network.detect(crop.pixels), network.detect(crop.pixels, crop.foreground)
    np.testing.assert_allclose(near.x, everywhere.x, atol=1)
    np.testing.assert_allclose(near.y, everywhere.y, atol=1)
    np.testing.assert_allclose(near.probability, everywhere.probability, atol=0.02)


def test_no_peak_in_a_plain_picture(network: MinutiaeNetwork) -> None:
    """An even picture has no minutiae, and asking for none is no special case."""
    assert len(network.detect(np.full((64, 96), 200, dtype=np.uint8)).x) == 0


def test_same_picture_gives_same_answer_from_any_thread(network: MinutiaeNetwork) -> None:
    """One network serves all threads, bit for bit."""
    pixels = ridge_picture(192, 160, minutiae=6, seed=5).pixels
    with ThreadPoolExecutor(3) as threads:
        first, *others = threads.map(network.detect, [pixels] * 6)
    for other in others:
        np.testing.assert_array_equal(other.probability, first.probability)
        np.testing.assert_array_equal(other.direction, first.direction)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.2, 0.5]))
def test_peaks_equal_their_definition(seed: int, threshold: float) -> None:
    """A peak is the highest value of its 7×7 square in the smoothed map, zeros beyond the edges."""
    position = np.random.default_rng(seed).random((17, 23), dtype=np.float32)
    padded = np.pad(position.astype(np.float64), 2)
    weights = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
    smooth = np.array(
        [[(padded[r : r + 5, c : c + 5] * weights).sum() for c in range(23)] for r in range(17)]
    )
    expected = [
        (r, c)
        for r, c in np.ndindex(17, 23)
        if smooth[r, c] >= threshold
        and smooth[r, c] == smooth[max(r - 3, 0) : r + 4, max(c - 3, 0) : c + 4].max()
    ]
    y, x, probability = peaks(position, threshold)
    assert list(zip(y.tolist(), x.tolist(), strict=True)) == expected
    np.testing.assert_allclose(probability, [smooth[at] for at in expected], rtol=1e-5)


def test_patches_are_zero_outside_the_picture() -> None:
    """At a corner the patch holds the features that exist, and says which of its middle ones do."""
    pixels = np.arange(1, 97, dtype=np.float32).reshape(8, 12, 1)
    features = Features(
        np.empty((4, 6, 0), np.float32), np.pad(pixels, ((4, 4), (4, 4), (0, 0))), np.ones((4, 6), bool)
    )
    patches, inside = patches_at(features, np.array([0, 5], np.int32), np.array([11, 6], np.int32))
    np.testing.assert_array_equal(patches[0, 0, 4:, :5], pixels[:5, 7:, 0])
    assert not patches[0, 0, :4].any()
    assert not patches[0, 0, :, 5:].any()
    np.testing.assert_array_equal(inside[:, 0], [[[0, 0, 0], [1, 1, 0], [1, 1, 0]], np.ones((3, 3))])


def test_the_gate_loses_no_peak(network: MinutiaeNetwork) -> None:
    """Asking the position head only where a peak can be finds what asking everywhere does."""
    whole = named.rolled_probe().pixels
    pixels = crop_to_foreground(whole, segment(gradients(whole))).pixels
    everywhere = network.detect(pixels)
    gated = network.detect(pixels, np.ones(pixels.shape, dtype=np.bool_))
    assert len(gated.x) >= 50
    np.testing.assert_array_equal(np.stack([gated.y, gated.x]), np.stack([everywhere.y, everywhere.x]))
    np.testing.assert_allclose(gated.probability, everywhere.probability, atol=1e-3)
    np.testing.assert_allclose(gated.direction, everywhere.direction, atol=1e-4)


def test_the_gate_saves_most_of_the_work(network: MinutiaeNetwork) -> None:
    """Of a picture with few minutiae most cells are left out, and none that holds one."""
    picture = ridge_picture(320, 384, minutiae=12, seed=3)
    cells = cells_with_peaks(network._trunk.run(picture.pixels))
    assert cells[picture.y.astype(int) // 4, picture.x.astype(int) // 4].all()
    assert cells.mean() < 0.25


def assert_same(left: Parts, right: Parts) -> None:
    """The same names with the same arrays."""
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name])


def test_cached_parts_are_reused(tmp_path: Path) -> None:
    """The second load reads what the first one built."""
    built = load_parts(tmp_path)
    (file,) = tmp_path.iterdir()
    before = file.stat().st_mtime_ns
    assert_same(load_parts(tmp_path), built)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty"])
def test_damaged_cache_is_rebuilt(tmp_path: Path, damage: str) -> None:
    """A cached file that is not what was written is built again and replaced."""
    built = load_parts(tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    file.write_bytes({"flip": flipped, "truncate": whole[:middle], "empty": b""}[damage])
    assert_same(load_parts(tmp_path), built)
    assert file.read_bytes() == whole


def test_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """Without a writable folder the parts are simply built each time."""
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert load_parts(blocked)["heads"].size


def test_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file cannot be put in its place, the parts are still there and the attempt is not."""

    def refuse(_: Path, __: Path) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    assert load_parts(tmp_path)["heads"].size
    assert list(tmp_path.iterdir()) == []
