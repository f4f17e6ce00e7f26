"""The exact stage of a search: the probe's fingers compared with those of the shortlist, on all cores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from matcher.codes import FingerPosition
from matcher.comparison import raw_many
from matcher.kernels_fusion import fuse_fingers
from matcher.prepared import PreparedTemplate
from matcher.prints import Prints
from matcher.references import PreparedTenprint
from matcher.scoring import calibrate_many
from matcher.turns import Priority, Turns

#: Prints compared in one turn: some milliseconds, and half a megabyte to unpack them into.
_PRINTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class ExactScores:
    """Scores of `n` references.

    fused:    float64[n]. fingers: float64[F, n], of each probe finger. compared: bool[F, n].
    unread:   bool[n], of these a print could not be read: it was lost meanwhile, or is damaged.
    """

    positions: tuple[FingerPosition, ...]
    fused: NDArray[np.float64]
    fingers: NDArray[np.float64]
    compared: NDArray[np.bool_]
    unread: NDArray[np.bool_]

    def of(self, place: int) -> dict[FingerPosition, float]:
        """The scores of one reference's fingers."""
        rows = range(len(self.positions))
        return {
            self.positions[row]: float(self.fingers[row, place]) for row in rows if self.compared[row, place]
        }


def compare_exactly(
    probe: PreparedTenprint,
    columns: list[list[Prints]],
    references: NDArray[np.int64],
    turns: Turns,
    priority: Priority,
) -> ExactScores:
    """Compare with the references of these numbers, int64[n].

    columns: for each probe finger, the prints it is compared with: see `References.prints_for`.
    """
    shape = (len(probe), len(references))
    best, counts = np.zeros(shape, np.float32), np.zeros(shape, np.int64)
    jobs, tasks = [], []
    for row, (finger, prints_of_finger) in enumerate(zip(probe.values(), columns, strict=True)):
        for prints in prints_of_finger:
            entries = prints.entries(references)
            places = np.flatnonzero(entries >= 0)
            scores, read = np.empty(len(places), np.float32), np.empty(len(places), np.bool_)
            jobs.append((row, places, scores, read))
            for begin in range(0, len(places), _PRINTS):
                part = slice(begin, begin + _PRINTS)
                chosen = entries[places[part]]
                tasks.append(partial(_score, finger.prepared, prints, chosen, scores[part], read[part]))
    turns.run(tasks, priority)
    unread = np.zeros(len(references), np.bool_)
    for row, places, scores, read in jobs:
        unread[places[~read]] = True
        best[row, places] = np.maximum(best[row, places], scores)
        counts[row, places] += 1
    fingers, fused = np.empty(shape, np.float64), np.empty(len(references), np.float64)
    fuse_fingers(best, counts, fingers, fused)
    return ExactScores(tuple(probe), fused, fingers, counts > 0, unread)


def _score(
    probe: PreparedTemplate,
    prints: Prints,
    entries: NDArray[np.int64],
    scores: NDArray[np.float32],
    read: NDArray[np.bool_],
) -> None:
    """Fill `scores` with those of some prints, and `read` with whether they could be read."""
    packed, read[:] = prints.packed(entries)
    scores[:] = calibrate_many(raw_many(probe, packed), with_field=packed.has_field & probe.has_field)
