"""Threads that take turns among searches: one search alone has all cores, many share them fairly.

A search is cut into short tasks. Each free thread takes the next task of the most urgent search, of equally
urgent ones the search that has waited longest for a turn. Tasks are compiled loops that release the GIL.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache


class Priority(IntEnum):
    """Whose turn comes first: an officer in the street, a desk with somebody waiting, a nightly batch."""

    STREET = 0
    DESK = 1
    BATCH = 2


@dataclass(slots=True, eq=False)
class _Search:
    """The tasks of one search that are still to be begun, and what became of the others."""

    priority: Priority
    tasks: deque[Callable[[], None]]
    running: int = 0
    failure: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Turns:
    """A fixed number of threads that work on the tasks of any number of searches."""

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or len(os.sched_getaffinity(0))
        self._changed = threading.Condition()
        self._searches: deque[_Search] = deque()
        self._started = False

    def run(self, tasks: Iterable[Callable[[], None]], priority: Priority = Priority.DESK) -> None:
        """Do all tasks, in any order and together; returns when the last is done. Raises what one raised."""
        search = _Search(priority, deque(tasks))
        if len(search.tasks) < 2 or self.threads < 2:
            for task in search.tasks:
                task()
            return
        with self._changed:
            self._start()
            self._searches.append(search)
            self._changed.notify_all()
        search.done.wait()
        if search.failure is not None:
            raise search.failure

    def _start(self) -> None:
        """Start the threads, once; they end with the process."""
        if not self._started:
            self._started = True
            for number in range(self.threads):
                threading.Thread(target=self._work, name=f"search-{number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._searches)
                search = min(self._searches, key=lambda each: each.priority)
                self._searches.remove(search)
                task = search.tasks.popleft()
                search.running += 1
                if search.tasks:
                    # To the end of the row: the others of its urgency come first.
                    self._searches.append(search)
            self._do(search, task)

    def _do(self, search: _Search, task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as failure:  # noqa: BLE001 - the thread that waits raises it
            search.failure = failure
        with self._changed:
            search.running -= 1
            if search.failure is not None and search.tasks:
                search.tasks.clear()
                self._searches.remove(search)
            if not search.tasks and not search.running:
                search.done.set()


@cache
def turns() -> Turns:
    """The threads of this process."""
    return Turns()
