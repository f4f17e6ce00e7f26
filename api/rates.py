"""How often one client may ask: a key by its requests, an address by its requests without a good key.

Counted in this process, in a window that slides over the last minute.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from api.errors import TooManyRequests
from api.settings import Settings


class Rates:
    """The counters of one service."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._requests = _per_minute(settings.max_requests_per_minute)
        self._refusals = _per_minute(settings.max_refusals_per_minute)

    def count_request(self, key: str) -> None:
        """One more request with this key, or `TooManyRequests`."""
        if self._requests is not None and not self._limiter.hit(self._requests, "key", key):
            raise TooManyRequests(
                f"This key may send {self._requests.amount} requests a minute. Wait, then go on more slowly.",
                self._wait_s(self._requests, "key", key),
            )

    def count_refusal(self, address: str) -> None:
        """One more request of this address without a good key."""
        if self._refusals is not None:
            self._limiter.hit(self._refusals, "address", address)

    def check_refusals(self, address: str) -> None:
        """`TooManyRequests` for an address that came without a good key too often."""
        if self._refusals is not None and not self._limiter.test(self._refusals, "address", address):
            raise TooManyRequests(
                "Too many requests without a valid key came from your address. Wait, then send a valid one.",
                self._wait_s(self._refusals, "address", address),
            )

    def _wait_s(self, limit: RateLimitItemPerMinute, *who: str) -> int:
        """Whole seconds until there is room again."""
        return max(1, math.ceil(self._limiter.get_window_stats(limit, *who).reset_time - time.time()))


def _per_minute(most: int) -> RateLimitItemPerMinute | None:
    return RateLimitItemPerMinute(most) if most else None
