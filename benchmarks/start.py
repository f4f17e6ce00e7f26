"""`python -m benchmarks.start DIR`: how long a gallery takes to start, from the store and from a file.

Synthetic people are enrolled in a store in the folder, ten fingers each, as a desk enrols them but without
pictures. Then a gallery is filled from the store alone, written down, and started from what was written.
Enrolling a hundred thousand people takes some 20 minutes on two cores; interrupted, the command carries on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.progress import track

from api.demo_register import fingers_of
from enrollment.blobs import BlobStore
from enrollment.database import SQLITE_FILE, Database
from enrollment.encounter import Encounter
from enrollment.follower import GalleryFollower
from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.record_rows import prepared_as_stored
from enrollment.records import Records
from fixtures.templates import person
from matcher.candidates import CandidateList
from matcher.codes import FINGERS
from matcher.gallery import Gallery
from matcher.references import PreparedTenprint
from matcher.scoring import Score
from matcher.template import Tenprint

#: The population; no other part of the project uses this seed.
SEED: Final = 20_261_123
#: People of one order of work, and of one transaction.
BATCH: Final = 50
#: Orders of work made ahead of the store.
_AHEAD: Final = 6
#: Searches whose answers are compared after each start.
_PROBES: Final = 50
_AT: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def made(first: int, count: int) -> list[tuple[Tenprint, PreparedTenprint]]:
    """The prints of so many people, and the same prepared."""
    tenprints = [person(SEED, number).tenprint() for number in range(first, first + count)]
    return [(tenprint, prepared_as_stored(tenprint)) for tenprint in tenprints]


def enrol(database: Database, records: Records, people: int, processes: int) -> None:
    """Store the people that are missing, several in a transaction."""
    with database.reading() as tx:
        begins = range(records.count(tx), people, BATCH)
    batches = track(_made_ahead(begins, people, processes), "enrolling", len(begins))
    for first, batch in zip(begins, batches, strict=True):
        sealed = [
            (encounter, records.seal(encounter, prepared=prepared))
            for number, (tenprint, prepared) in enumerate(batch, start=first)
            for encounter in (_encounter(number, tenprint),)
        ]
        with database.transaction() as tx:
            for encounter, parts in sealed:
                records.add(tx, encounter, parts)


def _made_ahead(
    begins: Sequence[int], people: int, processes: int
) -> Iterator[list[tuple[Tenprint, PreparedTenprint]]]:
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        orders = (pool.submit(made, first, min(BATCH, people - first)) for first in begins)
        waiting = list(islice(orders, _AHEAD))
        while waiting:
            yield waiting.pop(0).result()
            waiting += islice(orders, 1)


def _encounter(number: int, tenprint: Tenprint) -> Encounter:
    return Encounter(
        encounter_id=f"start-{number:08d}",
        person_id=f"person-{number:08d}",
        captured_at=_AT,
        purpose="benchmark",
        category="1",
        biographic={"gender": "FM"[number % 2], "dateOfBirth": f"{1940 + number % 70}-01-01"},
        fingers=fingers_of(tenprint),
    )


def measure(folder: Path, people: int, processes: int) -> dict[str, Any]:
    """Enrol what is missing, then start twice. What is read may be cached, as after a restart."""
    with Database.open(folder) as database:
        keyring = Keyring.open(folder / "keys")
        records = Records(database, BlobStore(folder / "blobs"), keyring)
        enrol(database, records, people, processes)
        checkpoint = GalleryCheckpoint(folder / "gallery", keyring)
        checkpoint.destroy()
        gallery = Gallery()
        follower = GalleryFollower(database, records, gallery, checkpoint=checkpoint)
        report = {"start_from_store_s": _seconds(follower.catch_up)}
        report["write_checkpoint_s"] = _seconds(follower.keep)
        expected, gallery_bytes, held = _answers(gallery), gallery.nbytes, len(gallery)
        del follower, gallery
        again = Gallery()
        follower = GalleryFollower(database, records, again, checkpoint=checkpoint)
        report["start_from_checkpoint_s"] = _seconds(follower.catch_up)
        return report | {
            "people": held,
            "fingers": held * len(FINGERS),
            "answers_equal": _answers(again) == expected,
            "store_bytes": (folder / SQLITE_FILE).stat().st_size,
            "gallery_bytes": gallery_bytes,
            "peak_memory_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _answers(gallery: Gallery) -> list[CandidateList]:
    """What some enrolled people and some strangers get, with other captures of theirs."""
    step = max(1, 2 * len(gallery) // _PROBES)
    probes = (person(SEED, number).tenprint(1) for number in range(0, 2 * len(gallery), step))
    return [gallery.search(probe, limit=10, threshold=Score(40.0)) for probe in probes]


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description="How long a gallery takes to start.")
    parser.add_argument("folder", type=Path, help="where the store is made; it stays")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    chosen = parser.parse_args()
    report = measure(chosen.folder, chosen.people, chosen.processes)
    (chosen.folder / "start.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
