"""Whatever is done to the audit log behind the service's back is found, and one row can be proved alone."""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from stored_people import CAPTURED_AT

from enrollment import audit_log
from enrollment.audit_checkpoints import ORIGIN, Signer, notes_of, read_note, write_checkpoint
from enrollment.audit_log import AuditEntry
from enrollment.audit_seal import AuditSeal, canonical
from enrollment.audit_verification import Tampering, check_proof, prove, verify
from enrollment.database import Database
from enrollment.errors import AuditUnavailable, DamagedRecord, UnknownRecord
from enrollment.sealing import new_key
from enrollment.tables import audit_checkpoints
from enrollment.tables import audit_log as table

SIGNER = Signer(new_key())
ROWS = 23
#: Random acts of tampering; `make torture` asks for 10,000.
TAMPERS = int(os.environ.get("TENPRINT_TORTURE_TAMPERS", "200"))
SEED = int(os.environ.get("TENPRINT_TORTURE_SEED", "7"))
#: Checkpoints after this many rows.
SIZES = (8, 20)
TRIGGERS = [f"{name}_no_{act}" for name in ("audit_log", "audit_checkpoints") for act in ("update", "delete")]


def _entry(number: int) -> AuditEntry:
    person = f"p-{number}"
    asked = {"person_id": person, "threshold": 40.0 + number / 7, "fingers": (2, 7), "failures": {3: "dry"}}
    facts: dict[str, Any] = {"file_number": f"F{number}", "asked": asked, "returned": (person,)}
    return AuditEntry("key-1", "police", "verify", "match", at=CAPTURED_AT, **facts)


def _fill(database: Database, sink: Path | None = None) -> None:
    for number in range(1, ROWS + 1):
        with database.transaction() as tx:
            audit_log.append(tx, _entry(number))
            if number in SIZES:
                write_checkpoint(tx, SIGNER, CAPTURED_AT, sink)


def _seal(database: Database) -> AuditSeal:
    assert database.audit is not None
    return database.audit


def _found(database: Database, *kept: str) -> list[Tampering]:
    with database.reading() as tx:
        return list(verify(tx, _seal(database), SIGNER.verifier, kept))


def test_whole_log_is_verified(database: Database, tmp_path: Path) -> None:
    """Nothing is found in a log nobody touched; the kept notes are those of the store."""
    sink = tmp_path / "notes"
    _fill(database, sink)
    seen: list[int] = []
    with database.reading() as tx:
        assert list(verify(tx, _seal(database), SIGNER.verifier, notes_of(sink), seen.append)) == []
        notes = (
            tx.execute(select(audit_checkpoints.c.note).order_by(audit_checkpoints.c.tree_size))
            .scalars()
            .all()
        )
    assert seen == list(range(1, ROWS + 1))
    assert notes_of(sink) == notes
    assert [read_note(note, SIGNER.verifier).size for note in notes] == list(SIZES)


def test_nothing_new_makes_no_checkpoint(database: Database) -> None:
    """Neither in an empty log nor twice over the same rows."""
    with database.transaction() as tx:
        assert write_checkpoint(tx, SIGNER, CAPTURED_AT) is None
    _fill(database)
    with database.transaction() as tx:
        assert write_checkpoint(tx, SIGNER, CAPTURED_AT) is not None
        assert write_checkpoint(tx, SIGNER, CAPTURED_AT) is None


def _tampering(chance: random.Random) -> Callable[[Connection], str]:
    """A random act of somebody who can write to the database and has switched the triggers off."""
    row = chance.randint(1, ROWS)
    other = chance.choice([each for each in range(1, ROWS + 1) if each != row])
    changes: list[dict[str, Any]] = [
        {"actor": "key-2"},
        {"outcome": "no match"},
        {"at": CAPTURED_AT.replace(microsecond=chance.randint(0, 99_999))},
        {"returned": []},
        {"asked": {"person_id": "somebody else"}},
        {"file_number": None},
        {"legal_basis": "Art. 1"},
        {"software": "tenprint/9"},
        {"mac": None},
        {"mac": "0" * 64},
    ]

    def change(tx: Connection) -> str:
        values = chance.choice(changes)
        tx.execute(update(table).where(table.c.sequence == row).values(**values))
        return f"{values} in {row}"

    def remove(tx: Connection) -> str:
        # Rows after the last checkpoint can be cut off at the end unseen: `verify` says so.
        last = min(row, SIZES[-1])
        tx.execute(delete(table).where(table.c.sequence == last))
        return f"no {last}"

    def cut(tx: Connection) -> str:
        first = min(row, SIZES[-1])
        tx.execute(delete(table).where(table.c.sequence >= first))
        return f"nothing from {first}"

    def swap(tx: Connection) -> str:
        for old, new in ((row, 1000), (other, row), (1000, other)):
            tx.execute(update(table).where(table.c.sequence == old).values(sequence=new))
        return f"{row} and {other} swapped"

    def slip_in(tx: Connection) -> str:
        copied = dict(tx.execute(select(table).where(table.c.sequence == row)).mappings().one())
        tx.execute(insert(table).values(**{**copied, "sequence": ROWS + 1}))
        return f"{row} again at the end"

    def move_checkpoint(tx: Connection) -> str:
        size = chance.choice(SIZES)
        values = chance.choice([{"tree_size": size + 1}, {"last_sequence": size + 1}, {"note": "no note"}])
        tx.execute(update(audit_checkpoints).where(audit_checkpoints.c.tree_size == size).values(**values))
        return f"checkpoint {size}: {values}"

    def forge_checkpoint(tx: Connection) -> str:
        size = chance.choice(SIZES)
        note = Signer(new_key()).sign(size, bytes(32), size).note
        tx.execute(update(audit_checkpoints).where(audit_checkpoints.c.tree_size == size).values(note=note))
        return f"checkpoint {size} signed by another"

    removals = [remove, cut, swap, slip_in]
    return chance.choice([change, change, change, *removals, move_checkpoint, forge_checkpoint])


@pytest.fixture
def unguarded(tmp_path: Path, migrated_folder: Path) -> Database:
    """A filled log whose triggers somebody dropped."""
    database = Database.open(tmp_path / "tampered")
    database.audit = AuditSeal(new_key())
    _fill(database)
    with database.transaction() as tx:
        for trigger in TRIGGERS:
            tx.execute(text(f"DROP TRIGGER {trigger}"))
    return database


class _Undone(Exception):  # noqa: N818 - no error: it rolls the tampering back
    pass


def test_random_tampering_is_always_found(unguarded: Database) -> None:
    """Hundreds of acts, each undone again; a changed row is found wherever it is."""
    chance = random.Random(SEED)
    for _ in range(TAMPERS):
        act = _tampering(chance)
        with pytest.raises(_Undone), unguarded.transaction() as tx:  # noqa: PT012 - the act, seen, then undone
            told = act(tx)
            assert list(verify(tx, _seal(unguarded), SIGNER.verifier)), told
            raise _Undone
    assert _found(unguarded) == []
    unguarded.close()


def test_log_rewritten_with_its_key_is_found_by_a_kept_checkpoint(unguarded: Database) -> None:
    """Even who has every key of ours cannot take back what was signed and is kept elsewhere."""
    with unguarded.transaction() as tx:
        kept = tx.execute(select(audit_checkpoints.c.note)).scalars().all()
        tx.execute(delete(audit_checkpoints))
        tx.execute(delete(table).where(table.c.sequence > 5))
        for number in range(6, ROWS + 1):
            audit_log.append(tx, replace(_entry(number), outcome="rewritten"))
            if number in SIZES:
                write_checkpoint(tx, SIGNER, CAPTURED_AT)
    assert _found(unguarded) == []
    found = _found(unguarded, *kept)
    assert [each.where for each in found] == ["kept checkpoint 1", "kept checkpoint 2"]
    unguarded.close()


def test_changed_frontier_stops_the_next_checkpoint(unguarded: Database) -> None:
    """A new checkpoint never continues from something nobody signed."""
    with unguarded.transaction() as tx:
        tx.execute(update(audit_checkpoints).values(frontier=["00" * 32]))
    with pytest.raises(DamagedRecord, match="audit verify"), unguarded.transaction() as tx:
        write_checkpoint(tx, SIGNER, CAPTURED_AT)
    unguarded.close()


def test_rows_from_before_the_chain_are_covered_by_checkpoints(unguarded: Database) -> None:
    """A log begun by an earlier version: old rows have gaps, no MAC; the first checkpoint signs them all."""
    with unguarded.transaction() as tx:
        tx.execute(delete(audit_checkpoints))
        tx.execute(delete(table).where(table.c.sequence.in_([3, 4])))
        tx.execute(delete(table).where(table.c.sequence > 9))
        tx.execute(update(table).values(mac=None, software=None))
        audit_log.append(tx, _entry(10))
    assert _found(unguarded) == []
    with unguarded.transaction() as tx:
        write_checkpoint(tx, SIGNER, CAPTURED_AT)
        tx.execute(update(table).where(table.c.sequence == 2).values(actor="key-2"))
    assert [each.where for each in _found(unguarded)] == ["checkpoint 8"]
    unguarded.close()


def test_one_row_is_proved_with_the_public_key_alone(database: Database) -> None:
    """The proof holds for every covered row, as JSON too, and for no other words."""
    _fill(database)
    with database.reading() as tx:
        proofs = {sequence: prove(tx, sequence) for sequence in range(1, SIZES[-1] + 1)}
        with pytest.raises(UnknownRecord, match="no checkpoint covers"):
            prove(tx, ROWS)
        with pytest.raises(UnknownRecord, match="no row 0"):
            prove(tx, 0)
    for sequence, proof in proofs.items():
        again = json.loads(json.dumps(proof))
        assert check_proof(again, SIGNER.verifier).size == (8 if sequence <= 8 else 20)
        assert json.loads(proof["entry"])["sequence"] == sequence
    proof = proofs[5]
    wrong: list[dict[str, Any]] = [
        {"entry": proof["entry"].replace("match", "no match")},
        {"index": 5},
        {"path": proof["path"][:-1]},
        {"path": ["no base64"]},
        {"checkpoint": proofs[20]["checkpoint"]},
        {"checkpoint": "no note"},
        {"entry": None},
    ]
    for change in wrong:
        with pytest.raises(DamagedRecord):
            check_proof(proof | change, SIGNER.verifier)
    with pytest.raises(DamagedRecord, match="no proof"):
        check_proof({}, SIGNER.verifier)


def test_notes_are_signed_for_one_log_and_key() -> None:
    """A note of another key, another name or other numbers is refused; so is a verifier that is none."""
    note = SIGNER.sign(7, bytes(32), 9).note
    read = read_note(note, SIGNER.verifier)
    assert (read.size, read.root, read.last_sequence) == (7, bytes(32), 9)
    assert SIGNER.verifier.startswith(f"{ORIGIN}+")
    forged = (
        note.replace("\n7\n", "\n8\n"),
        note.replace("sequence 9", "sequence 8"),
        note.replace(ORIGIN, "another-log"),
        note.replace(base64.b64encode(bytes(32)).decode(), "AAAA"),
        "",
        note + "more of it",
    )
    for each in forged:
        with pytest.raises(DamagedRecord):
            read_note(each, SIGNER.verifier)
    for verifier in (Signer(new_key()).verifier, "", f"{ORIGIN}+0+?", f"{ORIGIN}+0+AAAA"):
        with pytest.raises(DamagedRecord):
            read_note(note, verifier)


def test_ids_in_the_log_are_keyed_hashes(database: Database) -> None:
    """No id of a person is readable in it; who knows the id and has the key finds the rows."""
    _fill(database)
    with database.reading() as tx:
        rows = " ".join(str(row) for row in tx.execute(select(table)))
        found = audit_log.entries(tx, about="p-3")
        assert audit_log.entries(tx, about="p-999") == []
    assert "'p-3'" not in rows
    assert [entry.sequence for entry in found] == [3]
    seal = _seal(database)
    assert found[0].returned == (seal.pseudonym("p-3"),)
    assert found[0].asked["person_id"] == seal.pseudonym(seal.pseudonym("p-3"))
    assert AuditSeal(new_key()).pseudonym("p-3") != seal.pseudonym("p-3")
    nested = seal.hidden({"erased": {"encounter_id": "e-1", "images": 2}, "failed": ("BE1", 3)})
    erased = {"encounter_id": seal.pseudonym("e-1"), "images": 2}
    assert nested == {"erased": erased, "failed": [seal.pseudonym("BE1"), 3]}
    assert "AuditSeal" in repr(seal)
    assert repr(seal.key) not in repr(seal)


def test_only_plain_facts_are_logged() -> None:
    """Bytes have no place in the log: they might be a print."""
    with pytest.raises(TypeError, match="no place"):
        canonical({"asked": b"a print"})


def test_log_that_cannot_be_written_refuses_the_act(tmp_path: Path) -> None:
    """No audit row, no answer: whatever stands in the way, the caller gets one named refusal."""
    with Database.open(tmp_path) as database:
        with pytest.raises(RuntimeError, match="open it with its keyring"), database.transaction() as tx:
            audit_log.append(tx, _entry(1))
        database.audit = AuditSeal(new_key())
        with database.transaction() as tx:
            refusing = "BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'no'); END"
            tx.execute(text(f"CREATE TRIGGER full {refusing}"))
        with pytest.raises(AuditUnavailable, match="nothing was done"), database.transaction() as tx:
            audit_log.append(tx, _entry(1))


def test_checkpoints_only_grow_too(database: Database) -> None:
    """The database itself refuses to change or remove one."""
    _fill(database)
    for act in (update(audit_checkpoints).values(note=""), delete(audit_checkpoints)):
        with pytest.raises(DBAPIError, match="append-only"), database.transaction() as tx:
            tx.execute(act)


def test_many_writers_make_one_chain(database: Database) -> None:
    """Rows of threads that write at once are numbered without a gap, in the order they are committed."""

    def write(number: int) -> int:
        with database.transaction() as tx:
            return audit_log.append(tx, _entry(number))

    with ThreadPoolExecutor(8) as pool:
        sequences = sorted(pool.map(write, range(40)))
    assert sequences == list(range(1, 41))
    assert _found(database) == []
