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
    """The key systemd hands to this service; None where it hands none."""
    file = _handed_over(CREDENTIAL)
    return None if file is None else _decoded(file.read_bytes(), CREDENTIAL)


def read_secret(name: str, file: Path | None) -> bytes:
    """A secret of systemd's credential of this name, else of a file only its owner may read."""
    handed_over = _handed_over(name)
    if handed_over is not None:
        return handed_over.read_bytes()
    if file is None or not file.exists():
        raise KeyUnavailable(f"there is neither the credential {name} nor a file that holds it: name one")
    _refuse_wide(file)
    return file.read_bytes()


def _handed_over(name: str) -> Path | None:
    """The file systemd made for this service alone, whose mode it guards itself."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(folder, name) if folder else None
    return file if file is not None and file.exists() else None


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
