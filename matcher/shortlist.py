"""Which references are worth an exact comparison: those whose sketches are most like the probe's.

Every sketch of the comparable positions is looked at, and fingers are added up to persons, before the list
is cut: nothing is trained on the gallery, what was just added counts, filters cost nothing, and the parts of
a gallery give together what one would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, zip_longest
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.candidates import ReferenceId
from matcher.codes import FingerPosition
from matcher.kernels_sketch import scan_sketches
from matcher.references import PreparedTenprint, References
from matcher.sketches import Look, half_sketches
from matcher.turns import Priority, Turns

#: Sketches scanned in one turn: 4 MB, about a millisecond.
_ROWS = 16_384
#: Probes of so many fingers are also sought by the halves of each. More fingers have no need of it: hardly
#: ever do two of them fail together. Origin: measured recall, `sketch.md`.
SOUGHT_BY_HALVES = 2
#: Of a reference that no finger was compared with; sums of ten inner products stay far above.
_UNSEEN = np.iinfo(np.int32).min

#: Sketches of a position, and the numbers of their references.
Scanned: TypeAlias = tuple[NDArray[np.int8], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Shortlist:
    """What a part of a gallery proposes.

    ids:          the references most like the probe, likest first; equally like ones by id.
    similarities: int64, of each: the sum over fingers of the likeness of sketches (`scan_sketches`).
    searched:     references the search was over, after its filters.
    as_of:        sequence number of the newest change it has seen.
    """

    ids: tuple[ReferenceId, ...]
    similarities: tuple[int, ...]
    searched: int
    as_of: int


def merged(parts: Sequence[Shortlist], *sizes: int) -> Iterator[list[tuple[ReferenceId, ...]]]:
    """What is left of each part's list when only the best of all are kept, in rising numbers.

    For each size what was not there for the size before.
    """
    best = sorted(
        (-similarity, reference_id, number)
        for number, part in enumerate(parts)
        for reference_id, similarity in zip(part.ids, part.similarities, strict=True)
    )
    for begin, end in pairwise((0, *sizes)):
        kept: list[list[ReferenceId]] = [[] for _ in parts]
        for _, reference_id, number in best[begin:end]:
            kept[number].append(reference_id)
        yield [tuple(ids) for ids in kept]


def looks_of(probe: PreparedTenprint) -> Mapping[FingerPosition, Look]:
    """What is looked for of each finger: its sketch, and of a probe of few fingers those of its halves."""
    if len(probe) > SOUGHT_BY_HALVES:
        return {position: finger.sketch[None] for position, finger in probe.items()}
    return {
        position: np.concatenate([finger.sketch[None], half_sketches(finger.prepared)])
        for position, finger in probe.items()
    }


def views_of(
    references: References, looks: Mapping[FingerPosition, Look]
) -> list[tuple[Look, list[Scanned]]]:
    """What is looked for of each finger and the sketches it is compared with; take them under the lock."""
    return [
        (look, [prints.sketches() for prints in references.prints_for(position)])
        for position, look in looks.items()
    ]


def similarities(
    views: Sequence[tuple[Look, list[Scanned]]],
    allowed: NDArray[np.bool_],
    turns: Turns,
    priority: Priority,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The similarity of each reference, int64[references], and which have a finger to compare."""
    best = np.full((len(views), len(allowed)), _UNSEEN, np.int32)
    # A reference has one print in a column but may be in several: one column of each finger at a time.
    for columns in zip_longest(*(columns for _, columns in views)):
        turns.run(
            (
                partial(
                    scan_sketches, look, stored[row : row + _ROWS], numbers[row : row + _ROWS], allowed, own
                )
                for (look, _), own, column in zip(views, best, columns, strict=True)
                if column is not None
                for stored, numbers in [column]
                for row in range(0, len(stored), _ROWS)
            ),
            priority,
        )
    total, seen = np.zeros(len(allowed), np.int64), np.zeros(len(allowed), np.bool_)
    for own in best:
        compared = own != _UNSEEN
        seen |= compared
        total += np.where(compared, own, 0)
    return total, seen


def best_places(values: NDArray[Any], id_of: Callable[[int], str], size: int) -> list[int]:
    """Places of the `size` highest values, highest first; of equal values those of the lowest ids."""
    places = np.arange(len(values))
    if len(values) > size:
        least = -np.partition(-values, size - 1)[size - 1]
        places = np.flatnonzero(values >= least)
    chosen = zip((-values[places]).tolist(), places.tolist(), strict=True)
    return [place for _, _, place in sorted((low, id_of(place), place) for low, place in chosen)][:size]
