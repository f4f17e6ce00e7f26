"""The one secret outside the store: it opens the keyring. A file, or a credential handed over by systemd."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path

from enrollment.durable import make_folder, write_durably
from enrollment.errors import KeyUnavailable
from enrollment.sealing import KEY_BYTES, new_key

#: What the credential is called in a unit file: `LoadCredentialEncrypted=tenprint-root-key:…`.
CREDENTIAL = "tenprint-root-key"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_root_key(file: Path) -> bytes:
    """The key of a file that only its owner may read, else `KeyUnavailable`."""
    try:
        _refuse_wide(file)
        text = file.read_bytes()
    except FileNotFoundError:
        raise KeyUnavailable(
            f"the root key {file} is missing: put it back from where it is kept; nothing opens without it"
        ) from None
    return _decoded(text, str(file))


def credential() -> bytes | None:
    """The key systemd hands to this service; None where it hands none. systemd guards its mode itself."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder, CREDENTIAL) if folder else None
    return _decoded(file.read_bytes(), CREDENTIAL) if file is not None and file.exists() else None


def make_root_key(file: Path) -> bytes:
    """A new key in a file of mode 0600; an existing file is left alone and read."""
    if not file.exists():
        make_folder(file.parent)
        write_durably(file, base64.b64encode(new_key()) + b"\n")
    return read_root_key(file)


def _refuse_wide(file: Path) -> None:
    if file.stat().st_mode & _OTHERS:
        raise KeyUnavailable(
            f"others may read {file}: run `chmod 600 {file}`, and consider the key known to them"
        )


def _decoded(text: bytes, name: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"{name} holds no root key: {KEY_BYTES} bytes in base64 are expected")
    return key
