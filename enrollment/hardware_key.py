"""The root key in a hardware module (PKCS#11): it opens the keyring there and never leaves.

A stolen machine, disk or backup without the module and its PIN opens nothing. Needs the extra `hsm`; tested
with SoftHSM 2.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enrollment.errors import DamagedRecord, KeyUnavailable
from enrollment.root_key import read_secret

if TYPE_CHECKING:
    import pkcs11

#: What systemd calls the credential with the PIN.
PIN_CREDENTIAL = "tenprint-pkcs11-pin"
#: First byte of what a module sealed; the keyring's own cipher begins otherwise.
_FORMAT = b"\x02"
_NONCE_BYTES, _TAG_BYTES, _KEY_BITS = 12, 16, 256


class HardwareKey:
    """Seals and opens with an AES-256-GCM key of a token. Safe to use from many threads.

    module: the vendor's library. token, label: of the token and of the key on it. pin: of its user.
    """

    def __init__(self, module: Path, token: str, label: str, pin: str) -> None:
        self._module, self._token, self._label, self._pin = module, token, label, pin
        self._lock = threading.Lock()

    @classmethod
    def of(cls, module: Path, token: str, label: str, pin_file: Path | None) -> HardwareKey:
        """With the PIN of a file (mode 0600) or of systemd's credential."""
        return cls(module, token, label, read_secret(PIN_CREDENTIAL, pin_file).decode().strip())

    def __repr__(self) -> str:
        return f"HardwareKey({self._label!r} on {self._token!r})"  # a PIN is never printed

    def make(self) -> bool:
        """Have the module make the key, never to be read from it; False where it has one of this name."""
        import pkcs11  # noqa: PLC0415 - an extra

        with self._session() as session:
            if next(self._keys(session), None) is not None:
                return False
            secret = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
            session.generate_key(
                pkcs11.KeyType.AES, _KEY_BITS, label=self._label, store=True, template=secret
            )
        return True

    def seal(self, data: bytes, associated: bytes) -> bytes:
        """Encrypt in the module; only the same `associated` opens it again."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._worked("encrypt", data, nonce, associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """Decrypt in the module, or `DamagedRecord` where a bit, the key or the place is another."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _FORMAT or len(ciphertext) < _TAG_BYTES:
            raise DamagedRecord("this was not sealed by a hardware module, or is cut")
        return self._worked("decrypt", ciphertext, nonce, associated)

    def _worked(self, work: str, data: bytes, nonce: bytes, associated: bytes) -> bytes:
        import pkcs11  # noqa: PLC0415 - an extra

        with self._session() as session:
            key = next(self._keys(session), None)
            if key is None:
                raise KeyUnavailable(
                    f"the token {self._token} has no key {self._label}: put the right one in"
                )
            parameters = pkcs11.GCMParams(nonce, associated, 8 * _TAG_BYTES)
            try:
                return bytes(
                    getattr(key, work)(data, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=parameters)
                )
            except (pkcs11.EncryptedDataInvalid, pkcs11.EncryptedDataLenRange, pkcs11.GeneralError):
                if work == "encrypt":
                    raise
                raise DamagedRecord("sealed bytes were changed, moved or belong to another key") from None

    @contextmanager
    def _session(self) -> Iterator[pkcs11.Session]:
        """A logged-in session; what the module refuses is `KeyUnavailable`."""
        try:
            import pkcs11  # noqa: PLC0415 - an extra
        except ImportError:
            raise KeyUnavailable("a hardware module needs the extra: pip install 'tenprint[hsm]'") from None
        with self._lock:
            try:
                library = pkcs11.lib(str(self._module))
                with library.get_token(token_label=self._token).open(rw=True, user_pin=self._pin) as session:
                    yield session
            except (pkcs11.PKCS11Error, RuntimeError) as fault:
                raise KeyUnavailable(
                    f"the hardware module {self._module} refuses: {type(fault).__name__}"
                ) from fault

    def _keys(self, session: Any) -> Iterator[Any]:
        import pkcs11  # noqa: PLC0415 - an extra

        wanted = {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
            pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.AES,
            pkcs11.Attribute.LABEL: self._label,
        }
        return iter(session.get_objects(wanted))
