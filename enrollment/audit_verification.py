"""Was the audit log tampered with? Every row, every link of the chain, every checkpoint; proofs of rows."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from enrollment.audit_checkpoints import Checkpoint, read_note
from enrollment.audit_log import leaf_of, stored_rows
from enrollment.audit_seal import AuditSeal
from enrollment.audit_tree import Tree, inclusion_path, leaf_hash, root_from_path
from enrollment.errors import DamagedRecord, UnknownRecord
from enrollment.tables import audit_checkpoints, audit_log

#: Receives how many rows were read.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Tampering:
    """Something that is not as it was written. where: a row's sequence, or a checkpoint's size."""

    where: str
    detail: str


def verify(
    tx: Connection,
    seal: AuditSeal,
    verifier: str,
    kept: Iterable[str] = (),
    progress: Progress = lambda _done: None,
) -> Iterator[Tampering]:
    """Everything that is wrong with the log. kept: notes of checkpoints from a second place.

    Rows after the newest checkpoint are guarded by the chain alone: that the last ones were cut off shows
    only when a checkpoint, here or kept elsewhere, states that they were there.
    """
    stated: dict[int, Checkpoint] = {}
    yield from _read_checkpoints(tx, verifier, kept, stated)
    tree, previous, chained, expected = Tree(), "", False, 1
    for row in stored_rows(tx):
        if chained and row.sequence != expected:
            yield Tampering(f"row {expected}", "is missing")
        chained = chained or row.mac is not None
        leaf = row.quick
        if not chained or row.mac != seal.chain(previous, leaf):
            leaf = row.leaf
            if chained and row.mac != seal.chain(previous, leaf):
                yield Tampering(f"row {row.sequence}", "was changed, or the row before it was")
        tree.append(leaf_hash(leaf))
        if tree.size in stated:
            yield from _compare(tree, row.sequence, stated.pop(tree.size))
        previous, expected = row.mac or "", row.sequence + 1
        progress(tree.size)
    for size in sorted(stated):
        yield Tampering(f"checkpoint {size}", f"states {size} rows, but there are {tree.size}")


def _read_checkpoints(
    tx: Connection, verifier: str, kept: Iterable[str], stated: dict[int, Checkpoint]
) -> Iterator[Tampering]:
    held = tx.execute(select(audit_checkpoints).order_by(audit_checkpoints.c.tree_size)).all()
    notes = [(f"checkpoint {row.tree_size}", row.note) for row in held]
    notes += [(f"kept checkpoint {number}", note) for number, note in enumerate(kept, start=1)]
    for where, note in notes:
        try:
            found = read_note(note, verifier)
        except DamagedRecord as damage:
            yield Tampering(where, str(damage))
            continue
        known = stated.setdefault(found.size, found)
        if known.root != found.root:
            yield Tampering(where, "two signed checkpoints of one size differ: the log was rewritten")
    for row in held:
        if row.tree_size not in stated or stated[row.tree_size].last_sequence != row.last_sequence:
            yield Tampering(f"checkpoint {row.tree_size}", "its row and its note disagree")


def _compare(tree: Tree, sequence: int, checkpoint: Checkpoint) -> Iterator[Tampering]:
    if checkpoint.root != tree.root() or checkpoint.last_sequence != sequence:
        yield Tampering(f"checkpoint {tree.size}", "a row up to here was changed since it was signed")


def prove(tx: Connection, sequence: int) -> dict[str, Any]:
    """A proof that a row is in the log, to be checked by `check_proof` with the public key alone."""
    query = select(audit_checkpoints).where(audit_checkpoints.c.last_sequence >= sequence)
    held = tx.execute(query.order_by(audit_checkpoints.c.tree_size).limit(1)).one_or_none()
    if held is None:
        raise UnknownRecord(f"no checkpoint covers row {sequence} yet: `tenprint audit checkpoint` makes one")
    covered = select(audit_log).where(audit_log.c.sequence <= held.last_sequence)
    rows = {
        row["sequence"]: leaf_of(row) for row in tx.execute(covered.order_by(audit_log.c.sequence)).mappings()
    }
    if sequence not in rows:
        raise UnknownRecord(f"there is no row {sequence} in the audit log")
    index = list(rows).index(sequence)
    path = inclusion_path([leaf_hash(each) for each in rows.values()], index)
    return {
        "entry": rows[sequence].decode(),
        "index": index,
        "path": [base64.b64encode(step).decode() for step in path],
        "checkpoint": held.note,
    }


def check_proof(proof: Mapping[str, Any], verifier: str) -> Checkpoint:
    """The checkpoint a proof leads to; `DamagedRecord` where it does not prove that its entry was there."""
    try:
        checkpoint = read_note(proof["checkpoint"], verifier)
        path = [base64.b64decode(step, validate=True) for step in proof["path"]]
        leaf, index = leaf_hash(proof["entry"].encode()), int(proof["index"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DamagedRecord("this is no proof of an audit entry") from None
    if root_from_path(leaf, index, checkpoint.size, path) != checkpoint.root:
        raise DamagedRecord("the entry is not the one the checkpoint was signed over")
    return checkpoint
