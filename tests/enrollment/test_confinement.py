"""What code inside a decoding child can still do: tried in a real one, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from enrollment.confinement import call_filter

# Each attempt runs in a fresh fork under confinement; exit code 1: it worked, 2: it was refused.
_TRY = """
import ctypes, os, signal, socket, sys, time
from enrollment.confinement import call_filter, confine_decoder
libc = ctypes.CDLL(None, use_errno=True)
parent = os.getpid()

def refused(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")

attempts = {
    "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "write": lambda: os.open("/tmp/decoder-was-here", os.O_CREAT | os.O_WRONLY),
    "socket": lambda: socket.socket(),
    "fork": lambda: os.fork() or os._exit(0),
    "signal": lambda: os.kill(parent, 0),
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "trace": lambda: refused(libc.ptrace(16, parent, 0, 0) if filtered else -1),  # it would stop the parent
    "raise a limit": lambda: refused(libc.prlimit(0, 7, (ctypes.c_ulong * 2)(64, 64), None)),
    "share memory": lambda: refused(libc.shmget(0, 4096, 0o1600)),
    "allocate": lambda: bytearray(1_000_000),
}
filtered = sys.argv[1] == "filtered"
rules = call_filter() if filtered else None
for name, attempt in attempts.items():
    child = os.fork()
    if child == 0:
        confine_decoder(2.0, 5.0, rules)
        try:
            attempt()
        except (OSError, PermissionError):
            os._exit(2)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    print(f"{name}: {'worked' if status == 256 else 'refused'}")
"""


def outcomes(mode: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", _TRY, mode], capture_output=True, text=True, check=True, timeout=20
    )
    return dict(line.split(": ") for line in done.stdout.splitlines())


@pytest.mark.skipif(call_filter() is None, reason="no system call filter is written for this machine type")
def test_filtered_child_can_only_compute() -> None:
    """No file, socket, process, signal, trace or shared memory; memory of its own, yes."""
    assert {name for name, outcome in outcomes("filtered").items() if outcome == "worked"} == {"allocate"}


def test_unfiltered_child_has_no_files_and_no_network() -> None:
    """Where the kernel has no filter, no descriptors are left to open anything with."""
    found = outcomes("unfiltered")
    assert (found["open"], found["write"], found["socket"]) == ("refused", "refused", "refused")
    assert found["allocate"] == "worked"


@pytest.mark.parametrize(
    ("limit", "code", "ending"),
    [
        ("confine_decoder(0.2, 5.0, None)\nwhile True: pass", "computes", "SIGPROF"),
        ("confine_decoder(5.0, 0.2, None)\nwhile True: time.sleep(1)", "sleeps", "SIGALRM"),
    ],
)
def test_time_ends_a_child(limit: str, code: str, ending: str) -> None:
    """Computing time for one that works, the wall clock for one that waits."""
    program = f"import time\nfrom enrollment.confinement import confine_decoder\n{limit}"
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=20)
    assert done.returncode == -signal.Signals[ending].value
