"""Threads that take turns among searches."""

from __future__ import annotations

import threading
import time

import pytest

from matcher.turns import Priority, Turns


def test_all_tasks_are_done_on_all_threads() -> None:
    """And `run` returns only then."""
    done: list[int] = []
    names: set[str] = set()

    def task(number: int) -> None:
        names.add(threading.current_thread().name)
        time.sleep(0.002)
        done.append(number)

    Turns(3).run([lambda number=number: task(number) for number in range(30)])
    assert sorted(done) == list(range(30))
    assert len(names) == 3


def test_a_short_search_does_not_wait_for_a_long_one() -> None:
    """Turn by turn, although the long one came first."""
    turns, order = Turns(2), list[str]()

    def search(name: str, tasks: int) -> None:
        turns.run([lambda: time.sleep(0.005) for _ in range(tasks)])
        order.append(name)

    long = threading.Thread(target=search, args=("long", 100))
    long.start()
    time.sleep(0.02)
    search("short", 4)
    long.join()
    assert order == ["short", "long"]


def test_the_urgent_come_first() -> None:
    """While an urgent search runs, a batch gets no turn."""
    turns, begun = Turns(2), list[str]()

    def search(name: str, tasks: int, priority: Priority) -> None:
        def task() -> None:
            begun.append(name)
            time.sleep(0.005)

        turns.run([task] * tasks, priority)

    batch = threading.Thread(target=search, args=("batch", 40, Priority.BATCH))
    batch.start()
    time.sleep(0.02)
    search("street", 10, Priority.STREET)
    batch.join()
    first = begun.index("street")
    assert begun[first : first + 10].count("street") >= 9


def test_a_failure_reaches_who_asked_and_nobody_else() -> None:
    """The threads go on."""
    turns = Turns(2)
    with pytest.raises(ZeroDivisionError):
        turns.run([lambda: 1 // 0] * 5)
    done: list[int] = []
    turns.run([lambda: done.append(1)] * 5)
    assert len(done) == 5
