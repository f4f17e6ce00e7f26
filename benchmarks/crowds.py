"""Synthetic people of a folder of templates: 1:N, and more 1:1 scores than pictures allow.

For 1:1 each person gives one finger, the ten positions in turn: two comparisons share at most a print.
Mated: all captures of that finger. Non-mated: first captures of the same finger of different people, as a
search among people of known positions compares them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import UnusableDataset
from benchmarks.identification import Search, search_one
from benchmarks.metrics import equal_error_rate, fnmr_at
from benchmarks.strangers import FINGERS_USED, synthetic_id
from fixtures.template_folder import TemplateFolder
from matcher.codes import FINGERS
from matcher.comparison import PreparedTemplate, prepare, score_many
from matcher.gallery import Gallery
from matcher.scoring import Score, fmr_of
from matcher.template import Tenprint

#: Called with (stage, done, total) for a progress bar.
Progress: TypeAlias = Callable[[str, int, int], None]
Scores: TypeAlias = NDArray[np.float64]

#: False match rates whose thresholds are told.
RATES = (1e-1, 1e-2, 1e-3, 1e-4)
#: A rate is told when so many comparisons lie beyond its threshold.
_FEWEST = 10


def scores_of(folder: TemplateFolder, comparisons: int, progress: Progress) -> tuple[Scores, Scores]:
    """Mated scores, and at most about so many non-mated ones."""
    captures = _prints(folder, progress)
    mated = [
        score_many(prints[probe], prints[probe + 1 :])
        for prints in captures
        for probe in range(len(prints) - 1)
    ]
    firsts = [prints[0] for prints in captures]
    nonmated: list[NDArray[np.float32]] = []
    # Each print meets the next so many of its position: every print counts the same.
    wanted = max(1, -(-comparisons // len(firsts)))
    for number, probe in enumerate(firsts):
        others = firsts[number + len(FINGERS) :: len(FINGERS)][:wanted]
        if others:
            nonmated.append(score_many(probe, others))
        if number % 100 == 0 or number + 1 == len(firsts):
            progress("comparing", number + 1, len(firsts))
    return _joined(mated), _joined(nonmated)


def _prints(folder: TemplateFolder, progress: Progress) -> list[list[PreparedTemplate]]:
    """All captures of one finger of each person."""
    prints: list[list[PreparedTemplate]] = []
    for number, _, tenprint in folder.tenprints():
        if number == len(prints):
            prints.append([])
            progress("reading", number + 1, folder.people)
        prints[number].append(prepare(tenprint[FINGERS[number % len(FINGERS)]]))
    return prints


def report_of(mated: Scores, nonmated: Scores) -> dict[str, Any]:
    """Means, error rates, and for each false match rate the threshold, what it claims, and what it misses."""
    rates = [_rate(mated, nonmated, fmr) for fmr in RATES if len(nonmated) and fmr * len(nonmated) >= _FEWEST]
    return {
        "n_mated": len(mated),
        "n_nonmated": len(nonmated),
        "mated_mean": float(mated.mean()) if len(mated) else None,
        "nonmated_mean": float(nonmated.mean()) if len(nonmated) else None,
        "eer": equal_error_rate(mated, nonmated) if len(mated) and len(nonmated) else None,
        "rates": rates,
    }


def _rate(mated: Scores, nonmated: Scores, fmr: float) -> dict[str, float | None]:
    threshold = float(np.quantile(nonmated, 1.0 - fmr))
    return {
        "fmr": fmr,
        "threshold": threshold,
        "claimed_fmr": fmr_of(Score(threshold)),
        "fnmr": fnmr_at(mated, nonmated, fmr) if len(mated) else None,
    }


def search_folder(
    folder: TemplateFolder, fingers: int, searches: int, progress: Progress
) -> tuple[list[Search], dict[str, Any]]:
    """Capture 1 of everybody in the gallery, capture 2 of some sought; and what adding cost.

    Probes are spread evenly over the folder. Raises `UnusableDataset` for a folder of one capture.
    """
    if folder.captures < 2:
        raise UnusableDataset(f"{folder.path} has one capture of each finger; a search needs a second one")
    used = FINGERS_USED[fingers]
    step = max(1, folder.people // max(1, searches))
    gallery, probes, added = Gallery(), dict[int, Tenprint](), 0.0
    for number, capture, tenprint in folder.tenprints(frozenset({1, 2})):
        if capture == 2:
            if number % step == 0:
                probes[number] = {position: tenprint[position] for position in used}
            continue
        begun = time.perf_counter()
        gallery.add(synthetic_id(number), {position: tenprint[position] for position in used})
        added += time.perf_counter() - begun
        progress("adding", number + 1, folder.people)
    found = []
    for number, probe in probes.items():
        found.append(search_one(gallery, f"{fingers} fingers", probe, synthetic_id(number), ()))
        progress("searching", len(found), len(probes))
    costs = {
        "people": folder.people,
        "fingers": fingers,
        "add_fingers_per_s": folder.people * fingers / added,
        "bytes_per_finger": gallery.nbytes / (folder.people * fingers),
    }
    return found, costs


def _joined(scores: Sequence[NDArray[np.float32]]) -> Scores:
    return np.concatenate(scores).astype(np.float64) if scores else np.empty(0)
