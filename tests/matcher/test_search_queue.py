"""Searches wait in order of urgency, and not without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from matcher.errors import SearchQueueFull
from matcher.queue import SearchQueue
from matcher.turns import Priority


def until(true: Callable[[], bool]) -> None:
    """Wait for something that other threads bring about."""
    for _ in range(2000):
        if true():
            return
        time.sleep(0.001)
    raise AssertionError("it did not happen")


def test_the_most_urgent_goes_first_then_who_came_first() -> None:
    """One at a time, while the first one runs."""
    queue, order = SearchQueue(running=1, waiting=100), list[str]()

    def search(name: str, priority: Priority) -> None:
        with queue.turn(priority):
            order.append(name)

    asked = [("batch", Priority.BATCH), ("desk 1", Priority.DESK), ("street", Priority.STREET)]
    threads = []
    with queue.turn(Priority.BATCH):
        for name, priority in [*asked, ("desk 2", Priority.DESK)]:
            threads.append(threading.Thread(target=search, args=(name, priority)))
            threads[-1].start()
            until(lambda: queue.waiting == len(threads))
    for thread in threads:
        thread.join()
    assert order == ["street", "desk 1", "desk 2", "batch"]


def test_no_more_run_together_than_allowed() -> None:
    """And all come to an end."""
    queue, inside, most = SearchQueue(running=3, waiting=100), [], []

    def search(number: int) -> None:
        with queue.turn(Priority.DESK):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.002)
            inside.remove(number)

    threads = [threading.Thread(target=search, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 20
    assert max(most) == 3


def test_a_full_queue_refuses_the_batch_first() -> None:
    """And says when to come again; the street has places of its own."""
    queue = SearchQueue(running=1, waiting=4)
    release = threading.Event()

    def hold(priority: Priority) -> None:
        with queue.turn(priority):
            release.wait()

    threads = []
    for waiting, priority in enumerate((Priority.DESK, Priority.BATCH, Priority.DESK, Priority.DESK)):
        threads.append(threading.Thread(target=hold, args=(priority,)))
        threads[-1].start()
        until(lambda expected=waiting: queue.waiting == expected)  # type: ignore[misc]
    for priority in (Priority.BATCH, Priority.DESK):
        with pytest.raises(SearchQueueFull) as refusal, queue.turn(priority):
            pass
        assert refusal.value.retry_after_s >= 1
    threads.append(threading.Thread(target=hold, args=(Priority.STREET,)))
    threads[-1].start()
    until(lambda: queue.waiting == 4)
    release.set()
    for thread in threads:
        thread.join()
    assert queue.waiting == 0


def test_a_search_that_fails_gives_its_turn_back() -> None:
    """To the next."""
    queue = SearchQueue(running=1)
    with pytest.raises(ZeroDivisionError), queue.turn(Priority.DESK):
        raise ZeroDivisionError
    with queue.turn(Priority.BATCH):
        assert queue.waiting == 0
