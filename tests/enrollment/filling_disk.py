"""Fills the small disk it is given with encounters: `python filling_disk.py FOLDER`.

Prints how many were acknowledged, how many more attempts a full disk refused, and how many the store holds
after room was made and one more was enrolled.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy.exc import OperationalError
from stored_people import random_encounter, with_picture

from enrollment.blobs import BlobStore
from enrollment.database import Database, is_disk_full
from enrollment.keyring import Keyring
from enrollment.records import Records

BALLAST = 500_000


def records_in(database: Database, folder: Path) -> Records:
    """The records of a data folder."""
    return Records(database, BlobStore(folder / "blobs"), Keyring.open(folder / "keys"))


def enrol(records: Records, database: Database, seed: int) -> bool:
    """Enrol one encounter with a picture of 20 kB; False when the disk is full."""
    encounter, pictures = with_picture(random_encounter(seed), seed.to_bytes(4, "big") * 5000)
    try:
        sealed = records.seal(encounter, pictures)
        with database.transaction() as tx:
            records.add(tx, encounter, sealed)
    except (OSError, OperationalError) as fault:
        if not is_disk_full(fault):
            raise
        return False
    return True


def main(folder: Path) -> None:
    """Fill, be refused three times, make room, go on."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(BALLAST))
    with Database.open(folder) as database:
        records = records_in(database, folder)
        acknowledged = 0
        while enrol(records, database, acknowledged):
            acknowledged += 1
        refusals = 1 + sum(not enrol(records, database, acknowledged) for _ in range(2))
        ballast.unlink()
        records.sweep_orphans(older_than=float("inf"))
        enrol(records, database, acknowledged)
        with database.reading() as tx:
            for seed in range(acknowledged + 1):
                encounter = records.get(tx, f"e-{seed}")
                for position in encounter.images:
                    records.image(tx, f"e-{seed}", position)
            sys.stdout.write(f"{acknowledged} {refusals} {records.count(tx)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
