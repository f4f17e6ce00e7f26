"""The warm-up runs every compiled part once and leaves nothing behind."""

from __future__ import annotations

import time

from api.warm_up import warm_up
from enrollment.network import MinutiaeNetwork


def test_the_second_warm_up_compiles_nothing() -> None:
    """What the first one compiled is there: the second takes the time of the work alone."""
    network = MinutiaeNetwork.load(threads=1)
    warm_up(network)
    begun = time.process_time()
    warm_up(network)
    assert time.process_time() - begun < 2.0
