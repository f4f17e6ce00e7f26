"""A crash of native code in an extraction, seen over HTTP."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from running_service import KNOWN, Running, picture


def workers() -> set[int]:
    """The extraction workers of all services in this process."""
    nurseries = [pid for pid in _children(os.getpid()) if "extraction_worker" in _command(pid)]
    return {worker for nursery in nurseries for worker in _children(nursery)}


def _children(pid: int) -> list[int]:
    numbers: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            numbers += [int(number) for number in task.read_text(encoding="ascii").split()]
    return numbers


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")


@contextmanager
def every_worker_crashes() -> Iterator[None]:
    """Until the end of the block no extraction lives for long."""
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(0.01):
            for pid in workers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSEGV)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_crash_is_one_requests_503(running: Running) -> None:
    """Refused with when to come again; the service is well, and the same request then goes through."""
    images = {"right_index": picture(KNOWN)}
    with every_worker_crashes():
        refused = running.police("identify", images)
        assert running.client.get("/livez").status_code == 200
    assert refused.status_code == 503
    assert refused.json()["code"] == "extraction_unavailable"
    assert int(refused.headers["Retry-After"]) >= 1
    assert running.police("identify", images).status_code == 200
    lost = next(
        line
        for line in running.client.get("/metrics").text.splitlines()
        if line.startswith("tenprint_extraction_deaths_total ")
    )
    assert float(lost.split()[1]) >= 2
