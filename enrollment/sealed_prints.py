"""Bodies of a gallery's prints kept encrypted on disk: for galleries that memory is too small for.

Each position's bodies lie in a file of its own that has no name: nobody else can open it, and it is gone with
the process, however that ends. Each body is sealed (AES-256-GCM) under a key that only this process knows, in
memory alone, and bound to its place. The store and the gallery's checkpoint stay the truth: a start fills
these files again. What is lost is overwritten at once, and its room given back when those that are wanted
move to a new file with a new key.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enrollment.durable import make_folder
from enrollment.sealing import new_key
from matcher.bodies import Bytes, Integers, begins_of

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class SealedBodies:
    """Bodies of one position in a file without a name. Many threads may read while one puts."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder = folder
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - lives as long as this
        weakref.finalize(self, self._file.close)
        self._cipher = AESGCM(new_key())
        self._end = 0

    @property
    def nbytes(self) -> int:
        """Of memory: none."""
        return 0

    def put(self, joined: Bytes, sizes: Integers) -> Integers:
        """Seal and append. A place is written once: it is the nonce, and never comes again under this key."""
        sealed = np.empty(len(joined) + _TAG_BYTES * len(sizes), np.uint8)
        starts = begins_of(sizes + _TAG_BYTES)
        places = self._end + starts
        # Whatever happens now, this room is never used again.
        self._end += len(sealed)
        source, target = joined.data, sealed.data
        for begin, size, start, place in zip(
            begins_of(sizes).tolist(), sizes.tolist(), starts.tolist(), places.tolist(), strict=True
        ):
            room = target[start : start + size + _TAG_BYTES]
            self._cipher.encrypt_into(_nonce(place), source[begin : begin + size], None, room)
        self._write(target, int(places[0]) if len(places) else self._end)
        return places

    def take(self, places: Integers, sizes: Integers) -> tuple[Bytes, Integers]:
        """Opened copies, end to end; -1 for one that was lost, or changed by somebody."""
        begins = begins_of(sizes)
        opened = np.empty(int(sizes.sum()), np.uint8)
        target, file = opened.data, self._file.fileno()
        sealed = memoryview(bytearray(int(sizes.max(initial=0)) + _TAG_BYTES))
        for k, (begin, size, place) in enumerate(
            zip(begins.tolist(), sizes.tolist(), places.tolist(), strict=True)
        ):
            room = sealed[: size + _TAG_BYTES]
            try:
                os.preadv(file, [room], place)
                self._cipher.decrypt_into(_nonce(place), room, None, target[begin : begin + size])
            except (InvalidTag, OSError):
                begins[k] = -1
        return opened, begins

    def lose(self, place: int, size: int) -> None:
        """Overwrite it."""
        self._write(memoryview(bytes(size + _TAG_BYTES)), place)

    def fresh(self) -> SealedBodies:
        """An empty file beside this one, of another key."""
        return SealedBodies(self._folder)

    def _write(self, data: memoryview, place: int) -> None:
        while data:
            written = os.pwrite(self._file.fileno(), data, place)
            data, place = data[written:], place + written


@dataclass(frozen=True, slots=True)
class SealedPrints:
    """Makes the places for bodies, all in one folder: see `matcher.gallery.Gallery`."""

    folder: Path

    def __call__(self) -> SealedBodies:
        """One more."""
        return SealedBodies(self.folder)


def _nonce(place: int) -> bytes:
    return place.to_bytes(_NONCE_BYTES, "big")
