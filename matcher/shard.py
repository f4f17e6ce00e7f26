"""A part of a gallery that lives in one process: what is kept of its references, and how it is searched.

Nothing here assumes shared memory: a probe goes in, a `CandidateList` comes out, changes carry the sequence
number of the change log. `matcher.gallery` scatters a search over shards and merges what they answer.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.candidates import Candidate, CandidateList, ReferenceId, ranked
from matcher.codes import FINGERS, FingerPosition
from matcher.columns import Column
from matcher.comparison import PreparedTemplate, score_many
from matcher.fusion import best_of, fuse
from matcher.locks import ReadWriteLock
from matcher.prints import Prints, angles_of
from matcher.scoring import Score

#: Up to so many references a search compares all of them: nothing can be missed.
EXHAUSTIVE: Final = 200
#: References compared exactly otherwise, by number of probe fingers. Origin: measured recall.
SHORTLIST: Final = {1: 200, 2: 120, 3: 80}
SHORTLIST_MANY: Final = 60
#: Memory is reclaimed when more than this share of the references are dead, and more than so many.
DEAD_SHARE: Final = 0.25
DEAD_LEAST: Final = 256

_THUMBS = {
    FingerPosition.RIGHT_THUMB: FingerPosition.PLAIN_RIGHT_THUMB,
    FingerPosition.LEFT_THUMB: FingerPosition.PLAIN_LEFT_THUMB,
}
_SINGLE = (FingerPosition.UNKNOWN, *FINGERS, *_THUMBS.values())


#: A person's fingers, each prepared once.
PreparedTenprint: TypeAlias = Mapping[FingerPosition, PreparedTemplate]


def comparable(position: FingerPosition) -> Sequence[FingerPosition]:
    """Positions whose prints may come from the finger of a probe at `position`: like with like.

    A print of unknown position is compared with all, and all with it.
    """
    if position is FingerPosition.UNKNOWN:
        return _SINGLE
    plain = {thumb: finger for finger, thumb in _THUMBS.items()} | _THUMBS
    return (position, *((plain[position],) if position in plain else ()), FingerPosition.UNKNOWN)


class _Contents:
    """What a shard holds: references by number (ids, alive or not) and prints by position."""

    def __init__(self) -> None:
        self.ids: list[ReferenceId] = []
        self.numbers: dict[ReferenceId, int] = {}
        self.alive = Column(np.bool_)
        self.prints: dict[FingerPosition, Prints] = {}

    @property
    def dead(self) -> int:
        return len(self.ids) - len(self.numbers)

    def append(self, reference_id: ReferenceId, tenprint: PreparedTenprint) -> None:
        number = len(self.ids)
        for position, finger in tenprint.items():
            self.prints.setdefault(position, Prints()).append(number, finger)
        self.ids.append(reference_id)
        self.numbers[reference_id] = number
        self.alive.append(np.array([True]))

    def kill(self, reference_id: ReferenceId) -> bool:
        """Never return a reference again; False if it is unknown."""
        number = self.numbers.pop(reference_id, None)
        if number is None:
            return False
        self.alive.rows(number, 1)[0] = False
        return True

    def reclaimed(self) -> _Contents:
        """A copy without the dead."""
        alive = self.alive.rows(0, len(self.ids))
        copy = _Contents()
        copy.ids = list(self.numbers)
        copy.numbers = {reference_id: number for number, reference_id in enumerate(copy.ids)}
        copy.alive.append(np.ones(len(copy.ids), np.bool_))
        copy.prints = {position: prints.kept(alive) for position, prints in self.prints.items()}
        for prints in copy.prints.values():
            if prints.index.outgrown:
                prints.index.adopt(prints.index.arranged())
        return copy

    def allowed(
        self, within: Collection[ReferenceId] | None, exclude: Collection[ReferenceId]
    ) -> NDArray[np.bool_]:
        """The references a search is over: bool[references]."""
        if within is None:
            allowed: NDArray[np.bool_] = self.alive.rows(0, len(self.ids)).copy()
        else:
            allowed = np.zeros(len(self.ids), np.bool_)
            allowed[[self.numbers[each] for each in within if each in self.numbers]] = True
        allowed[[self.numbers[each] for each in exclude if each in self.numbers]] = False
        return allowed


class Shard:
    """References and their prints. Searches run together, and while references are added."""

    def __init__(self) -> None:
        self._contents = _Contents()
        self._sequence = 0
        #: One change at a time; `_lock` is held only for moments, so searches go on during long changes.
        self._changes = threading.Lock()
        self._lock = ReadWriteLock()

    def __len__(self) -> int:
        """References that can be found."""
        return len(self._contents.numbers)

    @property
    def sequence(self) -> int:
        """The highest sequence number applied."""
        return self._sequence

    @property
    def nbytes(self) -> int:
        """Bytes of memory of all prints."""
        return sum(prints.nbytes for prints in self._contents.prints.values())

    def add(self, reference_id: ReferenceId, tenprint: PreparedTenprint, sequence: int) -> None:
        """Add a reference, in the place of the one of the same id; the very next search finds it."""
        with self._changes:
            with self._lock.writing():
                self._contents.kill(reference_id)
                self._contents.append(reference_id, tenprint)
                self._sequence = max(self._sequence, sequence)
            self._tidy()

    def remove(self, reference_id: ReferenceId, sequence: int) -> None:
        """Never return a reference again; nothing happens if it is unknown."""
        with self._changes:
            with self._lock.writing():
                self._contents.kill(reference_id)
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
            contents, as_of = self._contents, self._sequence
            allowed = contents.allowed(within, exclude)
            numbers = _shortlist(contents, probe, allowed, max(limit, _shortlist_size(probe)))
        return CandidateList(
            candidates=ranked(_compared(contents, probe, numbers), limit=limit),
            threshold=threshold,
            gallery_size=int(np.count_nonzero(allowed)),
            as_of=as_of,
            complete=True,
        )

    def _tidy(self) -> None:
        """Reclaim what is dead, and arrange what has outgrown its index, beside running searches."""
        contents = self._contents
        if contents.dead > max(DEAD_LEAST, DEAD_SHARE * len(contents.ids)):
            contents = contents.reclaimed()
            with self._lock.writing():
                self._contents = contents
        for prints in contents.prints.values():
            if prints.index.outgrown:
                arrangement = prints.index.arranged()
                with self._lock.writing():
                    prints.index.adopt(arrangement)


def _shortlist_size(probe: PreparedTenprint) -> int:
    return SHORTLIST.get(len(probe), SHORTLIST_MANY)


def _shortlist(
    contents: _Contents, probe: PreparedTenprint, allowed: NDArray[np.bool_], size: int
) -> NDArray[np.int64]:
    """Numbers of the references worth an exact comparison, fused over fingers before the list is cut."""
    searched = np.flatnonzero(allowed)
    if len(searched) <= max(EXHAUSTIVE, size):
        return searched
    only = None if len(searched) == len(allowed) else allowed
    fused = np.zeros(len(allowed), np.float32)
    for position, finger in probe.items():
        best = np.zeros(len(allowed), np.float32)
        for prints in _stored(contents, position):
            votes = np.zeros(len(allowed), np.float32)
            prints.index.vote(finger.descriptors, angles_of(finger), votes, only)
            np.maximum(best, votes, out=best)
        fused += best
    order = np.argpartition(-fused, size)[:size]
    return order[fused[order] > 0.0]


def _stored(contents: _Contents, position: FingerPosition) -> Iterator[Prints]:
    return (contents.prints[each] for each in comparable(position) if each in contents.prints)


def _compared(
    contents: _Contents, probe: PreparedTenprint, numbers: NDArray[np.int64]
) -> Iterator[Candidate]:
    """Exact comparisons with some references; those without a finger to compare are no candidates."""
    fingers: dict[int, dict[FingerPosition, Score]] = {}
    for position, finger in probe.items():
        scores: dict[int, list[Score]] = {}
        for prints in _stored(contents, position):
            found = [(number, prints.get(number)) for number in numbers.tolist()]
            known = [(number, reference) for number, reference in found if reference is not None]
            compared = score_many(finger, [reference for _, reference in known])
            for (number, _), score in zip(known, compared.tolist(), strict=True):
                scores.setdefault(number, []).append(Score(score))
        for number, of_finger in scores.items():
            fingers.setdefault(number, {})[position] = best_of(of_finger)
    for number, of_fingers in fingers.items():
        yield Candidate(contents.ids[number], 0, fuse(of_fingers), of_fingers)
