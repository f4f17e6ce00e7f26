"""1:N accuracy and speed: real prints sought among themselves and synthetic people.

FPIR below 1/searches is not claimed. `benchmarks.scale` searches synthetic people alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from benchmarks.datasets import Picture
from benchmarks.engines import Reader
from benchmarks.strangers import people_of, synthetic_id
from enrollment.capture import Capture, FailureToAcquire
from enrollment.errors import MalformedImage
from enrollment.network import MinutiaeNetwork
from enrollment.pipeline import extract
from matcher.candidates import ReferenceId
from matcher.codes import FINGERS, FingerPosition, ImpressionType
from matcher.gallery import Gallery
from matcher.scoring import Score
from matcher.template import Template, Tenprint

#: Called with (stage, done, total) for a progress bar.
Progress: TypeAlias = Callable[[str, int, int], None]

#: Candidates asked for in every search.
LIMIT = 20
#: FPIR at which FNIR is reported, if there are enough searches to tell.
FPIR = 1e-2
#: Synthetic people made at once.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Search:
    """One search of which the mate is known.

    rank:     of the mate, 0 if it is not on the list; None if the probe failed to be acquired.
    mated:    the mate's score; nonmated: the best one's of a search without the mate. 0 where there is none.
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
    """Add synthetic people with a finger at each position; at an unknown one, some finger of theirs."""
    chosen = sorted(positions)
    for first in range(0, people, _BATCH):
        some = FINGERS[first // _BATCH % len(FINGERS)]
        made = [position or some for position in chosen]
        for number, tenprint in people_of(first, min(_BATCH, people - first), made, 1):
            prints = {position: tenprint[finger] for position, finger in zip(chosen, made, strict=True)}
            gallery.add(synthetic_id(number), prints)
        progress("adding synthetic people", min(first + _BATCH, people), people)


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
    # Sure of the mate, the search compared no more than that took: what a stranger would meet is sought anew.
    strangers = gallery.search(probe, limit=1, threshold=Score(0.0), exclude=[*others, mate])
    nonmated = [each.score for each in strangers.candidates]
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
