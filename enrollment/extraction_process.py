"""The service's end of the extraction workers: start them, ask them with a deadline, replace what is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from enrollment.capture import Capture, FailureToAcquire, Finger
from enrollment.extraction_protocol import ANSWER, lengths_in, outcome_of, request_of

#: Isolated mode takes no module path from outside; our own package is named last, for a bare checkout.
_START: Final = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from enrollment.extraction_worker import main; sys.exit(main(sys.argv[1:]))"
)
_ROOT: Final = str(Path(__file__).resolve().parent.parent)
#: The worker sees no other variable of ours: keys live in the environment. These say where caches are.
_PASSED_ON: Final = ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "LD_LIBRARY_PATH")
#: A worker is one thread on one core.
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
#: The first start on a machine compiles the loops. A picture takes a second at most, on a busy machine more.
_START_S: Final = 300.0
_PICTURE_S: Final = 60.0
_FORK_S: Final = 10.0
_END_S: Final = 1.0


class WorkerLost(Exception):  # noqa: N818 - not an error of the tree: the pool turns it into a refusal
    """The worker died, or did not answer in time, or nonsense; it is gone now."""


class ExtractionProcess:
    """A worker, used by one thread at a time."""

    def __init__(self, pictures: socket.socket, pid: int) -> None:
        self._pictures, self.pid = pictures, pid
        self._handle = os.pidfd_open(pid)  # the number itself may be somebody else's once it ends

    def ask(self, capture: Capture) -> Finger | FailureToAcquire:
        """What becomes of a capture; raises `WorkerLost`, and `WorkerFault`, after which it is usable."""
        try:
            self._pictures.settimeout(_PICTURE_S)
            for part in request_of(capture):
                self._pictures.sendall(part)
            kind, text, columns = lengths_in(self._receive(ANSWER.size))
            return outcome_of(kind, self._receive(text), self._receive(columns), capture)
        except (OSError, ValueError, KeyError, TypeError) as loss:
            self.kill()
            raise WorkerLost(str(loss) or type(loss).__name__) from loss

    def kill(self) -> None:
        """End it at once; can be called twice."""
        if self._handle >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            os.close(self._handle)
            self._handle = -1
        self._pictures.close()

    def _receive(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self._pictures.recv(size - len(parts))
            if not part:
                raise ConnectionResetError("the worker ended")
            parts += part
        return bytes(parts)


class ExtractionNursery:
    """The process that holds the network and forks workers; may be used from several threads.

    The constructor returns when the network is loaded, or raises OSError. It must be called by a thread that
    stays: the process ends with the thread that started it.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-c", _START, _ROOT),
                    *(str(os.getpid()), str(theirs.fileno()), str(cache or "-")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=_ONE_THREAD | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._expect(1, _START_S)

    def fork(self) -> ExtractionProcess:
        """A fresh worker; raises OSError when there is none to be had, `WorkerLost` when it is gone."""
        ours, theirs = socket.socketpair()
        try:
            with self._lock, theirs:
                socket.send_fds(self._control, [b"F"], [theirs.fileno()])
                number = int.from_bytes(self._expect(4, _FORK_S), "little")
            return ExtractionProcess(ours, number)
        except ProcessLookupError as loss:
            ours.close()
            raise WorkerLost("the worker ended at once") from loss
        except OSError:
            ours.close()
            self.close()
            raise

    def close(self) -> None:
        """End it, and with it every worker; can be called twice."""
        self._control.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._process.kill()
        self._process.wait()

    def _expect(self, size: int, seconds: float) -> bytes:
        self._control.settimeout(seconds)
        try:
            answer = self._control.recv(size)
        except OSError:
            answer = b""
        if len(answer) != size:
            self.close()
            raise OSError("the process that holds the network does not answer")
        return answer
