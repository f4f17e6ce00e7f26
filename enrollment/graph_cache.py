"""The built graphs, kept between starts: may be deleted at any time, is rebuilt when in doubt."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from enrollment.weights import SHA256, checked_bytes, read_weights

#: Bump when `network_graph` or `graph_nodes` change: graphs of another version are rebuilt.
BUILDER_VERSION = 1
#: magic, SHA-256 of the rest, length of the trunk (8 bytes, big-endian), trunk, heads
_MAGIC = b"TPGRAPH1"
_HASH_END = len(_MAGIC) + 32
_HEADER = _HASH_END + 8


@dataclass(frozen=True, slots=True)
class Graphs:
    """Two serialised ONNX models: see `network_graph`."""

    trunk: bytes
    heads: bytes


def default_cache() -> Path:
    """The user's cache folder for tenprint, by the XDG rule."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tenprint"


def load_graphs(cache: Path | None = None) -> Graphs:
    """The network's graphs, from the cache folder if they are there and whole, else built and kept there.

    The weight file's hash is checked either way. The hash inside the cached file finds damage, not malice:
    whoever can write a user's cache can run code as that user anyway.
    """
    content = checked_bytes()
    path = (cache or default_cache()) / f"leader-{SHA256[:16]}-{BUILDER_VERSION}.graphs"
    graphs = _read(path)
    if graphs is None:
        graphs = build_graphs(content)
        _write(path, graphs)
    return graphs


def build_graphs(content: bytes) -> Graphs:
    """The graphs made of the weight file's content."""
    # onnx costs a third of a second to import, and only building needs it.
    from enrollment.network_graph import heads_graph, trunk_graph  # noqa: PLC0415

    weights = read_weights(content)
    return Graphs(trunk_graph(weights).SerializeToString(), heads_graph(weights).SerializeToString())


def _read(path: Path) -> Graphs | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    rest = content[_HASH_END:]
    if content[: len(_MAGIC)] != _MAGIC or hashlib.sha256(rest).digest() != content[len(_MAGIC) : _HASH_END]:
        return None
    length = int.from_bytes(content[_HASH_END:_HEADER], "big")
    return Graphs(content[_HEADER : _HEADER + length], content[_HEADER + length :])


def _write(path: Path, graphs: Graphs) -> None:
    """Atomically, so that two processes starting at once both find a whole file; a full disk is no error."""
    rest = len(graphs.trunk).to_bytes(8, "big") + graphs.trunk + graphs.heads
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(rest).digest() + rest)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
