"""A part of a gallery that lives in one process: what is kept of its references, and how it is searched.

Nothing here assumes shared memory: a probe goes in, lists come out, changes carry the sequence number of the
change log. `matcher.gallery` asks every shard for its shortlist, cuts them as one, and has what is left
compared where it is kept.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matcher.bodies import HeldBodies, NewBodies
from matcher.candidates import Candidate, ReferenceId
from matcher.codes import FingerPosition
from matcher.columns import State
from matcher.errors import ShardUnavailable
from matcher.exact import compare_exactly
from matcher.locks import ReadWriteLock
from matcher.references import Copies, PreparedTenprint, References
from matcher.scoring import Score
from matcher.shortlist import Shortlist, best_places, similarities, views_of
from matcher.sketches import Look
from matcher.traits import Filter, Traits
from matcher.turns import Priority, Turns, turns

_ALL = Filter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked of a shard beside the probe.

    within:  search among these only, None for all; without those in `exclude`.
    only:    filter by traits.
    """

    within: Collection[ReferenceId] | None = None
    exclude: Collection[ReferenceId] = ()
    only: Filter = _ALL
    priority: Priority = Priority.DESK


class Shard:
    """References and their prints. Searches run together, and while references are added.

    dead_least, dead_share: prints of removed references are dropped from memory once they are more than
    both this many and this share of a position's.
    new_bodies: where the bodies of prints are kept.
    """

    def __init__(
        self,
        *,
        dead_least: int = 256,
        dead_share: float = 0.1,
        threads: Turns | None = None,
        new_bodies: NewBodies = HeldBodies,
    ) -> None:
        self._dead = dead_least, dead_share
        self._turns = threads or turns()
        self._new_bodies = new_bodies
        self._references = References(new_bodies)
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
        return self._references.nbytes

    def add(
        self, reference_id: ReferenceId, tenprint: PreparedTenprint, sequence: int, traits: Traits
    ) -> None:
        """Add a reference, in the place of the one of the same id; the very next search finds it.

        Raises OSError where its prints find no room; then it is not there, the old one neither.
        """
        with self._changes:
            with self._lock.writing():
                self._references.kill(reference_id)
                self._references.append(reference_id, tenprint, traits)
                self._sequence = max(self._sequence, sequence)
            self._reclaim()

    def extend(
        self,
        ids: Sequence[ReferenceId],
        copies: Mapping[FingerPosition, Copies],
        sequence: int,
        traits: Sequence[Traits] | None = None,
    ) -> None:
        """Add many references at once, each in the place of the one of its id; see `References.extend`."""
        with self._changes:
            with self._lock.writing():
                for each in ids:
                    self._references.kill(each)
                self._references.extend(ids, copies, traits)
                self._sequence = max(self._sequence, sequence)
            self._reclaim()

    def remove(self, reference_id: ReferenceId, sequence: int) -> None:
        """Never return a reference again; nothing happens if it is unknown."""
        with self._changes:
            with self._lock.writing():
                self._references.kill(reference_id)
                self._sequence = max(self._sequence, sequence)
            self._reclaim()

    def advance(self, sequence: int) -> None:
        """Learn of a change that touched another shard."""
        with self._changes, self._lock.writing():
            self._sequence = max(self._sequence, sequence)

    def state(self) -> tuple[State, int]:
        """Everything it holds, as arrays by name, and the sequence they stand at; searches go on."""
        with self._changes, self._lock.reading():
            return self._references.state(), self._sequence

    def restore(self, state: State, sequence: int) -> None:
        """Hold what `state` gave, in the place of all else. Raises KeyError or ValueError for another's."""
        self.hold(References.restored(state, self._new_bodies), sequence)

    def hold(self, references: References, sequence: int) -> None:
        """Hold these references in the place of all else."""
        with self._changes, self._lock.writing():
            self._references, self._sequence = references, sequence

    def clear(self) -> None:
        """Hold nothing."""
        with self._changes, self._lock.writing():
            self._references, self._sequence = References(self._new_bodies), 0

    def shortlist(self, looks: Mapping[FingerPosition, Look], size: int, search: Search) -> Shortlist:
        """The `size` references whose sketches are most like what is looked for (`looks_of` a probe)."""
        with self._lock.reading():
            references, as_of = self._references, self._sequence
            allowed = references.allowed(search.within, search.exclude, search.only)
            views = views_of(references, looks)
        total, seen = similarities(views, allowed, self._turns, search.priority)
        numbers = np.flatnonzero(seen)
        values = total[numbers]
        # An id is None from the moment that its reference is removed: it is not compared any more.
        places = best_places(values, lambda place: references.ids[numbers[place]] or "", size)
        named = [(references.ids[numbers[place]], int(values[place])) for place in places]
        listed = [(reference_id, value) for reference_id, value in named if reference_id is not None]
        return Shortlist(
            ids=tuple(reference_id for reference_id, _ in listed),
            similarities=tuple(value for _, value in listed),
            searched=int(np.count_nonzero(allowed)),
            as_of=as_of,
        )

    def compare(
        self, probe: PreparedTenprint, ids: Sequence[ReferenceId], limit: int, priority: Priority
    ) -> tuple[Candidate, ...]:
        """The `limit` best of some references, compared exactly, not ranked yet; none removed meanwhile.

        Raises `ShardUnavailable` where a print cannot be read.
        """
        with self._lock.reading():
            references = self._references
            known = [each for each in ids if each in references.numbers]
            numbers = np.array([references.numbers[each] for each in known], np.int64)
            columns = [list(references.prints_for(position)) for position in probe]
        scores = compare_exactly(probe, columns, numbers, self._turns, priority)
        compared = np.flatnonzero(scores.compared.any(axis=0))
        with self._lock.reading():
            places = [place for place in compared.tolist() if references.ids[numbers[place]] is not None]
        if scores.unread[places].any():
            raise ShardUnavailable("prints of this part of the gallery cannot be read: they were changed")
        best = best_places(scores.fused[places], lambda k: known[places[k]], limit)
        return tuple(
            Candidate(
                reference_id=known[place],
                rank=0,
                score=Score(float(scores.fused[place])),
                fingers={position: Score(score) for position, score in scores.of(place).items()},
            )
            for place in (places[k] for k in best)
        )

    def _reclaim(self) -> None:
        """Drop the prints of the dead from memory, position by position, beside running searches."""
        references, (least, share) = self._references, self._dead
        for position, prints in references.prints.items():
            if prints.dead > max(least, share * len(prints)):
                kept = prints.kept(references.alive.all())
                with self._lock.writing():
                    references.prints[position] = kept
