"""Many captures on all cores, and what a crash in one costs: nothing but its own picture."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ridge_pictures import ridge_picture

from enrollment.capture import Capture, FailureToAcquire, Finger, FingerprintImage
from enrollment.errors import ExtractionUnavailable, UnknownResolution
from enrollment.extraction_process import ExtractionProcess
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from enrollment.workers import ExtractionPool
from fixtures import named
from matcher.codes import FINGERS, FingerPosition, ImpressionType


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractionPool]:
    """Two workers."""
    with ExtractionPool(workers=2) as opened:
        yield opened


def hand() -> list[Capture]:
    """Four fingers, one of them missing from its picture."""
    pictures = [ridge_picture(192, 224, minutiae=9, seed=seed).pixels for seed in range(4)]
    pictures[2] = np.full((224, 192), 240, dtype=np.uint8)
    return [
        Capture(position, ImpressionType.LIVE_PLAIN, FingerprintImage(pixels, 500))
        for position, pixels in zip(FINGERS[:4], pictures, strict=True)
    ]


def children_of(pid: int) -> set[int]:
    """The processes that were forked from one."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return {int(number) for number in text.split()}


def nursery_of(pool: ExtractionPool) -> int:
    """The process that holds the network."""
    return pool._nursery.result().pid


def is_working(pid: int) -> bool:
    """Whether a process is at work, not asleep in wait of a picture."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "R"
    except OSError:
        return False


def kill_a_worker_at_work(pool: ExtractionPool, number: int) -> int:
    """Send a signal to the first worker that is seen extracting."""
    while True:
        for pid in children_of(nursery_of(pool)):
            if is_working(pid):
                os.kill(pid, number)
                return pid


def test_results_keep_the_order_of_captures(pool: ExtractionPool) -> None:
    """From two threads at once, as in the service; a failure is one of the results."""
    with ThreadPoolExecutor(2) as callers:
        for results in callers.map(pool.extract, [hand(), hand()]):
            assert [result.position for result in results] == list(FINGERS[:4])
            assert [type(result) for result in results] == [Finger, Finger, FailureToAcquire, Finger]


def test_worker_says_what_the_pipeline_says(pool: ExtractionPool, network: MinutiaeNetwork) -> None:
    """Every column, bit for bit, and the quality; of a failure the advice."""
    capture = Capture(FingerPosition.RIGHT_INDEX, ImpressionType.LIVE_ROLLED, named.rolled_probe())
    (there,), here = pool.extract([capture]), extract(capture, network)
    assert isinstance(there, Finger)
    assert isinstance(here, Finger)
    assert here.template.field is not None
    assert there.template.field is not None
    for name in ("x", "y", "angle", "kind", "quality", "width_px", "height_px"):
        np.testing.assert_array_equal(getattr(there.template, name), getattr(here.template, name))
    for name in ("orientation", "coherence", "foreground"):
        np.testing.assert_array_equal(getattr(there.template.field, name), getattr(here.template.field, name))
    assert (there.quality, there.extractor) == (here.quality, here.extractor)
    assert (there.position, there.impression) == (here.position, here.impression)
    blank = hand()[2]
    assert pool.extract([blank]) == [extract(blank, network)]


def test_refused_picture_raises_and_the_pool_lives_on(pool: ExtractionPool) -> None:
    """One caller's absurd resolution is nobody else's error."""
    absurd = Capture(
        FingerPosition.UNKNOWN, ImpressionType.UNKNOWN, FingerprintImage(hand()[0].image.pixels, 72)
    )
    with pytest.raises(UnknownResolution):
        pool.extract([absurd])
    assert isinstance(pool.extract(hand()[:1])[0], Finger)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_crash_in_mid_extraction_is_made_good(pool: ExtractionPool, number: signal.Signals) -> None:
    """The picture is given to a fresh worker, and nobody notices; other pictures go on meanwhile."""
    before, lost = pool.extract(hand()), pool.counts.get("lost", 0)
    with ThreadPoolExecutor(2) as callers:
        running = [callers.submit(pool.extract, hand()) for _ in range(2)]
        pid = kill_a_worker_at_work(pool, number)
        results = [outcome for one in running for outcome in one.result()]
    assert pool.counts["lost"] == lost + 1
    assert pid not in children_of(nursery_of(pool))
    for one, other in zip(results, before * 2, strict=True):
        assert type(one) is type(other)
        if isinstance(one, Finger) and isinstance(other, Finger):
            np.testing.assert_array_equal(one.template.x, other.template.x)


def test_picture_that_kills_its_workers_is_refused_alone(
    pool: ExtractionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice is enough: 503. What runs beside it and comes after it is done."""
    killer, others = hand()[0], hand()[1:]
    ask = ExtractionProcess.ask

    def ask_and_crash(worker: ExtractionProcess, capture: Capture) -> Finger | FailureToAcquire:
        if capture.position == killer.position:
            threading.Timer(0.005, os.kill, (worker.pid, signal.SIGSEGV)).start()
        return ask(worker, capture)

    monkeypatch.setattr(ExtractionProcess, "ask", ask_and_crash)
    with ThreadPoolExecutor(2) as callers:
        doomed, spared = callers.submit(pool.extract, [killer]), callers.submit(pool.extract, others * 2)
        with pytest.raises(ExtractionUnavailable, match="again"):
            doomed.result()
        assert [type(outcome) for outcome in spared.result()] == [Finger, FailureToAcquire, Finger] * 2
    monkeypatch.undo()
    assert isinstance(pool.extract([killer])[0], Finger)


def test_lost_network_is_loaded_again(pool: ExtractionPool) -> None:
    """The process that holds it is killed, and takes its workers along."""
    nursery = nursery_of(pool)
    workers = children_of(nursery)
    os.kill(nursery, signal.SIGKILL)
    while any(Path(f"/proc/{pid}/exe").exists() for pid in workers):
        time.sleep(0.01)
    assert isinstance(pool.extract(hand()[:1])[0], Finger)
    assert nursery_of(pool) != nursery


def test_failure_inside_the_network_is_told(network: MinutiaeNetwork) -> None:
    """Onnxruntime gives up in the middle of a picture, and the same network goes on."""
    odd = np.full((72, 104), 128, dtype=np.uint8)  # not multiples of 32: its halves do not fit together
    with pytest.raises(Exception, match="Concat"):
        network.detect(odd)
    assert isinstance(extract(hand()[0], network), Finger)


def test_closed_pool_leaves_no_process() -> None:
    """Neither the network's nor a worker."""
    with ExtractionPool(workers=1) as opened:
        opened.extract(hand()[:1])
        family = {nursery_of(opened), *children_of(nursery_of(opened))}
        assert len(family) == 2
    time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in family)
