"""What the tests of enrollment share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from enrollment.network import MinutiaeNetwork

# Speed never fails a unit test: the first example of a property may compile a loop.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


@pytest.fixture(scope="session")
def network() -> MinutiaeNetwork:
    """The real network, loaded once."""
    return MinutiaeNetwork.load()
