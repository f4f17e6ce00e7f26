"""Authenticated encryption of bytes, bound to where they belong: AES-256-GCM by `cryptography`."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enrollment.errors import DamagedRecord

#: Bytes of a key, of a nonce (NIST SP 800-38D), and what sealing adds: format, nonce, tag.
KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"
OVERHEAD_BYTES = len(_FORMAT) + _NONCE_BYTES + 16


class Sealer:
    """Seals and opens under one key of 32 bytes. Safe to use from many threads.

    Nonces are random: a key may seal 2^32 times before they could meet; ours seal a few dozen times each,
    those of the keyring file and of checkpoints some thousands.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    def seal(self, data: bytes, associated: bytes) -> bytes:
        """Encrypt; only the same `associated` opens it again, so a sealed value cannot change places."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, data, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt, or `DamagedRecord` where a bit, the key or the place is not the one of `seal`."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if len(sealed) < OVERHEAD_BYTES or sealed[:1] != _FORMAT:
            raise DamagedRecord("sealed bytes are cut or of another format: restore them from a backup")
        try:
            return self._cipher.decrypt(nonce, ciphertext, associated)
        except InvalidTag:
            raise DamagedRecord(
                "sealed bytes were changed, moved or belong to another key: restore them from a backup"
            ) from None

    def open_into(self, sealed: memoryview, associated: bytes, place: memoryview) -> None:
        """`open` for much: what was sealed lands in `place`, of its length, and nowhere else in memory."""
        if len(sealed) != OVERHEAD_BYTES + len(place) or sealed[:1] != _FORMAT:
            raise DamagedRecord("sealed bytes are cut or of another format: restore them from a backup")
        nonce, ciphertext = bytes(sealed[1 : 1 + _NONCE_BYTES]), sealed[1 + _NONCE_BYTES :]
        try:
            self._cipher.decrypt_into(nonce, ciphertext, associated, place)
        except InvalidTag:
            raise DamagedRecord(
                "sealed bytes were changed, moved or belong to another key: restore them from a backup"
            ) from None


def new_key() -> bytes:
    """A fresh key from the system's random source."""
    return os.urandom(KEY_BYTES)


def associated_data(*parts: str | int) -> bytes:
    """Where sealed bytes belong, unambiguously: each part with its length, so that none can flow over."""
    encoded = (str(part).encode() for part in parts)
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
