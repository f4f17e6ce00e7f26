"""The processes that extract: one that holds the network and never sees a picture, and forks of it that do.

The first loads the network once and forks a worker whenever the service asks for one; all share its memory
until they write. A worker that crashes costs the picture it had, and the next is there in milliseconds.
Started by `enrollment.extraction_process`.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
from pathlib import Path
from struct import Struct
from typing import Final, NoReturn

import cv2

from enrollment.confinement import bind_to_parent, confine_worker
from enrollment.extraction_protocol import REQUEST, answer_of, capture_of, pixels_in
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract

#: Said once, when the network is loaded.
READY: Final = b"R"
#: Asks for a worker; its end of a socket travels with it, and the worker's process number is the answer.
FORK: Final = b"F"
NUMBER: Final = Struct("<I")
#: Address space; what it really takes is a twentieth.
_MEMORY_BYTES: Final = 8 << 30


def main(arguments: list[str]) -> int:
    """Serve until the service goes. Arguments: parent pid, the control socket's number, cache folder or -."""
    parent_pid, number, cache = int(arguments[0]), int(arguments[1]), arguments[2]
    control = socket.socket(fileno=number)
    confine_worker(_MEMORY_BYTES, parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which then lets us go
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the workers that end
    cv2.setNumThreads(1)
    network = MinutiaeNetwork.load(threads=1, cache=None if cache == "-" else Path(cache))
    gc.collect()
    gc.freeze()  # else the first collection in each worker would write to every page
    control.sendall(READY)
    while True:
        asked, ends, _, _ = socket.recv_fds(control, len(FORK), 1)
        if asked != FORK or not ends:
            return 0
        worker = os.fork()
        if worker == 0:
            control.close()
            bind_to_parent()
            _serve(socket.socket(fileno=ends[0]), network)
        os.close(ends[0])
        control.sendall(NUMBER.pack(worker))


def _serve(pictures: socket.socket, network: MinutiaeNetwork) -> NoReturn:
    """Extract one picture after another until the service closes its end."""
    with pictures:
        while head := receive(pictures, REQUEST.size):
            pixels = receive(pictures, pixels_in(bytes(head)))
            try:
                answer = answer_of(extract(capture_of(bytes(head), pixels), network))
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is told to who asked
                answer = answer_of(fault)
            pictures.sendall(answer)
    os._exit(0)


def receive(source: socket.socket, size: int) -> bytearray:
    """Exactly `size` bytes, or none when the other end is gone."""
    buffer = bytearray(size)
    rest = memoryview(buffer)
    while rest:
        count = source.recv_into(rest)
        if count == 0:
            return bytearray()
        rest = rest[count:]
    return buffer
