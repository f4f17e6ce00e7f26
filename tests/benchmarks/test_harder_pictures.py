"""What the benchmark of worse pictures counts, and what its ways do to a picture."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import worse_pictures
from benchmarks.harder_pictures import Shown, compared, prints_of
from benchmarks.harder_prints import errors
from benchmarks.train_acceptance import fit, measured
from benchmarks.worse_pictures import WAYS, Worse, blurred, faint, unchanged
from enrollment.acceptance import PrintMeasures, print_evidence
from enrollment.network import MinutiaeNetwork
from enrollment.parameters import LEAST_PRINT_EVIDENCE
from fixtures import named


@pytest.fixture(scope="module")
def network() -> MinutiaeNetwork:
    """The real one."""
    return MinutiaeNetwork.load()


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
def test_the_same_accidents_befall_a_picture_again(way: Worse) -> None:
    """Each way keeps the size, is drawn from the generator alone, and changes something."""
    picture = named.probe().pixels
    before = picture.copy()
    first, second = (way(picture, np.random.default_rng(6)) for _ in range(2))
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.uint8
    assert first.shape == picture.shape
    assert np.array_equal(first, picture) == (way is unchanged)


def test_a_blank_picture_stays_one() -> None:
    """No finger to twist, no ridge to wet: no way fails on an empty page."""
    for way in WAYS:
        page = way(np.full((200, 180), 230, np.uint8), np.random.default_rng(2))
        assert abs(float(np.median(page)) - 230.0) < 25.0


def test_contrast_and_sharpness_go() -> None:
    """Faint is a fifth of the contrast, blurred has hardly a grey step left."""
    picture, random = named.probe().pixels, np.random.default_rng(1)
    middle = np.s_[150:250, 150:250]
    assert faint(picture, random)[middle].std() < 0.3 * picture[middle].std()
    steps = [np.abs(np.diff(p[middle].astype(float))).mean() for p in (picture, blurred(picture, random))]
    assert steps[1] < 0.5 * steps[0]


def test_what_is_refused_is_missed(network: MinutiaeNetwork) -> None:
    """A page among prints of two fingers scores 0 against its mate, and is told."""
    images = [named.probe(), named.mated(), named.non_mated()]
    shown = [Shown(0, images[0]), Shown(0, images[1]), Shown(1, images[2])]
    random = np.random.default_rng(3)
    references = prints_of(shown, unchanged, network, random)
    assert None not in references
    probes = [None, *references[1:]]
    found = compared(shown, probes, references)
    assert found.mated.tolist() == [0.0, pytest.approx(found.mated[1])]
    assert found.mated[1] > found.non_mated.max()
    assert found.finger.tolist() == [0, 0]
    assert "FNMR at 1e-03 50.00%" in errors([found])


def test_a_page_is_refused(network: MinutiaeNetwork) -> None:
    """Of what a way leaves nothing of there is no print."""

    def gone(picture: worse_pictures.Picture, _: np.random.Generator) -> worse_pictures.Picture:
        return np.full_like(picture, 255)

    shown = [Shown(0, named.probe())]
    assert prints_of(shown, gone, network, np.random.default_rng(1)) == [None]


def test_acceptance_training_learns(network: MinutiaeNetwork) -> None:
    """From made-up measures: sureness tells, clear lines speak against; and a print's are measured."""
    random = np.random.default_rng(5)

    def some(sureness: float, clearness: float) -> list[PrintMeasures]:
        places = random.normal((sureness, 1.0, clearness, 0.5), (0.05, 0.4, 0.05, 0.1), (200, 4))
        return [PrintMeasures(*row) for row in places.tolist()]

    clear, misted = some(0.8, 0.6), some(0.5, 0.2)
    edges, grain = some(0.45, 0.6), some(0.2, 0.1)
    weights = fit({"clear": clear, "misted": misted}, {"edges": edges, "grain": grain})
    crowd, clearness, ridges, least = weights
    assert clearness > 0.2
    for kind, is_print in ((clear, True), (misted, True), (edges, False), (grain, False)):
        judged = [
            m.sureness + crowd * m.crowd - clearness * m.clearness + ridges * m.ridges > least for m in kind
        ]
        assert np.mean(judged) == pytest.approx(float(is_print), abs=0.1)
    own = measured(named.probe().pixels, network)
    assert own is not None
    measures, expected = own
    assert print_evidence(measures) > LEAST_PRINT_EVIDENCE + 0.1
    assert expected > 10.0
    assert measured(np.full((300, 300), 200, np.uint8), network) is None
