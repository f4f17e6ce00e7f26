"""The wall around native decoders: time, memory, death, and what is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hostile
import numpy as np
import pytest

from enrollment.errors import DecoderUnavailable, MalformedImage, UndecodableImage
from enrollment.limits import ImageLimits
from enrollment.sandbox import DecoderSandbox

GREY = hostile.ridges()
SEEDS = hostile.seeds()
SLOW = hostile.encoded(hostile.ridges(2_000, 2_000), "JPEG2000")


def children_of(pid: int) -> list[int]:
    """Process ids whose parent is `pid`, zombies among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found


def workers_of(pool: DecoderSandbox) -> list[int]:
    """Process ids of the workers of an idle pool, all of them started."""
    slots = [pool._free.get() for _ in range(pool._workers)]
    for slot in slots:
        pool._free.put(slot)
    return [slot.result().pid for slot in slots if slot is not None]


def open_files() -> int:
    """Number of file descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def eventually(condition: Callable[[], bool], within_s: float = 20) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def test_computing_time_is_limited() -> None:
    """A decoder that works too long is ended; its worker lives on."""
    with DecoderSandbox(workers=1, limits=ImageLimits(cpu_s=0.05)) as pool:
        with pytest.raises(UndecodableImage, match=r"takes longer than 0\.05 s"):
            pool.decode(SLOW, ppi=500)
        assert pool.decode(SEEDS["png"]).pixels.shape == GREY.shape
        assert pool.counts == {"timed_out": 1, "done": 1}


def test_memory_is_limited() -> None:
    """A decoder that wants too much is refused; its worker lives on."""
    with DecoderSandbox(workers=1, limits=ImageLimits(memory_bytes=60_000_000)) as pool:
        with pytest.raises(UndecodableImage, match="JPEG 2000 image"):
            pool.decode(SLOW, ppi=500)
        assert pool.decode(SEEDS["png"]).pixels.shape == GREY.shape
        assert "done" in pool.counts
        assert "restarted" not in pool.counts


def test_decoder_that_dies_costs_only_its_own_image() -> None:
    """SIGSEGV in the middle of a decoding is a refusal; the worker serves the next request."""
    with DecoderSandbox(workers=1) as pool:
        (worker,) = workers_of(pool)
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(pool.decode, SLOW, ppi=500)
            assert eventually(lambda: bool(children_of(worker)))
            os.kill(children_of(worker)[0], signal.SIGSEGV)
            with pytest.raises(UndecodableImage, match="cannot read it"):
                answer.result()
        np.testing.assert_array_equal(pool.decode(SEEDS["png"]).pixels, GREY)
        assert workers_of(pool) == [worker]
        assert pool.counts == {"done": 1, "crashed": 1}


def test_worker_found_dead_is_replaced_and_the_image_read() -> None:
    """A worker that the kernel took while it waited says nothing of the next image."""
    with DecoderSandbox(workers=1) as pool:
        (worker,) = workers_of(pool)
        os.kill(worker, signal.SIGKILL)
        np.testing.assert_array_equal(pool.decode(SEEDS["png"]).pixels, GREY)
        assert worker not in children_of(os.getpid())
        assert pool.counts == {"done": 1, "crashed": 1, "restarted": 1}


def test_frozen_worker_is_replaced() -> None:
    """One refusal after the wall clock, a new worker, no zombie."""
    with DecoderSandbox(workers=1, limits=ImageLimits(wall_s=0.5, grace_s=0.5)) as pool:
        (worker,) = workers_of(pool)
        os.kill(worker, signal.SIGSTOP)
        with pytest.raises(UndecodableImage):
            pool.decode(SEEDS["png"])
        np.testing.assert_array_equal(pool.decode(SEEDS["png"]).pixels, GREY)
        assert worker not in children_of(os.getpid())
        assert pool.counts == {"done": 1, "timed_out": 1, "restarted": 1}


def test_nothing_is_left_behind() -> None:
    """No process, no file descriptor, no thread after the pool is closed, twice."""
    before, threads = open_files(), threading.active_count()
    pool = DecoderSandbox(workers=2)
    workers = workers_of(pool)
    with contextlib.suppress(MalformedImage):
        pool.decode(SEEDS["wsq"][:900] + SEEDS["wsq"][1_200:])
    pool.close()
    pool.close()
    assert not set(workers) & set(children_of(os.getpid()))
    assert open_files() == before
    assert threading.active_count() == threads


def test_closed_pool_refuses() -> None:
    """Not with a hang, and not with the image's fault."""
    pool = DecoderSandbox(workers=1)
    pool.close()
    with pytest.raises(DecoderUnavailable, match="shut down"):
        pool.decode(SEEDS["png"])


def test_busy_pool_says_so() -> None:
    """A request waits its turn for so long, then it is told to come back."""
    with (
        DecoderSandbox(workers=1, limits=ImageLimits(queue_s=0.01)) as pool,
        ThreadPoolExecutor(1) as thread,
    ):
        (worker,) = workers_of(pool)
        running = thread.submit(pool.decode, SLOW, ppi=500)
        assert eventually(lambda: bool(children_of(worker)))
        with pytest.raises(DecoderUnavailable, match="busy"):
            pool.decode(SEEDS["png"])
        assert running.result().ppi == 500


def test_worker_that_cannot_start_is_not_the_images_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is a 503, and heals when it is mended."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/bin/false")
        pool = DecoderSandbox(workers=1)
        with pytest.raises(DecoderUnavailable, match="can be started"):
            pool.decode(SEEDS["png"])
    with pool, contextlib.suppress(DecoderUnavailable):
        pool.decode(SEEDS["png"])  # may still meet the worker that was started in the bad time
        assert pool.decode(SEEDS["png"]).ppi == 500


def test_decoders_that_cannot_work_are_not_the_images_fault() -> None:
    """Limits too tight for any image are found at the start, not blamed on the sender."""
    with (
        DecoderSandbox(workers=1, limits=ImageLimits(memory_bytes=32_000_000)) as pool,
        pytest.raises(DecoderUnavailable, match="can be started"),
    ):
        pool.decode(SEEDS["png"])


def test_workers_die_with_their_parent() -> None:
    """`kill -9` of the service leaves no decoder behind."""
    code = (
        "import sys, time\nfrom enrollment.sandbox import DecoderSandbox\n"
        "pool = DecoderSandbox(workers=2)\n"
        "for _ in '12': pool._free.get().result()\n"
        "print('up', flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        workers = children_of(parent.pid)
        parent.kill()
    assert len(workers) == 2
    assert eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_worker_sees_no_environment() -> None:
    """Keys and addresses live in the environment; /proc shows what a worker was given."""
    with DecoderSandbox(workers=1) as pool:
        (worker,) = workers_of(pool)
        try:
            given = Path(f"/proc/{worker}/environ").read_text()
        except PermissionError:
            pytest.skip("the worker is not dumpable: only root may look")
    assert {line.partition("=")[0] for line in given.split("\0") if line} <= {
        "MALLOC_PERTURB_",
        "LD_LIBRARY_PATH",
    }
