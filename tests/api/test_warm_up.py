"""The warm-up runs every compiled part once and leaves nothing behind."""

from __future__ import annotations

import time

from api.warm_up import warm_up


def test_the_second_warm_up_compiles_nothing() -> None:
    """What the first one compiled is there: the second takes the time of the work alone."""
    warm_up()
    begun = time.process_time()
    warm_up()
    assert time.process_time() - begun < 2.0
