"""A pool of confined worker processes: who is free, who died, how requests ended."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from enrollment.decoder_protocol import Operation, Toolbox
from enrollment.errors import DecoderUnavailable
from enrollment.limits import ImageLimits
from enrollment.worker_process import Reply, WorkerLost, WorkerProcess

_LOGGER = logging.getLogger("tenprint.decoder")
#: A worker can have died while idle; that says nothing of the image.
_TRIES = 2


class WorkerPool:
    """Workers with one toolbox; safe to share between threads, to be closed (or used in `with`).

    `counts` says how many requests ended how: done, refused, crashed, timed_out, and workers restarted.
    """

    def __init__(self, toolbox: Toolbox, workers: int, limits: ImageLimits) -> None:
        self.limits = limits
        self._toolbox = toolbox
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closed = False
        # One thread starts all workers and stays: their death signal follows the thread that started them.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="decoder-starter")
        self._free: queue.SimpleQueue[Future[WorkerProcess] | None] = queue.SimpleQueue()
        self._workers = workers
        for _ in range(workers):
            self._replace()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def counts(self) -> Mapping[str, int]:
        """How requests ended so far, by outcome; a copy."""
        with self._lock:
            return dict(self._counts)

    def close(self) -> None:
        """End the workers; requests that run are awaited, later ones refused. Can be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for _ in range(self._workers):
            slot = self._free.get()
            if slot is not None and slot.exception() is None:
                slot.result().close()
        self._free.put(None)
        self._starter.shutdown()

    def _ask(self, operation: Operation, size: tuple[int, int], payload: bytes) -> Reply | None:
        """One request; None: it took its worker with it. One found dead was not killed by this image."""
        for _ in range(_TRIES):
            try:
                return self._ask_once(operation, size, payload)
            except WorkerLost as loss:
                _LOGGER.warning("a decoder worker is replaced: %s", loss)
                self._count("timed_out" if loss.timed_out else "crashed", "restarted")
                if loss.timed_out:
                    break
        return None

    def _ask_once(self, operation: Operation, size: tuple[int, int], payload: bytes) -> Reply:
        """The answer of one free worker, which then is free again; a lost one is replaced."""
        slot = self._take()
        try:
            worker = slot.result()
        except OSError as failure:
            self._replace()
            _LOGGER.exception("a decoder worker did not start")
            raise DecoderUnavailable("No image decoder process can be started: see the log.") from failure
        try:
            reply = worker.ask(operation, size, payload)
        except BaseException:
            worker.kill()
            self._replace()
            raise
        self._free.put(slot)
        return reply

    def _replace(self) -> None:
        """Start a worker in the place of one that is gone."""
        self._free.put(self._starter.submit(WorkerProcess, self.limits, self._toolbox))

    def _take(self) -> Future[WorkerProcess]:
        try:
            slot = self._free.get(timeout=self.limits.queue_s)
        except queue.Empty:
            raise DecoderUnavailable("All image decoders are busy: send the image again.") from None
        if slot is None:
            self._free.put(None)
            raise DecoderUnavailable("The image decoders are shut down.")
        return slot

    def _count(self, *names: str) -> None:
        with self._lock:
            self._counts.update(names)
