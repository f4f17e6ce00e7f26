"""What a decoding process may do: compute, allocate a little, end. Linux only, no privilege needed.

Two steps. `confine_worker` is for the process that waits and forks and never parses an image;
`confine_decoder` is for the forked child that parses exactly one. The child gets a system call filter that
leaves memory and exit only: no file, no socket, no process, no signal, whatever code runs in it. Where the
kernel or machine type has no filter, a limit of zero file descriptors still stops files and sockets.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import math
import os
import platform
import resource
import signal
from pathlib import Path
from struct import Struct

# linux/prctl.h, linux/seccomp.h, linux/audit.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
# linux/filter.h: code u16 | jump if true u8 | jump if false u8 | operand u32
_INSTRUCTION = Struct("HBBI")
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_AT_NUMBER, _AT_MACHINE = 0, 4  # offsets in struct seccomp_data
_AUDIT_CODES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
#: Numbers of the calls left, per machine type: brk, mmap, munmap, mremap, mprotect, madvise, futex, exit,
#: exit_group, rt_sigaction, rt_sigprocmask, rt_sigreturn, sigaltstack, restart_syscall, rseq, clock_gettime,
#: gettimeofday, getrandom.
_CALLS = {
    "x86_64": (12, 9, 11, 25, 10, 28, 202, 60, 231, 13, 14, 15, 131, 219, 334, 228, 96, 318),
    "aarch64": (214, 222, 215, 216, 226, 233, 98, 93, 94, 134, 135, 139, 132, 128, 293, 113, 169, 278),
}
#: Enough for the imports of a worker; a decoder gets none.
_WORKER_FILES = 32


def confine_worker(memory_bytes: int, parent_pid: int) -> None:
    """Limit the calling process and tie its life to its parent's.

    The death signal follows the *thread* that started us: the parent must keep that thread alive.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        raise SystemExit(0)
    with contextlib.suppress(OSError):  # if memory runs out, the kernel takes us and not the service
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _WORKER_FILES)
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def bind_to_parent() -> None:
    """Tie the life of a fresh fork to that of the process it was forked from."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def confine_decoder(cpu_s: float, wall_s: float, call_filter: CallFilter | None) -> None:
    """Limit the calling process, a fresh fork that holds one image, for the rest of its short life."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for timer, ending, seconds in (
        (signal.ITIMER_REAL, signal.SIGALRM, wall_s),
        (signal.ITIMER_PROF, signal.SIGPROF, cpu_s),
    ):
        signal.signal(ending, signal.SIG_DFL)
        signal.setitimer(timer, seconds)
    _limit(resource.RLIMIT_CPU, math.ceil(cpu_s) + 1)  # whole seconds, for code that stops the timers
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    os.closerange(0, _WORKER_FILES)
    _limit(resource.RLIMIT_NOFILE, 0)
    if call_filter is not None:
        call_filter.apply()


class CallFilter:
    """The compiled system call filter of this machine type; build it once, before forking."""

    def __init__(self, machine: str = "") -> None:
        machine = machine or platform.machine()
        audit_code, calls = _AUDIT_CODES[machine], _CALLS[machine]
        last = len(calls)
        program = [
            (_LOAD_WORD, 0, 0, _AT_MACHINE),
            (_JUMP_IF_EQUAL, 1, 0, audit_code),
            (_RETURN, 0, 0, _KILL_PROCESS),
            (_LOAD_WORD, 0, 0, _AT_NUMBER),
            *((_JUMP_IF_EQUAL, last - index, 0, call) for index, call in enumerate(calls)),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ]
        self._code = ctypes.create_string_buffer(b"".join(_INSTRUCTION.pack(*line) for line in program))
        # struct sock_fprog: number of instructions u16, padding, pointer
        self._program = ctypes.create_string_buffer(
            Struct("HxxxxxxQ").pack(len(program), ctypes.addressof(self._code))
        )

    def apply(self) -> None:
        """Bind the calling process to the filter, for good."""
        _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(self._program))


def call_filter() -> CallFilter | None:
    """The filter, or None where this machine type has none written."""
    return CallFilter() if platform.machine() in _CALLS else None


def _limit(which: int, most: int) -> None:
    """Set soft and hard limit, never above the hard limit that already holds."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(which, (most, most))


_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc.prctl(option, *values) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
