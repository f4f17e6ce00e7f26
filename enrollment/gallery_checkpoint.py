"""A gallery written down, sealed, so that a restart need not prepare every template again.

A checkpoint is a folder `ID`: `arrays`, chunks of the gallery's arrays end to end, and `manifest`, which says
what they are. Everything is sealed (AES-256-GCM) under a key of this checkpoint's own and bound to its id and
its place, so nothing is read that was changed, cut, mixed or moved. The store stays the truth: a checkpoint
that cannot be opened, is of other models or of a later time than the store is ignored, and the gallery built
from the store. The key is destroyed with its checkpoint, so that what was erased since is unreadable in every
copy of it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from enrollment.durable import make_folder, sync_folder
from enrollment.encounter import new_id
from enrollment.errors import DamagedRecord
from enrollment.key_provider import KeyProvider
from enrollment.sealing import OVERHEAD_BYTES, Sealer, associated_data
from matcher.columns import State
from matcher.errors import FingerprintError
from matcher.gallery import Gallery
from matcher.prepared_prints import made_by

#: Changes with what is written here, or with what the arrays mean.
FORMAT: Final = 2
#: Bytes sealed at once.
CHUNK: Final = 8 * 2**20
#: Threads that open chunks.
THREADS: Final = 4
#: Receives (encounters done, encounters in all) while a gallery is filled.
Progress: TypeAlias = Callable[[int, int], None]
_MANIFEST, _ARRAYS, _PARTIAL = "manifest", "arrays", ".partial"

logger = logging.getLogger("tenprint.enrollment")


@dataclass(frozen=True, slots=True)
class GalleryCheckpoint:
    """Where the checkpoint of one gallery lies, and who holds its key."""

    folder: Path
    keys: KeyProvider

    def save(self, gallery: Gallery) -> int:
        """Write the gallery down; searches and changes go on. Gives the bytes written.

        The new checkpoint is whole on disk before the one before it, and its key, are destroyed.
        """
        name = new_id()
        make_folder(self.folder)
        partial, whole = self.folder / f"{name}{_PARTIAL}", self.folder / name
        make_folder(partial)
        sealer = Sealer(self.keys.secret(_secret(name)))
        states = gallery.state()
        with (partial / _ARRAYS).open("wb") as stream:
            for number, chunk in enumerate(_chunks([state for state, _ in states])):
                stream.write(sealer.seal(chunk, associated_data(_ARRAYS, FORMAT, name, number)))
            _sync(stream)
            written = stream.tell()
        manifest = sealer.seal(_manifest(states), associated_data(_MANIFEST, FORMAT, name))
        with (partial / _MANIFEST).open("wb") as stream:
            stream.write(manifest)
            _sync(stream)
        sync_folder(partial)
        partial.rename(whole)
        sync_folder(self.folder)
        self._destroy_all_but(name)
        return written + len(manifest)

    def load(self, gallery: Gallery, newest: int, progress: Progress | None = None) -> int | None:
        """Fill the gallery from the checkpoint; gives the sequence it stands at, None without a usable one.

        newest: the last sequence of the store; a checkpoint from beyond it is another store's.
        """
        for name in self._names():
            try:
                states = self._read(name, progress)
                sequence = min(reached for _, reached in states)
                if sequence > newest:
                    raise DamagedRecord("it knows changes that the store does not")
                gallery.restore(states)
            except (FingerprintError, OSError, KeyError, ValueError) as fault:
                logger.warning("gallery checkpoint %s is not used: %s", name, fault)
                continue
            return sequence
        return None

    def destroy(self) -> None:
        """Destroy every checkpoint and its key."""
        self._destroy_all_but("")

    def _read(self, name: str, progress: Progress | None) -> list[tuple[State, int]]:
        sealer = Sealer(self.keys.secret(_secret(name)))
        sealed = (self.folder / name / _MANIFEST).read_bytes()
        manifest = json.loads(sealer.open(sealed, associated_data(_MANIFEST, FORMAT, name)))
        if manifest["models"] != made_by():
            raise DamagedRecord("its prints were prepared with other models or in another form")
        shards = manifest["shards"]
        states = [
            {
                each["name"]: np.empty(each["shape"], np.dtype(_dtype(each["dtype"])))
                for each in shard["arrays"]
            }
            for shard in shards
        ]
        references = sum(len(state["alive"]) for state in states)
        for share in self._fill(name, sealer, [_bytes_of(a) for state in states for a in state.values()]):
            if progress is not None:
                progress(int(references * share), references)
        return [(state, shard["sequence"]) for state, shard in zip(states, shards, strict=True)]

    def _fill(self, name: str, sealer: Sealer, targets: Sequence[NDArray[np.uint8]]) -> Iterator[float]:
        """Open every chunk into its place, several at a time; gives the share done after each."""
        path, at = self.folder / name / _ARRAYS, 0
        places = list(_places(targets))
        if path.stat().st_size != sum(len(place) + OVERHEAD_BYTES for place in places):
            raise DamagedRecord("it is not as long as its manifest says")

        rooms = threading.local()

        def fill(number: int, begin: int, place: NDArray[np.uint8]) -> None:
            # The same room for every chunk of a thread: fresh memory costs more than opening what it takes.
            if not hasattr(rooms, "own"):
                rooms.own = memoryview(bytearray(CHUNK + OVERHEAD_BYTES))
            sealed = rooms.own[: len(place) + OVERHEAD_BYTES]
            with path.open("rb", buffering=0) as stream:
                stream.seek(begin)
                read = stream.readinto(sealed)
            sealer.open_into(sealed[:read], associated_data(_ARRAYS, FORMAT, name, number), place.data)

        with ThreadPoolExecutor(THREADS) as pool:
            waiting: list[Future[None]] = []
            for number, place in enumerate(places):
                waiting.append(pool.submit(fill, number, at, place))
                at += len(place) + OVERHEAD_BYTES
            for number, done in enumerate(waiting, start=1):
                done.result()
                yield number / len(waiting)

    def _names(self) -> list[str]:
        """Whole checkpoints, newest first: ids rise with time."""
        if not self.folder.exists():
            return []
        return sorted((each.name for each in self.folder.iterdir() if each.suffix != _PARTIAL), reverse=True)

    def _destroy_all_but(self, name: str) -> None:
        for each in list(self.folder.iterdir()) if self.folder.exists() else []:
            if each.name != name:
                self.keys.forget_secret(_secret(each.name.removesuffix(_PARTIAL)))
                shutil.rmtree(each)


def _secret(name: str) -> str:
    """What the key of a checkpoint is called."""
    return f"gallery-checkpoint/{name}"


def _manifest(states: Sequence[tuple[State, int]]) -> bytes:
    shards = [
        {
            "sequence": sequence,
            "arrays": [
                {"name": name, "dtype": array.dtype.descr, "shape": array.shape}
                for name, array in state.items()
            ],
        }
        for state, sequence in states
    ]
    return json.dumps({"models": made_by(), "shards": shards}).encode()


def _dtype(descr: list[list[Any]]) -> Any:
    """A dtype from its description after JSON, which knows no tuples."""
    fields = [tuple(tuple(part) if isinstance(part, list) else part for part in each) for each in descr]
    return fields[0][1] if len(fields) == 1 and not fields[0][0] else fields


def _bytes_of(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8)


def _places(arrays: Sequence[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    for array in arrays:
        for begin in range(0, len(array), CHUNK):
            yield array[begin : begin + CHUNK]


def _chunks(states: Sequence[Mapping[str, NDArray[Any]]]) -> Iterator[bytes]:
    arrays = [_bytes_of(np.ascontiguousarray(array)) for state in states for array in state.values()]
    return (place.tobytes() for place in _places(arrays))


def _sync(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
