"""A part of a gallery that lives in one process: what is kept of its references, and how it is searched.

Nothing here assumes shared memory: a probe goes in, a `CandidateList` comes out, changes carry the sequence
number of the change log. `matcher.gallery` scatters a search over shards and merges what they answer.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.candidates import Candidate, CandidateList, ReferenceId, ranked
from matcher.codes import FingerPosition
from matcher.comparison import score_many
from matcher.fusion import best_of, fuse
from matcher.index import SCANNED_ROWS
from matcher.locks import ReadWriteLock
from matcher.prints import directions_of
from matcher.references import PreparedTenprint, References
from matcher.scoring import Score


@dataclass(frozen=True, slots=True)
class Sizes:
    """Where a shard changes its ways.

    shortlist:    references compared exactly, for probes of one finger, of two …, the last for more; up to
                  three times as many for probes of fewer than 40 minutiae a finger. A search over no more
                  than these compares all of them: it misses nothing. Origin: measured recall.
    scanned_rows: rows of a position up to which the index is scanned one by one.
    dead_least:   removed references beyond which memory is reclaimed,
    dead_share:   if they are also more than this share of all.
    """

    shortlist: tuple[int, ...] = (200, 100, 60, 40)
    scanned_rows: int = SCANNED_ROWS
    dead_least: int = 256
    dead_share: float = 0.25

    def compared(self, probe: PreparedTenprint, limit: int) -> int:
        """References compared exactly: more where the probe has few minutiae, which costs no more time."""
        fingers = max(len(probe), 1)
        minutiae = sum(len(finger) for finger in probe.values()) / fingers
        scarcity = min(3.0, max(1.0, 40.0 / max(minutiae, 1.0)))
        base = self.shortlist[min(fingers, len(self.shortlist)) - 1]
        return max(limit, round(scarcity * base))


class Shard:
    """References and their prints. Searches run together, and while references are added."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._references = References(sizes.scanned_rows)
        self._sequence = 0
        #: One change at a time; `_lock` is held only for moments, so searches go on during long changes.
        self._changes = threading.Lock()
        self._lock = ReadWriteLock()

    def __len__(self) -> int:
        """References that can be found."""
        return len(self._references.numbers)

    @property
    def sequence(self) -> int:
        """The highest sequence number applied."""
        return self._sequence

    @property
    def nbytes(self) -> int:
        """Bytes of memory of all prints."""
        return sum(prints.nbytes for prints in self._references.prints.values())

    def add(self, reference_id: ReferenceId, tenprint: PreparedTenprint, sequence: int) -> None:
        """Add a reference, in the place of the one of the same id; the very next search finds it."""
        with self._changes:
            with self._lock.writing():
                self._references.kill(reference_id)
                self._references.append(reference_id, tenprint)
                self._sequence = max(self._sequence, sequence)
            self._tidy()

    def remove(self, reference_id: ReferenceId, sequence: int) -> None:
        """Never return a reference again; nothing happens if it is unknown."""
        with self._changes:
            with self._lock.writing():
                self._references.kill(reference_id)
                self._sequence = max(self._sequence, sequence)
            self._tidy()

    def advance(self, sequence: int) -> None:
        """Learn of a change that touched another shard."""
        with self._changes, self._lock.writing():
            self._sequence = max(self._sequence, sequence)

    def search(
        self,
        probe: PreparedTenprint,
        *,
        limit: int,
        threshold: Score,
        within: Collection[ReferenceId] | None,
        exclude: Collection[ReferenceId],
    ) -> CandidateList:
        """Shortlist, then compare exactly; what is fetched under the lock is compared outside it."""
        with self._lock.reading():
            references, as_of = self._references, self._sequence
            allowed = references.allowed(within, exclude)
            numbers = _shortlist(references, probe, allowed, self._sizes.compared(probe, limit))
        return CandidateList(
            candidates=ranked(_compared(references, probe, numbers), limit=limit),
            threshold=threshold,
            gallery_size=int(np.count_nonzero(allowed)),
            as_of=as_of,
            complete=True,
        )

    def _tidy(self) -> None:
        """Reclaim what is dead, and arrange what has outgrown its index, beside running searches."""
        references = self._references
        if references.dead > max(self._sizes.dead_least, self._sizes.dead_share * len(references.ids)):
            references = references.reclaimed()
            with self._lock.writing():
                self._references = references
        for prints in references.prints.values():
            if prints.index.outgrown:
                arrangement = prints.index.arranged()
                with self._lock.writing():
                    prints.index.adopt(arrangement)


def _shortlist(
    references: References, probe: PreparedTenprint, allowed: NDArray[np.bool_], size: int
) -> NDArray[np.int64]:
    """Numbers of the references worth an exact comparison, fused over fingers before the list is cut."""
    searched = np.flatnonzero(allowed)
    if len(searched) <= size:
        return searched
    only = None if len(searched) == len(allowed) else allowed
    fused = np.zeros(len(allowed), np.float32)
    for position, finger in probe.items():
        best = np.zeros(len(allowed), np.float32)
        for prints in references.prints_for(position):
            votes = np.zeros(len(allowed), np.float32)
            prints.index.vote(finger.descriptors, directions_of(finger), votes, only)
            np.maximum(best, votes, out=best)
        fused += best
    order = np.argpartition(-fused, size)[:size]
    return order[fused[order] > 0.0]


def _compared(
    references: References, probe: PreparedTenprint, numbers: NDArray[np.int64]
) -> Iterator[Candidate]:
    """Exact comparisons with some references; those without a finger to compare are no candidates."""
    fingers: dict[int, dict[FingerPosition, Score]] = {}
    for position, finger in probe.items():
        scores: dict[int, list[Score]] = {}
        for prints in references.prints_for(position):
            found = [(number, prints.get(number)) for number in numbers.tolist()]
            known = [(number, reference) for number, reference in found if reference is not None]
            compared = score_many(finger, [reference for _, reference in known])
            for (number, _), score in zip(known, compared.tolist(), strict=True):
                scores.setdefault(number, []).append(Score(score))
        for number, of_finger in scores.items():
            fingers.setdefault(number, {})[position] = best_of(of_finger)
    for number, of_fingers in fingers.items():
        yield Candidate(references.ids[number], 0, fuse(of_fingers), of_fingers)
