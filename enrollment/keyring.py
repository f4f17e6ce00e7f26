"""The key-encryption keys: one for each month and category, in versions, in one sealed file.

A key of the ring wraps the data keys of encounters (`enrollment.envelope`) and never touches a print. The
file lies outside the database and outside backups: destroying a key here makes every copy of what it
wrapped unreadable, wherever the copy is. `KeyProvider` is the seam for a key service.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from filelock import FileLock

from enrollment.durable import make_folder, write_durably
from enrollment.errors import DamagedRecord, KeyUnavailable
from enrollment.key_provider import RootSealer
from enrollment.root_key import credential, make_root_key, read_root_key
from enrollment.sealing import Sealer, associated_data, new_key

ROOT_FILE, RING_FILE = "root.key", "keyring.sealed"
_LOCK_FILE = ".keyring.lock"
_LOCK_PATIENCE_S = 60
#: How long a destroyed key still opens what was read before, in a process that had it, seconds.
GRACE_S = 30.0
_RING = associated_data("keyring", 1)


@dataclass(slots=True)
class _Ring:
    """What the file holds. keys: id → key. secrets: name → key. plaintext: see `KeyProvider`."""

    keys: dict[str, bytes] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)
    plaintext: bool = False

    def encode(self) -> bytes:
        return json.dumps(
            {
                "keys": {name: base64.b64encode(key).decode() for name, key in self.keys.items()},
                "secrets": {name: base64.b64encode(key).decode() for name, key in self.secrets.items()},
                "plaintext": self.plaintext,
            }
        ).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        held = json.loads(data)
        keys, secrets = (
            {name: base64.b64decode(key) for name, key in held[part].items()} for part in ("keys", "secrets")
        )
        return cls(keys, secrets, held["plaintext"])

    def newest(self) -> dict[str, int]:
        """Period → its newest version."""
        found: dict[str, int] = {}
        for key_id in self.keys:
            period, version = _split(key_id)
            found[period] = max(version, found.get(period, 0))
        return found


class Keyring:
    """The default `KeyProvider`: a file sealed under the root key. Threads and processes may share it.

    root: the root key, or the module that holds it.
    """

    def __init__(self, folder: Path, root: bytes | RootSealer) -> None:
        self._file = folder / RING_FILE
        self._sealer: RootSealer = Sealer(root) if isinstance(root, bytes) else root
        self._between_processes = _between_processes(folder)
        self._lock = threading.RLock()
        self._seen: tuple[int, int, int] | None = None
        self._ring = _Ring()
        self._newest: dict[str, int] = {}
        self._sealers: dict[str, Sealer] = {}
        self._fading: dict[str, tuple[Sealer, float]] = {}
        self._read()

    @classmethod
    def open(cls, folder: Path, key_file: Path | None = None, hardware: RootSealer | None = None) -> Keyring:
        """Open the ring of a folder; the first time, make it, and a root key where none is named.

        The root key is that of `hardware`, else systemd's credential, else `key_file`, else `root.key` in the
        folder (mode 0600).
        """
        make_folder(folder)
        if hardware is not None:
            return cls(folder, hardware)
        with _between_processes(folder):
            root = credential()
            if root is None and key_file is not None:
                root = read_root_key(key_file)
            elif root is None:
                known = (folder / RING_FILE).exists()  # then a missing key is lost, not to be made anew
                root = (read_root_key if known else make_root_key)(folder / ROOT_FILE)
        return cls(folder, root)

    def move_to(self, root: RootSealer) -> None:
        """Seal the ring under another root key from now on. The old one opens nothing of it any more."""
        before = self._sealer
        with self._lock, self._between_processes:
            self._read()
            self._sealer = root
            try:
                write_durably(self._file, root.seal(self._ring.encode(), _RING))
            except BaseException:
                self._sealer = before
                raise
            self._read()

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever kept in this ring."""
        self._read()
        return self._seen is None

    @property
    def plaintext(self) -> bool:
        """Whether encounters without a data key are read: only in stores older than sealing, until all is."""
        self._read()
        return self._ring.plaintext

    def allow_plaintext(self, allowed: bool) -> None:  # noqa: FBT001 - set once, by name of the method
        """Read encounters without a data key, or refuse them as damaged."""

        def change(ring: _Ring) -> None:
            ring.plaintext = allowed

        self._change(change)

    def wrap(self, period: str, data_key: bytes, associated: bytes) -> tuple[str, bytes]:
        """See `KeyProvider`."""
        self._read()
        if period not in self._newest:
            self._change(lambda ring: ring.keys.setdefault(f"{period}/1", new_key()))
        key_id = f"{period}/{self._newest[period]}"
        return key_id, self._of(key_id).seal(data_key, associated)

    def unwrap(self, key_id: str, wrapped: bytes, associated: bytes) -> bytes:
        """See `KeyProvider`."""
        if key_id not in self._sealers:
            self._read()
        fading, until = self._fading.get(key_id, (None, 0.0))
        if fading is not None and time.monotonic() < until:
            return fading.open(wrapped, associated)
        return self._of(key_id).open(wrapped, associated)

    def key_ids(self) -> Collection[str]:
        """See `KeyProvider`."""
        self._read()
        return tuple(self._ring.keys)

    def superseded(self) -> Collection[str]:
        """See `KeyProvider`."""
        self._read()
        split = ((key_id, *_split(key_id)) for key_id in self._ring.keys)
        return tuple(key_id for key_id, period, version in split if version < self._newest[period])

    def renew(self) -> None:
        """See `KeyProvider`."""

        def change(ring: _Ring) -> None:
            for period, version in ring.newest().items():
                ring.keys[f"{period}/{version + 1}"] = new_key()

        self._change(change)

    def destroy(self, key_ids: Collection[str]) -> None:
        """See `KeyProvider`."""

        def change(ring: _Ring) -> None:
            for key_id in key_ids:
                ring.keys.pop(key_id, None)

        self._change(change)

    def secret(self, name: str) -> bytes:
        """See `KeyProvider`."""
        self._read()
        if name not in self._ring.secrets:
            self._change(lambda ring: ring.secrets.setdefault(name, new_key()))
        return self._ring.secrets[name]

    def forget_secret(self, name: str) -> None:
        """See `KeyProvider`."""
        self._change(lambda ring: ring.secrets.pop(name, None))

    def sealer(self, name: str) -> Sealer:
        """A sealer with the key of `secret`: for checkpoints and other files beside the database."""
        return Sealer(self.secret(name))

    def _of(self, key_id: str) -> Sealer:
        with self._lock:
            if key_id not in self._sealers:
                if key_id not in self._ring.keys:
                    raise KeyUnavailable(f"the key {key_id} was destroyed or is not in this keyring")
                self._sealers[key_id] = Sealer(self._ring.keys[key_id])
            return self._sealers[key_id]

    def _read(self) -> None:
        """Take over what another process wrote; one `stat` where there is nothing new."""
        with self._lock:
            try:
                state = self._file.stat()
            except FileNotFoundError:
                return
            seen = (state.st_ino, state.st_mtime_ns, state.st_size)
            if seen == self._seen:
                return
            old = self._ring.keys
            try:
                self._ring = _Ring.decode(self._sealer.open(self._file.read_bytes(), _RING))
            except DamagedRecord:
                raise KeyUnavailable(
                    f"{self._file} does not open with this root key: put the right key or keyring back"
                ) from None
            until = time.monotonic() + GRACE_S
            gone = {key: old[key] for key in old.keys() - self._ring.keys.keys()}
            self._fading |= {key_id: (Sealer(key), until) for key_id, key in gone.items()}
            self._seen, self._newest, self._sealers = seen, self._ring.newest(), {}

    def _change(self, change: Callable[[_Ring], object]) -> None:
        """Apply a change to the newest state and have it on disk before anybody relies on it."""
        with self._lock, self._between_processes:
            self._read()
            ring = _Ring(dict(self._ring.keys), dict(self._ring.secrets), self._ring.plaintext)
            change(ring)
            write_durably(self._file, self._sealer.seal(ring.encode(), _RING))
            self._read()


def _between_processes(folder: Path) -> FileLock:
    return FileLock(folder / _LOCK_FILE, timeout=_LOCK_PATIENCE_S, mode=0o600)


def _split(key_id: str) -> tuple[str, int]:
    """Period and version."""
    period, _, version = key_id.rpartition("/")
    return period, int(version)
