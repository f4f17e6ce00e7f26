"""The process that meets hostile images, started by `enrollment.worker_process`.

A worker waits on standard input, reads one request, and forks a child that decodes exactly that image under
`confinement.confine_decoder` and then ends. The worker itself parses nothing but our own request, so no
image can touch the next one. Pixels come back through one shared page range; the worker copies them out.

Only the standard library and its toolbox are loaded: Pillow and the WSQ extension (34 MB of address space),
or NFIQ 2 (150 MB, most of it the forest, which the children share).
"""

from __future__ import annotations

import io
import mmap
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from struct import Struct
from typing import TypeAlias

from enrollment.confinement import CallFilter, call_filter, confine_decoder, confine_worker
from enrollment.decoder_protocol import (
    REPLY,
    REPLY_MAGIC,
    REQUEST,
    REQUEST_MAGIC,
    Operation,
    Outcome,
    Toolbox,
)

# shared pages: width u32 | height u32 | payload length u32 | payload
_SHARED = Struct("<III")
#: A WSQ file is never larger than its pixels plus its tables.
_TABLES_BYTES = 65_536
_ENDINGS = frozenset({Outcome.DONE, Outcome.REFUSED, Outcome.OUT_OF_MEMORY})

#: Where each toolbox lies: a module with `load(max_pixels)`, which gives samples to try, and `work(…)`.
_MODULES = {Toolbox.DECODERS: "enrollment.decoders", Toolbox.NFIQ2: "enrollment.nfiq2_native"}
#: Does one request: operation, size, payload → size, bytes.
Work: TypeAlias = Callable[[Operation, tuple[int, int], bytes | bytearray], tuple[tuple[int, int], bytes]]


@dataclass(slots=True)
class Request:
    """One image: what to do with it, the size its header claims, its bytes."""

    operation: Operation
    size: tuple[int, int]
    payload: bytearray


@dataclass(slots=True)
class Cell:
    """Where children work: what they do, the pages they hand back, the seconds they have, their filter."""

    work: Work
    canvas: mmap.mmap
    cpu_s: float
    wall_s: float
    call_filter: CallFilter | None


def main(arguments: list[str]) -> int:
    """Serve requests until standard input closes.

    Arguments: parent pid, memory bytes, most pixels, CPU seconds, wall seconds, toolbox.
    """
    parent_pid, memory_bytes, max_pixels = (int(text) for text in arguments[:3])
    cpu_s, wall_s = (float(text) for text in arguments[3:5])
    toolbox = import_module(_MODULES[Toolbox(arguments[5])])
    requests, replies = _claim_pipes()
    confine_worker(memory_bytes, parent_pid)
    warnings.simplefilter("ignore")
    canvas = mmap.mmap(-1, _SHARED.size + max_pixels + _TABLES_BYTES)
    cell = Cell(toolbox.work, canvas, cpu_s, wall_s, call_filter())
    samples = [
        Request(operation, size, bytearray(data)) for operation, size, data in toolbox.load(max_pixels)
    ]
    if not _works(samples, cell):
        cell.call_filter = None
        if not _works(samples, cell):  # else every image of every person would be called damaged
            raise SystemExit("tenprint: the image decoders do not work under these limits")
    _silence(2)  # until here our own errors are worth reading; from here on decoders write them
    ready = Outcome.READY if cell.call_filter is not None else Outcome.READY_UNFILTERED
    replies.write(REPLY.pack(REPLY_MAGIC, ready, 0, 0, 0, 0))
    while (request := _next_request(requests)) is not None:
        outcome, signal_number = _in_child(request, cell)
        request.payload[:] = bytes(len(request.payload))  # the next child finds nothing of this print
        _answer(replies, outcome, signal_number, cell.canvas)
    return 0


def _claim_pipes() -> tuple[io.FileIO, io.FileIO]:
    """Standard input and output for us alone: what native code prints goes nowhere."""
    requests, replies = os.dup(0), os.dup(1)
    _silence(0, 1)
    return io.FileIO(requests, "r"), io.FileIO(replies, "w")


def _silence(*numbers: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in numbers:
        os.dup2(nowhere, number)
    os.close(nowhere)


def _works(samples: list[Request], cell: Cell) -> bool:
    """Whether every decoder runs in a child, under the filter and limits of this kernel and machine."""
    first = {sample.operation: sample for sample in reversed(samples)}
    return all(_in_child(sample, cell)[0] is Outcome.DONE for sample in first.values())


def _next_request(requests: io.FileIO) -> Request | None:
    head = _read(requests, REQUEST.size)
    if head is None:
        return None
    magic, operation, width, height, length = REQUEST.unpack(head)
    payload = _read(requests, length) if magic == REQUEST_MAGIC else None
    return None if payload is None else Request(Operation(operation), (width, height), payload)


def _read(requests: io.FileIO, size: int) -> bytearray | None:
    buffer = bytearray(size)
    rest = memoryview(buffer)
    while rest:
        count = requests.readinto(rest)
        if not count:
            return None
        rest = rest[count:]
    return buffer


def _in_child(request: Request, cell: Cell) -> tuple[Outcome, int]:
    """Outcome and ending signal (0: none) of one forked child that does one request."""
    child = os.fork()
    if child == 0:
        os._exit(_child(request, cell))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Outcome.CRASHED, os.WTERMSIG(status)
    code = os.WEXITSTATUS(status)
    return (Outcome(code), 0) if code in _ENDINGS else (Outcome.CRASHED, 0)


def _child(request: Request, cell: Cell) -> Outcome:
    try:
        confine_decoder(cell.cpu_s, cell.wall_s, cell.call_filter)
        size, result = cell.work(request.operation, request.size, request.payload)
        cell.canvas[: _SHARED.size] = _SHARED.pack(*size, len(result))
        cell.canvas[_SHARED.size : _SHARED.size + len(result)] = result
    except MemoryError:
        return Outcome.OUT_OF_MEMORY
    except BaseException:  # noqa: BLE001 - decoders raise anything; all of it means "refused"
        return Outcome.REFUSED
    return Outcome.DONE


def _answer(replies: io.FileIO, outcome: Outcome, signal_number: int, canvas: mmap.mmap) -> None:
    """Copy the result out and wipe the shared pages."""
    width, height, length = _SHARED.unpack_from(canvas) if outcome is Outcome.DONE else (0, 0, 0)
    if length > len(canvas) - _SHARED.size:
        outcome, width, height, length = Outcome.REFUSED, 0, 0, 0
    head = REPLY.pack(REPLY_MAGIC, outcome, signal_number, width, height, length)
    rest = memoryview(head + canvas[_SHARED.size : _SHARED.size + length])
    while rest:
        rest = rest[replies.write(rest) :]
    canvas.madvise(mmap.MADV_REMOVE)
