"""The hash tree is RFC 6962's: its vectors, its definition, and proofs that hold for nothing else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment.audit_tree import (
    EMPTY_ROOT,
    Tree,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_from_path,
    root_of,
)

#: The eight entries, and the roots over the first n of them, of the reference implementation's tests
#: (google/certificate-transparency, merkle_tree_test).
LAST = "606162636465666768696a6b6c6d6e6f"
ENTRIES = [
    bytes.fromhex(entry) for entry in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", LAST)
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    """The first n entries have the n-th published root."""
    assert root_of(map(leaf_hash, ENTRIES[:size])).hex() == ROOTS[size - 1]


def test_empty_tree_and_hashes_are_the_definition() -> None:
    """RFC 6962: MTH({}) is the hash of nothing; leaves and nodes begin differently."""
    assert Tree().root() == EMPTY_ROOT == hashlib.sha256().digest()
    assert leaf_hash(b"a" * 64) != node_hash(b"a" * 32, b"a" * 32)


def _defined(leaves: list[bytes]) -> bytes:
    """The definition, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = max(power for power in (1 << bit for bit in range(10)) if power < len(leaves))
    return node_hash(_defined(leaves[:split]), _defined(leaves[split:]))


@given(st.integers(1, 130))
def test_growing_tree_equals_the_definition(size: int) -> None:
    """However many leaves."""
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    assert tree.root() == _defined(leaves)
    assert tree.size == size


@given(st.integers(1, 70), st.data())
def test_path_leads_to_the_root_from_its_leaf_alone(size: int, draw: st.DataObject) -> None:
    """Another leaf, index, size or path leads elsewhere or nowhere."""
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    root, index = root_of(leaves), draw.draw(st.integers(0, size - 1))
    path = inclusion_path(leaves, index)
    assert root_from_path(leaves[index], index, size, path) == root
    assert root_from_path(leaf_hash(b"other"), index, size, path) != root
    assert root_from_path(leaves[index], index, size, [*path, root]) is None
    assert root_from_path(leaves[index], size, size, path) is None
    assert root_from_path(leaves[index], -1, size, path) is None
    if path:
        assert root_from_path(leaves[index], index, size, path[:-1]) is None
        assert root_from_path(leaves[index], index ^ 1, size, path) != root
