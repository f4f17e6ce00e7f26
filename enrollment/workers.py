"""Many captures at once on all cores, without more threads than cores."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Self

import cv2

from enrollment.capture import Capture, FailureToAcquire, Finger
from enrollment.network import MinutiaeNetwork
from enrollment.nfiq2 import Nfiq2Sandbox
from enrollment.pipeline import extract


class ExtractionPool:
    """A bounded number of threads that share one network.

    Nine tenths of an extraction is spent inside onnxruntime, OpenCV and compiled loops, which release the
    interpreter's lock. Ten prints on two cores that other work kept busy too, medians against one thread: two
    threads 1.27 times as fast, two processes 1.23, one session with two threads of its own 0.32 (they spin
    while they wait). Hence threads, which share one network, and each extraction on one core.
    """

    def __init__(
        self, network: MinutiaeNetwork, *, workers: int | None = None, nfiq2: Nfiq2Sandbox | None = None
    ) -> None:
        """`workers`: extractions at a time, by default one for each core this process may use.

        nfiq2: gives every finger its NFIQ 2 score; its thread waits meanwhile, so no more cores work.
        """
        # OpenCV would start a thread for each core inside each of our threads.
        cv2.setNumThreads(1)
        self._network = network
        self._nfiq2 = nfiq2
        self._threads = ThreadPoolExecutor(
            workers or len(os.sched_getaffinity(0)), thread_name_prefix="extract"
        )

    def extract(self, captures: Iterable[Capture]) -> list[Finger | FailureToAcquire]:
        """One result for each capture, in their order; may be called from several threads at once.

        Raises what `pipeline.extract` raises, for the first capture that it refuses.
        """
        return list(self._threads.map(self._one, captures))

    def _one(self, capture: Capture) -> Finger | FailureToAcquire:
        outcome = extract(capture, self._network)
        if self._nfiq2 is None or isinstance(outcome, FailureToAcquire):
            return outcome
        measures = (*outcome.quality.measures, self._nfiq2.score(capture.image))
        return replace(outcome, quality=replace(outcome.quality, measures=measures))

    def close(self) -> None:
        """Let running extractions end and start no more."""
        self._threads.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
