"""Many captures on all cores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from ridge_pictures import ridge_picture

from enrollment.capture import Capture, FailureToAcquire, Finger, FingerprintImage
from enrollment.errors import UnknownResolution
from enrollment.network import MinutiaeNetwork
from enrollment.workers import ExtractionPool
from matcher.codes import FINGERS, FingerPosition, ImpressionType


def hand() -> list[Capture]:
    """Four fingers, one of them missing from its picture."""
    pictures = [ridge_picture(192, 224, minutiae=9, seed=seed).pixels for seed in range(4)]
    pictures[2] = np.full((224, 192), 240, dtype=np.uint8)
    return [
        Capture(position, ImpressionType.LIVE_PLAIN, FingerprintImage(pixels, 500))
        for position, pixels in zip(FINGERS[:4], pictures, strict=True)
    ]


def test_results_keep_the_order_of_captures(network: MinutiaeNetwork) -> None:
    """From two threads at once, as in the service; a failure is one of the results."""
    with ExtractionPool(network, workers=2) as pool, ThreadPoolExecutor(2) as callers:
        for results in callers.map(pool.extract, [hand(), hand()]):
            assert [result.position for result in results] == list(FINGERS[:4])
            assert [type(result) for result in results] == [Finger, Finger, FailureToAcquire, Finger]


def test_refused_picture_raises_and_the_pool_lives_on(network: MinutiaeNetwork) -> None:
    """One caller's absurd resolution is nobody else's error."""
    absurd = Capture(
        FingerPosition.UNKNOWN, ImpressionType.UNKNOWN, FingerprintImage(hand()[0].image.pixels, 72)
    )
    with ExtractionPool(network, workers=2) as pool:
        with pytest.raises(UnknownResolution):
            pool.extract([absurd])
        assert isinstance(pool.extract(hand()[:1])[0], Finger)


def test_failure_inside_the_network_costs_its_own_request(network: MinutiaeNetwork) -> None:
    """Onnxruntime gives up in the middle of a picture, while another thread has prints extracted."""
    odd = np.full((72, 104), 128, dtype=np.uint8)  # not multiples of 32: its halves do not fit together
    with ExtractionPool(network, workers=2) as pool, ThreadPoolExecutor(2) as callers:
        before = pool.extract(hand())
        running = callers.submit(pool.extract, hand())
        for _ in range(5):
            with pytest.raises(Exception, match="Concat"):
                network.detect(odd)
        for results in (running.result(), pool.extract(hand())):
            for one, other in zip(before, results, strict=True):
                assert type(one) is type(other)
                if isinstance(one, Finger) and isinstance(other, Finger):
                    np.testing.assert_array_equal(one.template.x, other.template.x)
                    np.testing.assert_array_equal(one.template.quality, other.template.quality)
