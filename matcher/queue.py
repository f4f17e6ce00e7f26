"""Searches wait for their turn in order of urgency, and not without end.

`matcher.turns` shares the processor among the searches that run; here is decided how many run, since each
needs memory, and how many may wait, since an answer that comes too late helps nobody.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from matcher.errors import SearchQueueFull
from matcher.turns import Priority

#: Searches that run together, and that may wait for them.
RUNNING: Final = 4
WAITING: Final = 64
#: Share of the waiting places that a priority may fill: the rest is kept for the more urgent.
SHARES: Final = {Priority.STREET: 1.0, Priority.DESK: 0.75, Priority.BATCH: 0.25}
#: How fast the mean time of a search follows the newest one.
_NEWEST: Final = 0.1


class SearchQueue:
    """Who may search now. Safe to use from many threads."""

    def __init__(self, running: int = RUNNING, waiting: int = WAITING) -> None:
        self._most_running, self._most_waiting = running, waiting
        self._changed = threading.Condition()
        self._running = 0
        self._waiting: list[tuple[Priority, int]] = []
        self._came = 0
        self._mean_s = 0.1

    @property
    def waiting(self) -> int:
        """Searches that wait now."""
        return len(self._waiting)

    @contextmanager
    def turn(self, priority: Priority) -> Iterator[None]:
        """Wait for a turn and hold it: the most urgent first, then who came first; or `SearchQueueFull`."""
        self._enter(priority)
        begun = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._mean_s += _NEWEST * (time.monotonic() - begun - self._mean_s)
                self._changed.notify_all()

    def _enter(self, priority: Priority) -> None:
        with self._changed:
            free = self._running < self._most_running and not self._waiting
            if not free and len(self._waiting) >= SHARES[priority] * self._most_waiting:
                rounds = (len(self._waiting) + 1) / self._most_running
                raise SearchQueueFull(
                    "too many searches wait already; ask again later",
                    max(1, math.ceil(rounds * self._mean_s)),
                )
            place = (priority, self._came)
            self._came += 1
            heapq.heappush(self._waiting, place)
            self._changed.wait_for(lambda: self._running < self._most_running and self._waiting[0] == place)
            heapq.heappop(self._waiting)
            self._running += 1
            # Another place may be free: its search cannot have gone before this one.
            self._changed.notify_all()
