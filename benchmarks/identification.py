"""1:N accuracy and speed: real prints sought among themselves and synthetic people; synthetic people alone.

A first version: it searches what fits in memory and reports what it measured. FPIR below 1/searches is not
claimed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from benchmarks.datasets import Picture
from benchmarks.engines import Reader
from enrollment.capture import Capture, FailureToAcquire
from enrollment.errors import MalformedImage
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from fixtures.templates import person
from matcher.candidates import ReferenceId
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.gallery import Gallery
from matcher.scoring import Score
from matcher.template import Template, Tenprint

#: Called with (stage, done, total) for a progress bar.
Progress: TypeAlias = Callable[[str, int, int], None]

#: Fingers of a probe, by how many there are: the most often used ones first.
FINGERS_USED: Mapping[int, tuple[FingerPosition, ...]] = {
    1: (FingerPosition.RIGHT_INDEX,),
    2: (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX),
    4: (
        FingerPosition.RIGHT_INDEX,
        FingerPosition.RIGHT_MIDDLE,
        FingerPosition.LEFT_INDEX,
        FingerPosition.LEFT_MIDDLE,
    ),
    10: FINGERS,
}
#: Candidates asked for in every search.
LIMIT = 20
#: FPIR at which FNIR is reported, if there are enough searches to tell.
FPIR = 1e-2
_SEED = 20


@dataclass(frozen=True, slots=True)
class Search:
    """One search of which the mate is known.

    rank:     of the mate, 0 if it is not on the list; None if the probe failed to be acquired.
    mated:    the mate's score; nonmated: the best other one's. 0 where there is none.
    elapsed_ms: the search alone, without extraction.
    """

    set_name: str
    rank: int | None
    mated: float
    nonmated: float
    elapsed_ms: float


def templates_of(
    pictures: Sequence[Picture], network: MinutiaeNetwork, reader: Reader, progress: Progress
) -> list[Template | None]:
    """Every picture's template; None for a failure to acquire or a malformed file."""
    templates: list[Template | None] = []
    for done, picture in enumerate(pictures, start=1):
        templates.append(_template(picture, network, reader))
        progress("extracting", done, len(pictures))
    return templates


def _template(picture: Picture, network: MinutiaeNetwork, reader: Reader) -> Template | None:
    try:
        image = reader.read(picture.path, picture.ppi)
    except MalformedImage:
        return None
    capture = Capture(FingerPosition(picture.position), ImpressionType.LIVE_PLAIN, image)
    finger = extract(capture, network)
    return None if isinstance(finger, FailureToAcquire) else finger.template


def search_pictures(
    pictures: Sequence[Picture], templates: Sequence[Template | None], people: int, progress: Progress
) -> list[Search]:
    """One impression of each finger in a gallery with synthetic people; each other impression is sought.

    Sets never meet: a search leaves out the references of all other sets.
    """
    gallery, owners = Gallery(), dict[ReferenceId, str]()
    fill(gallery, people, {FingerPosition(picture.position) for picture in pictures}, progress)
    probes: list[tuple[Picture, Template | None, ReferenceId]] = []
    for picture, template in zip(pictures, templates, strict=True):
        reference_id = ReferenceId(f"{picture.set_name}/{picture.subject}/{picture.position}")
        if reference_id in owners:
            probes.append((picture, template, reference_id))
            continue
        owners[reference_id] = picture.set_name
        if template is not None:
            gallery.add(reference_id, {FingerPosition(picture.position): template})
    searches = []
    for done, (picture, template, mate) in enumerate(probes, start=1):
        others = [each for each, owner in owners.items() if owner != picture.set_name]
        tenprint = {} if template is None else {FingerPosition(picture.position): template}
        searches.append(search_one(gallery, picture.set_name, tenprint, mate, others))
        progress("searching", done, len(probes))
    return searches


def fill(gallery: Gallery, people: int, positions: Iterable[FingerPosition], progress: Progress) -> None:
    """Add synthetic people with a finger at each position; at an unknown one, any finger of theirs."""
    chosen = sorted(positions)
    for number in range(people):
        synthetic = person(_SEED, number)
        tenprint = {
            position: synthetic.capture(position or FINGERS[number % len(FINGERS)]) for position in chosen
        }
        gallery.add(synthetic_id(number), tenprint)
        progress("adding synthetic people", number + 1, people)


def search_people(
    people: int, fingers: int, searches: int, progress: Progress
) -> tuple[list[Search], dict[str, Any]]:
    """Synthetic people with so many fingers, some of them sought; and what adding them cost."""
    used = FINGERS_USED[fingers]
    prints: list[Tenprint] = [person(_SEED, number).tenprint(0, used) for number in range(people)]
    gallery = Gallery()
    begun = time.perf_counter()
    for number, tenprint in enumerate(prints):
        gallery.add(synthetic_id(number), tenprint)
        progress("adding", number + 1, people)
    added = time.perf_counter() - begun
    chosen = range(0, people, max(1, people // searches))
    found = []
    for number in chosen:
        probe = person(_SEED, number).tenprint(1, used)
        found.append(search_one(gallery, f"{fingers} fingers", probe, synthetic_id(number), ()))
        progress("searching", len(found), len(chosen))
    costs = {
        "people": people,
        "fingers": fingers,
        "add_fingers_per_s": people * fingers / added,
        "bytes_per_finger": gallery.nbytes / (people * fingers),
    }
    return found, costs


def synthetic_id(number: int) -> ReferenceId:
    """The reference id of a synthetic person."""
    return ReferenceId(f"synthetic-{number}")


def search_one(
    gallery: Gallery, set_name: str, probe: Tenprint, mate: ReferenceId, others: Sequence[ReferenceId]
) -> Search:
    """One search without the references of `others`; a probe without fingers is a failure to acquire."""
    if not probe:
        return Search(set_name, None, 0.0, 0.0, 0.0)
    begun = time.perf_counter()
    answer = gallery.search(probe, limit=LIMIT, threshold=Score(0.0), exclude=others)
    elapsed_ms = 1e3 * (time.perf_counter() - begun)
    mated = [each for each in answer.candidates if each.reference_id == mate]
    nonmated = [each.score for each in answer.candidates if each.reference_id != mate]
    return Search(
        set_name=set_name,
        rank=mated[0].rank if mated else 0,
        mated=mated[0].score if mated else 0.0,
        nonmated=max(nonmated, default=0.0),
        elapsed_ms=elapsed_ms,
    )


def report_of(searches: Sequence[Search]) -> dict[str, Any]:
    """`sets`: one entry a set; `all`: every search together."""
    names = list(dict.fromkeys(search.set_name for search in searches))
    sets = {name: _rates([each for each in searches if each.set_name == name]) for name in names}
    return {"sets": sets, "all": _rates(searches)}


def _rates(searches: Sequence[Search]) -> dict[str, Any]:
    """Rates over all searches; a probe that failed to be acquired counts as not found."""
    acquired = [search for search in searches if search.rank is not None]
    times = [search.elapsed_ms for search in acquired]
    threshold = _threshold(acquired)
    missed = [search.mated < threshold for search in acquired] if threshold is not None else None
    return {
        "searches": len(searches),
        "failures": len(searches) - len(acquired),
        "rank_1": _share([search.rank == 1 for search in searches]),
        "rank_10": _share([search.rank is not None and 0 < search.rank <= 10 for search in searches]),
        "fpir_1e-2_threshold": threshold,
        "fnir_at_fpir_1e-2": _share([*missed, *[True] * (len(searches) - len(acquired))]) if missed else None,
        "search_ms_p50": float(np.percentile(times, 50)) if times else None,
        "search_ms_p95": float(np.percentile(times, 95)) if times else None,
    }


def _threshold(searches: Sequence[Search]) -> float | None:
    """The score that a share `FPIR` of the searches reach without their mate; None for too few searches."""
    if len(searches) * FPIR < 1.0:
        return None
    best = sorted((search.nonmated for search in searches), reverse=True)
    return float(np.nextafter(best[int(len(best) * FPIR)], np.inf))


def _share(found: Sequence[bool]) -> float | None:
    return float(np.mean(found)) if found else None
