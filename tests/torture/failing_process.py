"""Does the work of a store while its n-th write fails: `failing_process.py EMPTY WORK`, shim preloaded.

For each line `N ERRNO` it forks a child, which works on a copy of the store EMPTY and tells in one line: how
many calls it made, which acts were acknowledged, and what is wrong with the store afterwards.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from stored_people import random_encounter, with_picture

from enrollment.audit_checkpoints import Signer, write_checkpoint
from enrollment.audit_verification import verify
from enrollment.blobs import BlobStore
from enrollment.database import Database
from enrollment.doctor import Severity, examine
from enrollment.encounter import utc_now
from enrollment.keyring import Keyring
from enrollment.records import Records
from enrollment.resealing import rotate
from matcher.codes import FingerPosition
from matcher.errors import FingerprintError

INDEX = (FingerPosition.RIGHT_INDEX,)
#: What may be answered to a caller when a disk fails; anything else is a fault of ours.
_ANSWERED = (OSError, SQLAlchemyError, FingerprintError)


def work(folder: Path) -> tuple[list[str], list[str]]:
    """Enrol, erase, rotate, checkpoint; gives what was acknowledged, and what was no clean refusal."""
    acknowledged: list[str] = []
    faults: list[str] = []

    def attempt(name: str, act: Callable[[], object]) -> None:
        try:
            act()
            acknowledged.append(name)
        except _ANSWERED:
            pass
        except Exception as fault:  # noqa: BLE001 - it is the finding
            faults.append(f"{name}: {type(fault).__name__}: {fault}")

    def open_all() -> None:
        database = Database.open(folder)
        keyring = Keyring.open(folder / "keys")
        store.update(database=database, keyring=keyring)
        store.update(records=Records(database, BlobStore(folder / "blobs"), keyring))

    store: dict[str, Any] = {}
    attempt("open", open_all)
    if "records" not in store:
        return acknowledged, faults
    database, keyring, records = store["database"], store["keyring"], store["records"]
    attempt("enrol 1", lambda: enrol(database, records, 1))
    attempt("enrol 2", lambda: enrol(database, records, 2))
    attempt("erase 2", lambda: erase(database, records, "e-2"))
    attempt("rotate", lambda: rotate(database, records, keyring, lambda _done, _total: None))
    attempt("checkpoint", lambda: checkpoint(database, keyring))
    attempt("enrol 3", lambda: enrol(database, records, 3))
    attempt("close", database.close)
    return acknowledged, faults


def enrol(database: Database, records: Records, seed: int) -> None:
    """One encounter with a picture."""
    encounter, pictures = with_picture(random_encounter(seed, positions=INDEX), b"picture %d" % seed)
    sealed = records.seal(encounter, pictures)
    with database.transaction() as tx:
        records.add(tx, encounter, sealed)


def erase(database: Database, records: Records, encounter_id: str) -> None:
    """One encounter."""
    with database.transaction() as tx:
        records.erase(tx, encounter_id)


def checkpoint(database: Database, keyring: Keyring) -> None:
    """The audit log."""
    with database.transaction() as tx:
        write_checkpoint(tx, Signer(keyring.secret("audit-signing")), utc_now())


def check(folder: Path, acknowledged: list[str]) -> list[str]:
    """What is wrong with the store after its disk has recovered."""
    wrong: list[str] = []
    with Database.open(folder) as database:
        keyring = Keyring.open(folder / "keys")
        records = Records(database, BlobStore(folder / "blobs"), keyring)
        records.sweep_released()
        with database.reading() as tx:
            there = set(records.encounter_ids(tx))
            lost = [n for n in (1, 3) if f"enrol {n}" in acknowledged and f"e-{n}" not in there]
            wrong += [f"e-{number} was acknowledged and is lost" for number in lost]
            if "erase 2" in acknowledged and "e-2" in there:
                wrong.append("e-2 was erased and is there")
            if "enrol 2" in acknowledged and "erase 2" not in acknowledged and "e-2" not in there:
                wrong.append("e-2 was acknowledged, not erased, and is lost")
            for encounter_id in there:
                records.image(tx, encounter_id, INDEX[0])
        findings = [each for each in examine(database, records) if each.severity is Severity.FAULT]
        wrong += [f"{each.check} {each.subject}: {each.detail}" for each in findings]
        with database.reading() as tx:
            assert database.audit is not None
            verifier = Signer(keyring.secret("audit-signing")).verifier
            wrong += [f"audit {each.where}: {each.detail}" for each in verify(tx, database.audit, verifier)]
        enrol(database, records, 9)
        rotate(database, records, keyring, lambda _done, _total: None)
        with database.reading() as tx:
            records.get(tx, "e-9")
    return wrong


def one(empty: Path, folder: Path, number: int, error: int) -> dict[str, Any]:
    """Work on a copy of the empty store while the disk fails once."""
    shutil.copytree(empty, folder)
    shim = ctypes.CDLL(None)
    shim.fail_io_at(number, error)
    acknowledged, faults = work(folder)
    calls = shim.fail_io_at(0, 0)
    try:
        wrong = check(folder, acknowledged)
    except Exception as fault:  # noqa: BLE001 - it is the finding
        wrong = [f"{type(fault).__name__}: {fault}"]
    return {"calls": calls, "acknowledged": acknowledged, "wrong": faults + wrong}


def main(empty: Path, work_folder: Path) -> None:
    """Answer each line with a child's findings."""
    for line in sys.stdin:
        number, error = map(int, line.split())
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            folder = work_folder / f"{number}-{error}"
            answer = json.dumps(one(empty, folder, number, error))
            shutil.rmtree(folder, ignore_errors=True)
            with os.fdopen(writing, "w") as pipe:
                pipe.write(answer)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answer = pipe.read()
        status = os.waitpid(child, 0)[1]
        died = json.dumps({"calls": 0, "acknowledged": [], "wrong": [f"died: {status}"]})
        sys.stdout.write(f"{answer or died}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
