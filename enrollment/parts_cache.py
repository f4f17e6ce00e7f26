"""The network's parts, kept between starts: may be deleted at any time, is rebuilt when in doubt."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np

from enrollment.network_parts import Parts
from enrollment.weights import SHA256, checked_bytes, read_weights

#: Bump when `network_graph`, `network_blocks` or `graph_nodes` change: parts of another version are rebuilt.
BUILDER_VERSION = 7
#: magic, SHA-256 of the rest, an archive of NumPy arrays
_MAGIC = b"TPPARTS1"
_HEADER = len(_MAGIC) + 32


def default_cache() -> Path:
    """The user's cache folder for tenprint, by the XDG rule."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tenprint"


def load_parts(cache: Path | None = None) -> Parts:
    """The network's parts, from the cache folder if they are there and whole, else built and kept there.

    The weight file's hash is checked either way. The hash inside the cached file finds damage, not malice:
    whoever can write a user's cache can run code as that user anyway.
    """
    content = checked_bytes()
    path = (cache or default_cache()) / f"leader-{SHA256[:16]}-{BUILDER_VERSION}.parts"
    parts = _read(path)
    if parts is None:
        # onnx costs a third of a second to import, and only building needs it.
        from enrollment.network_graph import build_parts  # noqa: PLC0415

        parts = build_parts(read_weights(content))
        _write(path, parts)
    return parts


def _read(path: Path) -> Parts | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    rest = content[_HEADER:]
    if content[:_HEADER] != _MAGIC + hashlib.sha256(rest).digest():
        return None
    with np.load(io.BytesIO(rest), allow_pickle=False) as archive:
        return dict(archive)


def _write(path: Path, parts: Parts) -> None:
    """Atomically, so that two processes starting at once both find a whole file; a full disk is no error."""
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **parts)
    rest = archive.getvalue()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(rest).digest() + rest)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
