"""What a gallery of any size costs: searches a second, additions a second, a restart."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.scale_rates import ACCEPTED, LISTED
from benchmarks.strangers import FINGERS_USED, people_of, synthetic_id
from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.sealing import new_key
from matcher.gallery import Gallery
from matcher.template import Tenprint
from matcher.turns import turns

#: People added to tell additions a second, and of them sought at once.
_ADDED: Final = 200
_SOUGHT: Final = 20


def together(gallery: Gallery, chosen: Sequence[int], fingers: int, clients: int) -> float:
    """Searches a second of so many clients, each with its next search as soon as it has an answer."""
    used = FINGERS_USED[fingers]
    probes = [probe for number in chosen for _, probe in people_of(number, 1, used, 2)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda probe: gallery.search(probe, limit=LISTED[fingers], threshold=ACCEPTED), probes))
    return len(probes) / (time.perf_counter() - begun)


def adding(gallery: Gallery, first: int) -> dict[str, float]:
    """Add people on all cores, each sought at once by whoever added it; then remove them."""
    made = list(people_of(first, _ADDED, FINGERS_USED[10], 1))
    probes = dict(people_of(first, _ADDED, FINGERS_USED[2], 2))

    def add(person: tuple[int, Tenprint]) -> None:
        gallery.add(synthetic_id(person[0]), person[1], sequence=person[0] + 1)

    begun, clock = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(turns().threads) as pool:
        list(pool.map(add, made))
    elapsed, spent = time.perf_counter() - clock, time.process_time() - begun
    for number, _ in made:
        gallery.remove(synthetic_id(number))
    found = 0
    for person in made[:_SOUGHT]:
        add(person)
        answer = gallery.search(probes[person[0]], limit=1, threshold=ACCEPTED)
        found += answer.candidates[0].reference_id == synthetic_id(person[0])
        gallery.remove(synthetic_id(person[0]))
    prints = 10 * len(made)
    return {
        "fingers_per_s": prints / elapsed,
        "fingers_per_processor_s": prints / spent,
        "sought_at_once": len(made[:_SOUGHT]),
        "found_at_once": found,
    }


def restart(gallery: Gallery, out: Path) -> dict[str, float]:
    """Write a checkpoint and start another gallery from it, in a temporary folder."""
    with tempfile.TemporaryDirectory(dir=out) as folder:
        checkpoint = GalleryCheckpoint(Path(folder) / "gallery", Keyring(Path(folder), new_key()))
        begun = time.perf_counter()
        written = checkpoint.save(gallery)
        saved, clock = time.perf_counter(), time.process_time()
        other = Gallery()
        checkpoint.load(other, newest=2**62)
        loaded, spent = time.perf_counter(), time.process_time() - clock
    return {"bytes": written, "save_s": saved - begun, "load_s": loaded - saved, "load_processor_s": spent}


def memory_speed() -> float:
    """Bytes a second that one thread reads from memory: the floor under a scan."""
    block = np.ones(2**25, np.int64)
    begun = time.perf_counter()
    for _ in range(4):
        block.max()
    return 4 * block.nbytes / (time.perf_counter() - begun)
