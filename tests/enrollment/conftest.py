"""What the tests of enrollment share."""

from __future__ import annotations

import pytest

from enrollment.network import MinutiaeNetwork


@pytest.fixture(scope="session")
def network() -> MinutiaeNetwork:
    """The real network, loaded once."""
    return MinutiaeNetwork.load()
