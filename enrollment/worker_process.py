"""The parent's end of one worker: start it, ask it with a deadline, end it without a trace."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enrollment.decoder_protocol import (
    REPLY,
    REPLY_MAGIC,
    REQUEST,
    REQUEST_MAGIC,
    Operation,
    Outcome,
    Toolbox,
)
from enrollment.limits import ImageLimits

#: Isolated mode takes no module path from outside; our own package is named last, for a bare checkout.
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from enrollment.decoder_worker import main; sys.exit(main(sys.argv[1:]))"
)
_ROOT = str(Path(__file__).resolve().parent.parent)
#: glibc fills fresh and freed memory: the WSQ decoder reads some it never wrote, and a damaged file gave
#: other pixels at each decoding (measured). The same bytes must give the same answer.
_ENVIRONMENT = {"MALLOC_PERTURB_": "165"}
#: The worker sees no other variable of ours: keys live in the environment.
_PASSED_ON = ("LD_LIBRARY_PATH",)
_END_S = 1.0
#: A usual picture passes in one piece; the kernel's 64 KiB would wake both sides for each.
_PIPE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker answered: grey pixels, a WSQ file or a score when DONE, nothing otherwise."""

    outcome: Outcome
    signal_number: int
    width_px: int
    height_px: int
    payload: bytearray


class WorkerLost(Exception):  # noqa: N818 - not an error of ours: the pool turns it into a refusal
    """The worker died or did not answer in time; it is gone now."""

    def __init__(self, *, timed_out: bool) -> None:
        super().__init__("no answer in time" if timed_out else "the worker ended")
        self.timed_out = timed_out


class WorkerProcess:
    """A running worker, used by one thread at a time.

    The constructor returns when it is ready, or raises OSError; it blocks for `limits.start_s` at most.
    """

    def __init__(self, limits: ImageLimits, toolbox: Toolbox) -> None:
        self._limits = limits
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-c",
                _START,
                _ROOT,
                str(os.getpid()),
                str(limits.memory_bytes),
                str(limits.max_pixels),
                str(limits.cpu_s),
                str(limits.wall_s),
                toolbox.value,
            ],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env=_ENVIRONMENT | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - narrows for the type checker
        assert self._process.stdout is not None  # noqa: S101 - the same
        self._to, self._from = self._process.stdin, self._process.stdout
        for pipe in (self._to, self._from):
            os.set_blocking(pipe.fileno(), False)
            with suppress(OSError):  # a matter of speed only
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            ready = self._receive(time.monotonic() + limits.start_s)
        except WorkerLost as loss:
            raise OSError(f"a decoder worker did not start: {loss}") from loss
        self.pid = self._process.pid
        #: Whether the kernel filters the system calls of the decoding children.
        self.filtered = ready.outcome is Outcome.READY

    def ask(self, operation: Operation, size: tuple[int, int], payload: bytes) -> Reply:
        """Send one request and wait for its answer, or raise WorkerLost."""
        deadline = time.monotonic() + self._limits.wall_s + self._limits.grace_s
        head = REQUEST.pack(REQUEST_MAGIC, operation, *size, len(payload))
        self._send(head, deadline)
        self._send(payload, deadline)
        return self._receive(deadline)

    def close(self) -> None:
        """End an idle worker: it leaves when its input closes."""
        self._to.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.kill()

    def kill(self) -> None:
        """End the worker and its child at once, and collect it."""
        if self._process.poll() is None:  # its number can belong to somebody else once it is collected
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._to.close()
        self._from.close()

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            self._wait(self._to.fileno(), select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._to.fileno(), rest) :]
            except BlockingIOError:
                continue
            except OSError:
                self.kill()
                raise WorkerLost(timed_out=False) from None

    def _receive(self, deadline: float) -> Reply:
        """One reply of plausible form; anything else means that the worker cannot be trusted further."""
        head = self._read(REPLY.size, deadline)
        magic, outcome, signal_number, width, height, length = REPLY.unpack(head)
        if magic != REPLY_MAGIC or length > 2 * self._limits.max_pixels or outcome not in set(Outcome):
            self.kill()
            raise WorkerLost(timed_out=False)
        return Reply(Outcome(outcome), signal_number, width, height, self._read(length, deadline))

    def _read(self, size: int, deadline: float) -> bytearray:
        buffer = bytearray(size)
        rest = memoryview(buffer)
        while rest:
            self._wait(self._from.fileno(), select.POLLIN, deadline)
            count = os.readv(self._from.fileno(), [rest])
            if count == 0:
                self.kill()
                raise WorkerLost(timed_out=False)
            rest = rest[count:]
        return buffer

    def _wait(self, file: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(file, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            self.kill()
            raise WorkerLost(timed_out=True)
