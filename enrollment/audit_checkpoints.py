"""Signed statements of what the audit log held: a root over every row, at a time, under a key of ours.

A checkpoint is a C2SP signed note (Ed25519): name, number of rows, root, and as an extension the sequence of
the last row. Whoever has kept one can prove later that a row was changed, removed or slipped in before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, insert, select

from enrollment.audit_log import leaf_of
from enrollment.audit_tree import Tree, leaf_hash
from enrollment.database import order_changes
from enrollment.durable import sync_folder
from enrollment.errors import DamagedRecord
from enrollment.tables import audit_checkpoints, audit_log

#: The log's name in its notes, and the algorithm byte of an Ed25519 signature there.
ORIGIN = "tenprint-audit"
_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement. root: 32 bytes over the first `size` rows, of which the last is `last_sequence`."""

    size: int
    root: bytes
    last_sequence: int
    note: str


class Signer:
    """Signs checkpoints. seed: 32 bytes of the keyring."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def verifier(self) -> str:
        """The public key as C2SP writes it, `NAME+HASH+KEY`: what an auditor keeps."""
        public = _ED25519 + self._key.public_key().public_bytes_raw()
        return f"{ORIGIN}+{_key_hash(public).hex()}+{base64.b64encode(public).decode()}"

    def sign(self, size: int, root: bytes, last_sequence: int) -> Checkpoint:
        """A note over these numbers."""
        text = f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\nsequence {last_sequence}\n"
        public = _ED25519 + self._key.public_key().public_bytes_raw()
        signature = base64.b64encode(_key_hash(public) + self._key.sign(text.encode())).decode()
        return Checkpoint(size, root, last_sequence, f"{text}\n\N{EM DASH} {ORIGIN} {signature}\n")


def read_note(note: str, verifier: str) -> Checkpoint:
    """The statement of a note, once its signature is checked; else `DamagedRecord`."""
    text, _, signatures = note.partition("\n\n")
    try:
        public = base64.b64decode(verifier.split("+", 2)[2], validate=True)
        mark, name, signature = signatures.split()
        signed = base64.b64decode(signature, validate=True)
        origin, size, root, extension = text.split("\n")
        if (mark, name, origin, signed[:4]) != ("\N{EM DASH}", ORIGIN, ORIGIN, _key_hash(public)):
            raise DamagedRecord("the checkpoint is of another log or signed by another key")
        Ed25519PublicKey.from_public_bytes(public[1:]).verify(signed[4:], f"{text}\n".encode())
        sequence = int(extension.removeprefix("sequence "))
        return Checkpoint(int(size), base64.b64decode(root, validate=True), sequence, note)
    except (ValueError, IndexError, binascii.Error, InvalidSignature):
        raise DamagedRecord("the checkpoint is damaged, or was not signed by this key") from None


def write_checkpoint(
    tx: Connection, signer: Signer, at: datetime, sink: Path | None = None
) -> Checkpoint | None:
    """State what the log holds now, in the store and in a second place; None where nothing is new.

    Costs as much as the rows since the last one. sink: a file that only grows, best on another machine.
    """
    order_changes(tx)
    newest = select(audit_checkpoints).order_by(audit_checkpoints.c.tree_size.desc()).limit(1)
    tree, reached = _resumed(tx.execute(newest).one_or_none(), signer)
    before = tree.size
    rows = select(audit_log).where(audit_log.c.sequence > reached).order_by(audit_log.c.sequence)
    for row in tx.execute(rows.execution_options(yield_per=1000)).mappings():
        tree.append(leaf_hash(leaf_of(row)))
        reached = row["sequence"]
    if tree.size == before:
        return None
    checkpoint = signer.sign(tree.size, tree.root(), reached)
    values = {"tree_size": tree.size, "last_sequence": reached, "at": at, "note": checkpoint.note}
    frontier = [each.hex() for each in tree.frontier]
    tx.execute(insert(audit_checkpoints).values(**values, frontier=frontier))
    if sink is not None:
        append_to_sink(sink, checkpoint.note)
    return checkpoint


def notes_by_size(tx: Connection) -> dict[int, str]:
    """Every checkpoint's note in the store, by the number of rows it covers."""
    query = select(audit_checkpoints.c.tree_size, audit_checkpoints.c.note)
    return {row.tree_size: row.note for row in tx.execute(query.order_by(audit_checkpoints.c.tree_size))}


def append_to_sink(sink: Path, note: str) -> None:
    """Add a note to the second place, durably. Notes there end in an empty line."""
    with sink.open("a", encoding="utf-8") as file:
        file.write(note + "\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(sink.parent)


def notes_of(sink: Path) -> list[str]:
    """Every note of the second place, oldest first."""
    parts = sink.read_text(encoding="utf-8").split("\n\n")
    return [f"{text}\n\n{signature}\n" for text, signature in zip(parts[::2], parts[1::2], strict=False)]


def _resumed(row: Row[Any] | None, signer: Signer) -> tuple[Tree, int]:
    """The tree as it was at the newest checkpoint, and the sequence it reached; checked by its signature."""
    if row is None:
        return Tree(), 0
    known = read_note(row.note, signer.verifier)
    tree = Tree(known.size, [bytes.fromhex(each) for each in row.frontier])
    if tree.root() != known.root:
        raise DamagedRecord("the newest audit checkpoint was changed: run `tenprint audit verify`")
    return tree, known.last_sequence


def _key_hash(public: bytes) -> bytes:
    return hashlib.sha256(ORIGIN.encode() + b"\n" + public).digest()[:4]
