"""The hash tree of RFC 6962 (section 2.1): a root of 32 bytes that stands for every entry of a log."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry; another first byte than a node's, so that neither passes for the other."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Tree:
    """A growing tree: how many leaves it has, and the roots of its complete subtrees, largest first."""

    size: int = 0
    frontier: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash: two subtrees of one size become one, as often as that happens."""
        self.frontier.append(leaf)
        size = self.size
        while size & 1:
            right = self.frontier.pop()
            self.frontier.append(node_hash(self.frontier.pop(), right))
            size >>= 1
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        return _folded(self.frontier)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root over all leaves, lowest first."""
    if len(leaves) == 1:
        return []
    split = _largest_power_below(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), root_of(leaves[:split])]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root a path leads to (RFC 9162, 2.1.3.2); None where it has the wrong length."""
    if not 0 <= index < size:
        return None
    number, last, root = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if number & 1 or number == last:
            root = node_hash(step, root)
            while not number & 1:  # the last leaf skips the levels on which it stands alone
                number, last = number >> 1, last >> 1
        else:
            root = node_hash(root, step)
        number, last = number >> 1, last >> 1
    return root if last == 0 else None


def _folded(frontier: Sequence[bytes]) -> bytes:
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1
