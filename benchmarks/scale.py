"""1:N at size, on synthetic people: what is found, how fast, in how much memory, and how that grows.

Everybody is enrolled with capture 1 of some fingers; capture 2 of some people is sought. People do not exist
(`fixtures.templates`), so there may be as many as memory holds; accuracy on them is kinder than on real
prints. Rates come with the number of searches behind them. Every part can be run alone and goes on where it
was interrupted: prints, searches and the report lie in one folder.
"""

from __future__ import annotations

import csv
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final

from benchmarks.scale_costs import adding, memory_speed, restart, together
from benchmarks.scale_rates import ACCEPTED, LISTED, report_of, times_of
from benchmarks.strangers import FINGERS_USED, Progress, grow, make, people_of, synthetic_id
from enrollment.sealed_prints import SealedPrints
from matcher.bodies import HeldBodies
from matcher.candidates import CandidateList
from matcher.comparison import prepare, score_of
from matcher.fusion import fuse
from matcher.gallery import Gallery
from matcher.shard import Shard
from matcher.sketches import SKETCH_SIZE
from matcher.template import Tenprint
from matcher.turns import turns

CLIENTS: Final = (1, 2, 4)
#: Sizes of the gallery, in people, at which times are taken on the way.
MARKS: Final = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
#: Searches for people who are not enrolled, beside each for one who is.
STRANGERS: Final = 0.1
#: Searches at each mark, and those that tell searches a second.
_AT_MARK: Final = 40
TOGETHER: Final = 80
#: What can be run alone.
PARTS: Final = ("growth", "searches", "together", "adding", "restart")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    fingers:  of a probe, one or several of 1, 2, 4, 10.
    pool:     so many people are made, more are put together from their fingers; None: all are made.
    sealed:   prints lie sealed on disk, in `kept`; else in memory.
    kept:     where prints are kept for another time. parts: of `PARTS`.
    """

    people: int
    fingers: Sequence[int]
    searches: int
    kept: Path
    pool: int | None = None
    sealed: bool = False
    parts: Sequence[str] = PARTS


@dataclass(frozen=True, slots=True)
class Outcome:
    """One search of which it is known whether there is a mate.

    number:    whose prints were sought; nobody is enrolled from the gallery's size on.
    rank:      of the mate, 0 if it is not on the list.
    mated:     the mate's score on the list, 0 if it is not there; exact: its score, compared directly.
    nonmated:  the best other one's.
    elapsed_ms, processor_ms: of the search, from templates to list; the second of all threads together.
    """

    number: int
    rank: int
    mated: float
    exact: float
    nonmated: float
    elapsed_ms: float
    processor_ms: float = 0.0


def measure(plan: Plan, out: Path, progress: Progress) -> dict[str, Any]:
    """Do the parts of the plan; the report, with what earlier runs wrote to `out` of the other parts."""
    used, made = FINGERS_USED[max(plan.fingers)], min(plan.people, plan.pool or plan.people)
    make(made, used, plan.kept, progress)
    shard = Shard(new_bodies=SealedPrints(plan.kept / "sealed") if plan.sealed else HeldBodies)
    gallery = Gallery(shards=[shard])
    report = _earlier(out, plan)
    report["growth"] = report.get("growth", []) if "growth" not in plan.parts else []
    for mark in [*(mark for mark in MARKS if mark < plan.people and "growth" in plan.parts), plan.people]:
        grow(shard, mark, used, plan.kept, plan.pool)
        progress("filling", mark, plan.people)
        if "growth" in plan.parts:
            report["growth"] += [_at_mark(gallery, mark, count, plan) for count in plan.fingers]
    report |= {
        "prints": plan.people * len(used),
        "threads": turns().threads,
        "bytes_per_finger": gallery.nbytes / (plan.people * len(used)),
        "bytes_of_sketch": SKETCH_SIZE,
        "resident_bytes_most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "memory_bytes_per_s": memory_speed(),
    }
    works: dict[str, Callable[[], Any]] = {
        "searches": lambda: [_searched(gallery, plan, count, out, progress) for count in plan.fingers],
        "together": lambda: {
            str(count): {
                str(clients): together(gallery, spread(made, TOGETHER), count, clients) for clients in CLIENTS
            }
            for count in plan.fingers
        },
        "adding": lambda: adding(gallery, plan.people),
        "restart": lambda: restart(gallery, out),
    }
    for part in (part for part in works if part in plan.parts):
        report[part] = works[part]()
        write(report, out)
    return report


def write(report: dict[str, Any], out: Path) -> None:
    """Write identification.json."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "identification.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _earlier(out: Path, plan: Plan) -> dict[str, Any]:
    """What is known already of a gallery of this kind."""
    kind = {"people": plan.people, "pool": plan.pool, "sealed": plan.sealed, "fingers": list(plan.fingers)}
    path = out / "identification.json"
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known if {name: known.get(name) for name in kind} == kind else kind


def _at_mark(gallery: Gallery, people: int, count: int, plan: Plan) -> dict[str, Any]:
    chosen = spread(min(people, plan.pool or people), _AT_MARK)
    found = [search(gallery, number, count) for number in chosen]
    return {"people": people, "fingers": count} | times_of(found)


def _searched(gallery: Gallery, plan: Plan, count: int, out: Path, progress: Progress) -> dict[str, Any]:
    """Search, from where an earlier run was interrupted; the report of all."""
    made = min(plan.people, plan.pool or plan.people)
    strangers = range(plan.people, plan.people + max(1, round(plan.searches * STRANGERS)))
    numbers = [*spread(made, plan.searches), *strangers]
    known = search_all(gallery, numbers, count, out / f"searches-{count}.csv", progress)
    sought, unknown = numbers[: -len(strangers)], numbers[-len(strangers) :]
    return report_of(count, [known[number] for number in sought], [known[number] for number in unknown])


def search_all(
    gallery: Gallery, numbers: Sequence[int], count: int, path: Path, progress: Progress
) -> dict[int, Outcome]:
    """Seek these people, but for those of whom the file tells already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _read(path)
    with path.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        if stream.tell() == 0:
            writer.writerow([each.name for each in fields(Outcome)])
        for done, number in enumerate(numbers, start=1):
            if number not in known:
                known[number] = search(gallery, number, count)
                writer.writerow(astuple(known[number]))
            progress(f"searching with {count}", done, len(numbers))
    return known


def _read(path: Path) -> dict[int, Outcome]:
    """Searches of an earlier run, by number; without a last line that was cut."""
    if not path.exists():
        return {}
    found = {}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["processor_ms"]:
                number, rank, *measured = row.values()
                found[int(number)] = Outcome(int(number), int(rank), *(float(each) for each in measured))
    return found


def spread(people: int, searches: int) -> list[int]:
    """Whom to seek: so many, spread evenly."""
    return list(range(0, people, max(1, people // searches))[:searches])


def search(gallery: Gallery, number: int, fingers: int) -> Outcome:
    """Seek capture 2 of one person."""
    used = FINGERS_USED[fingers]
    ((_, probe),) = people_of(number, 1, used, 2)
    begun, clock = time.process_time(), time.perf_counter()
    answer = gallery.search(probe, limit=LISTED[fingers], threshold=ACCEPTED)
    elapsed, spent = time.perf_counter() - clock, time.process_time() - begun
    return _outcome(answer, probe, number, (1e3 * elapsed, 1e3 * spent))


def _outcome(answer: CandidateList, probe: Tenprint, number: int, ms: tuple[float, float]) -> Outcome:
    mate = synthetic_id(number)
    mated = [each for each in answer.candidates if each.reference_id == mate]
    return Outcome(
        number=number,
        rank=mated[0].rank if mated else 0,
        mated=mated[0].score if mated else 0.0,
        exact=mated[0].score if mated else _compared(probe, number) if number < answer.gallery_size else 0.0,
        nonmated=max((each.score for each in answer.candidates if each.reference_id != mate), default=0.0),
        elapsed_ms=ms[0],
        processor_ms=ms[1],
    )


def _compared(probe: Tenprint, number: int) -> float:
    """The score of a mate that the list lacks."""
    ((_, reference),) = people_of(number, 1, tuple(probe), 1)
    return fuse({each: score_of(prepare(probe[each]), prepare(reference[each])) for each in probe})
