"""Many captures at once on all cores, in processes of their own: a crash costs the picture it happened to."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from enrollment.capture import Capture, FailureToAcquire, Finger
from enrollment.errors import ExtractionUnavailable
from enrollment.extraction_process import ExtractionNursery, ExtractionProcess, WorkerLost
from enrollment.image import normalise
from enrollment.nfiq2 import Nfiq2Sandbox

_LOGGER = logging.getLogger("tenprint.extraction")
#: Starts of the process that holds the network before a request gives up.
_STARTS = 2


class ExtractionPool:
    """A bounded number of worker processes, one core each, that share the memory of one network.

    Each of our threads waits for one worker at a time. Ten prints on two cores that other work kept busy too,
    medians against one thread: two threads 1.27 times as fast, two processes 1.23, one session with two
    threads of its own 0.32 (they spin while they wait). Processes cost that little, and a crash of native
    code in one is not the service's.

    `counts` says how often a picture was done, and a worker was lost.
    """

    def __init__(
        self, *, workers: int | None = None, nfiq2: Nfiq2Sandbox | None = None, cache: Path | None = None
    ) -> None:
        """`workers`: extractions at a time, by default one for each core this process may use.

        nfiq2: gives every finger its NFIQ 2 score; its thread waits meanwhile, so no more cores work.
        cache: folder that keeps the network's built parts. The network loads in the background.
        """
        # OpenCV would start a thread for each core inside each of our threads.
        cv2.setNumThreads(1)
        self._nfiq2, self._cache = nfiq2, cache
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        count = workers or len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="extract")
        self._free: queue.SimpleQueue[ExtractionProcess | None] = queue.SimpleQueue()
        for _ in range(count):
            self._free.put(None)
        # One thread starts the nursery and stays: its death signal follows the thread that started it.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="extraction-starter")
        self._nursery: Future[ExtractionNursery] = self._starter.submit(ExtractionNursery, cache)

    @property
    def counts(self) -> Mapping[str, int]:
        """done: pictures that became a finger or a failure to acquire. lost: workers replaced. A copy."""
        with self._lock:
            return dict(self._counts)

    def wait(self) -> None:
        """Until the network is loaded; raises `ExtractionUnavailable` when it cannot be."""
        try:
            self._nursery.result()
        except OSError as failure:
            raise ExtractionUnavailable("The extraction process did not start: see the log.") from failure

    def extract(self, captures: Iterable[Capture]) -> list[Finger | FailureToAcquire]:
        """One result for each capture, in their order; may be called from several threads at once.

        Raises what `pipeline.extract` raises, for the first capture that it refuses; `ExtractionUnavailable`
        when a picture takes two workers with it, or none can be had.
        """
        return list(self._threads.map(self._one, captures))

    def _one(self, capture: Capture) -> Finger | FailureToAcquire:
        outcome = self._extracted(replace(capture, image=normalise(capture.image)))
        self._count("done")
        if self._nfiq2 is None or isinstance(outcome, FailureToAcquire):
            return outcome
        measures = (*outcome.quality.measures, self._nfiq2.score(capture.image))
        return replace(outcome, quality=replace(outcome.quality, measures=measures))

    def _extracted(self, capture: Capture) -> Finger | FailureToAcquire:
        for fresh in (False, True):
            try:
                return self._ask_once(capture, fresh=fresh)
            except WorkerLost as loss:
                _LOGGER.warning("an extraction worker is replaced: %s", loss)
                self._count("lost")
        raise ExtractionUnavailable("The extraction of this picture was cut off: send it again.")

    def _ask_once(self, capture: Capture, *, fresh: bool) -> Finger | FailureToAcquire:
        """fresh: by a worker forked for it; one of those that wait can have died while idle."""
        worker = self._free.get()
        if fresh and worker is not None:
            worker.kill()
            worker = None
        try:
            worker = worker or self._fresh()
            return worker.ask(capture)
        except (WorkerLost, ExtractionUnavailable):
            worker = None
            raise
        finally:
            self._free.put(worker)

    def _fresh(self) -> ExtractionProcess:
        """A worker forked now; the process it comes from is started again should it be gone."""
        for _ in range(_STARTS):
            nursery = self._nursery
            try:
                return nursery.result().fork()
            except OSError:
                _LOGGER.warning("the extraction process is gone", exc_info=True)
            with self._lock:
                if self._nursery is nursery:
                    self._nursery = self._starter.submit(ExtractionNursery, self._cache)
        raise ExtractionUnavailable("No extraction process can be started: see the log.")

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def close(self) -> None:
        """Let running extractions end and start no more; can be called twice."""
        self._threads.shutdown(cancel_futures=True)
        while not self._free.empty():
            worker = self._free.get()
            if worker is not None:
                worker.kill()
        if self._nursery.exception() is None:
            self._nursery.result().close()
        self._starter.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
