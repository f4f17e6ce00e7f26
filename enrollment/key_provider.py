"""Seams of the keyring: who holds the key-encryption keys, and what seals the file they lie in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class KeyProvider(Protocol):
    """Who holds the key-encryption keys. `key_id` is `PERIOD/VERSION`, for instance `2026-11.1/2`."""

    def wrap(self, period: str, data_key: bytes, associated: bytes) -> tuple[str, bytes]:
        """Encrypt a data key under the newest key of the period, made where absent; gives its id as well."""

    def unwrap(self, key_id: str, wrapped: bytes, associated: bytes) -> bytes:
        """Decrypt a data key: `KeyUnavailable` if its key is destroyed, `DamagedRecord` if it changed."""

    @property
    def plaintext(self) -> bool:
        """Whether encounters without a data key are read: in stores older than sealing, until it is done."""

    def key_ids(self) -> Collection[str]:
        """Every key there is."""

    def superseded(self) -> Collection[str]:
        """The keys of which a newer version exists: a rotation that has not ended."""

    def renew(self) -> None:
        """Make a new version of every period's key; the earlier ones stay until they are destroyed."""

    def destroy(self, key_ids: Collection[str]) -> None:
        """Forget keys for good."""

    def secret(self, name: str) -> bytes:
        """A key of its own for another use, made where absent: 32 bytes."""

    def forget_secret(self, name: str) -> None:
        """Destroy such a key; `secret` makes a new one."""


class RootSealer(Protocol):
    """What seals the ring: a cipher with the root key, or a module that holds it."""

    def seal(self, data: bytes, associated: bytes) -> bytes:
        """Encrypt; only the same `associated` opens it again."""

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt, or `DamagedRecord`."""
