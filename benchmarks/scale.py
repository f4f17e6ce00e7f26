"""1:N at size, on synthetic people: what is found, how fast, in how much memory, and how that grows.

Everybody is enrolled with capture 1 of some fingers; capture 2 of some people is sought. People do not exist
(`fixtures.templates`), so there may be as many as memory holds; accuracy on them is kinder than on real
prints. Rates come with the number of searches behind them.
"""

from __future__ import annotations

import resource
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.strangers import FINGERS_USED, Progress, fill, people_of, synthetic_id
from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.sealing import new_key
from matcher.candidates import CandidateList
from matcher.comparison import prepare, score_of
from matcher.fusion import fuse
from matcher.gallery import Gallery
from matcher.scoring import Score
from matcher.sketches import SKETCH_SIZE
from matcher.template import Tenprint
from matcher.turns import turns

#: Candidates asked for in every search.
LIMIT: Final = 100
#: FPIR at which FNIR is told, if there are enough searches to tell.
FPIRS: Final = (1e-2, 1e-3)
#: A mate that exact comparison gives this score is one a search should find: one false match in 10,000.
ACCEPTED: Final = Score(40.0)
CLIENTS: Final = (1, 2, 4)
#: Sizes of the gallery, in people, at which times are taken on the way.
MARKS: Final = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
#: Searches at each mark, and those that tell searches a second.
_AT_MARK: Final = 40
_TOGETHER: Final = 80


@dataclass(frozen=True, slots=True)
class Outcome:
    """One search of which the mate is known.

    rank:      of the mate, 0 if it is not on the list.
    mated:     the mate's score on the list, 0 if it is not there; exact: its score, compared directly.
    nonmated:  the best other one's.
    elapsed_ms: of the search, from templates to list.
    """

    rank: int
    mated: float
    exact: float
    nonmated: float
    elapsed_ms: float


def measure(people: int, fingers: Sequence[int], searches: int, progress: Progress) -> dict[str, Any]:
    """Fill a gallery to `people` and search it; the report."""
    used = FINGERS_USED[max(fingers)]
    gallery, times, added_s, filled = Gallery(), [], 0.0, 0
    for mark in [*(mark for mark in MARKS if mark < people), people]:
        begun = time.perf_counter()
        fill(gallery, filled, mark, used, progress)
        added_s += time.perf_counter() - begun
        filled = mark
        for count in fingers:
            found = search_all(gallery, mark, count, _AT_MARK, progress)
            times.append({"people": mark, "fingers": count} | _times(found))
    report: dict[str, Any] = {
        "people": people,
        "prints": people * len(used),
        "threads": turns().threads,
        "add_fingers_per_s": people * len(used) / added_s,
        "bytes_per_finger": gallery.nbytes / (people * len(used)),
        "bytes_of_sketch": SKETCH_SIZE,
        "resident_bytes_most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "memory_bytes_per_s": memory_speed(),
        "growth": times,
    }
    report["restart"] = restart(gallery)
    report["searches"] = [
        report_of(count, search_all(gallery, people, count, searches, progress))
        | {"searches_per_s": {str(n): together(gallery, people, count, n) for n in CLIENTS}}
        for count in fingers
    ]
    return report


def search_all(
    gallery: Gallery, people: int, fingers: int, searches: int, progress: Progress
) -> list[Outcome]:
    """Seek capture 2 of so many people, spread evenly."""
    used, outcomes = FINGERS_USED[fingers], []
    chosen = range(0, people, max(1, people // searches))[:searches]
    for done, number in enumerate(chosen, start=1):
        ((_, probe),) = people_of(number, 1, used, 2)
        begun = time.perf_counter()
        answer = gallery.search(probe, limit=LIMIT, threshold=ACCEPTED)
        elapsed_ms = 1e3 * (time.perf_counter() - begun)
        outcomes.append(_outcome(answer, probe, number, elapsed_ms))
        progress(f"searching with {fingers}", done, len(chosen))
    return outcomes


def _outcome(answer: CandidateList, probe: Tenprint, number: int, elapsed_ms: float) -> Outcome:
    mate = synthetic_id(number)
    ((_, reference),) = people_of(number, 1, tuple(probe), 1)
    exact = {each: score_of(prepare(probe[each]), prepare(reference[each])) for each in probe}
    mated = [each for each in answer.candidates if each.reference_id == mate]
    return Outcome(
        rank=mated[0].rank if mated else 0,
        mated=mated[0].score if mated else 0.0,
        exact=fuse(exact),
        nonmated=max((each.score for each in answer.candidates if each.reference_id != mate), default=0.0),
        elapsed_ms=elapsed_ms,
    )


def report_of(fingers: int, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Ranks, FNIR at each FPIR, and what the shortlist lost, each with the upper end of its 95 % interval."""
    ranks = np.array([each.rank for each in outcomes])
    accepted = [each for each in outcomes if each.exact >= ACCEPTED]
    lost = sum(each.rank == 0 for each in accepted)
    return {
        "fingers": fingers,
        "searches": len(outcomes),
        **{f"rank_{rank}": float(np.mean((ranks > 0) & (ranks <= rank))) for rank in (1, 10, 100)},
        "cmc": [float(np.mean((ranks > 0) & (ranks <= rank))) for rank in range(1, LIMIT + 1)],
        "rates": [_rate(outcomes, fpir) for fpir in FPIRS if fpir * len(outcomes) >= 1.0],
        "det": _det(outcomes),
        "accepted": len(accepted),
        "lost_by_shortlist": lost,
        "lost_share_below": upper(lost, len(accepted)),
        **_times(outcomes),
    }


def _rate(outcomes: Sequence[Outcome], fpir: float) -> dict[str, float]:
    """FNIR at the threshold that a share `fpir` of the searches reach without their mate."""
    best = sorted((each.nonmated for each in outcomes), reverse=True)
    threshold = float(np.nextafter(best[int(len(best) * fpir)], np.inf))
    missed = sum(each.mated < threshold for each in outcomes)
    return {
        "fpir": fpir,
        "threshold": threshold,
        "fnir": missed / len(outcomes),
        "fnir_below": upper(missed, len(outcomes)),
    }


def _det(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """FPIR and FNIR at every threshold that makes a difference to FPIR."""
    mated = np.array([each.mated for each in outcomes])
    nonmated = np.array([each.nonmated for each in outcomes])
    levels = np.unique(nonmated)[:: max(1, len(outcomes) // 400)]
    return [(float(np.mean(nonmated >= level)), float(np.mean(mated < level))) for level in levels]


def _times(outcomes: Sequence[Outcome]) -> dict[str, float]:
    times = [each.elapsed_ms for each in outcomes]
    return {f"ms_p{share}": float(np.percentile(times, share)) for share in (50, 95, 99)}


def upper(events: int, trials: int) -> float:
    """Upper end of the 95 % Wilson interval of a share (Wilson, JASA 1927)."""
    if trials == 0:
        return 1.0
    share, square = events / trials, 1.96**2
    spread = 1.96 * np.sqrt(share * (1.0 - share) / trials + square / (4 * trials**2))
    return float((share + square / (2 * trials) + spread) / (1.0 + square / trials))


def together(gallery: Gallery, people: int, fingers: int, clients: int) -> float:
    """Searches a second of so many clients, each with its next search as soon as it has an answer."""
    used = FINGERS_USED[fingers]
    chosen = range(0, people, max(1, people // _TOGETHER))[:_TOGETHER]
    probes = [probe for number in chosen for _, probe in people_of(number, 1, used, 2)]
    lock, waiting = threading.Lock(), iter(probes)

    def work() -> None:
        while True:
            with lock:
                probe = next(waiting, None)
            if probe is None:
                return
            gallery.search(probe, limit=LIMIT, threshold=ACCEPTED)

    threads = [threading.Thread(target=work) for _ in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(probes) / (time.perf_counter() - begun)


def restart(gallery: Gallery) -> dict[str, float]:
    """Write a checkpoint and start another gallery from it, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = GalleryCheckpoint(Path(folder) / "gallery", Keyring(Path(folder), new_key()))
        begun = time.perf_counter()
        written = checkpoint.save(gallery)
        saved = time.perf_counter()
        other = Gallery()
        checkpoint.load(other, newest=2**62)
        loaded = time.perf_counter()
    return {"bytes": written, "save_s": saved - begun, "load_s": loaded - saved}


def memory_speed() -> float:
    """Bytes a second that one thread reads from memory: the floor under a scan."""
    block = np.ones(2**25, np.int64)
    begun = time.perf_counter()
    for _ in range(4):
        block.max()
    return 4 * block.nbytes / (time.perf_counter() - begun)
