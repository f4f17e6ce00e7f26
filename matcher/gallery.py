"""Who is it? The 1:N page: add references, remove them, search among them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from matcher.bodies import HeldBodies, NewBodies
from matcher.candidates import Candidate, CandidateList, ReferenceId, ranked
from matcher.columns import State
from matcher.errors import GalleryUnavailable, ShardUnavailable
from matcher.prepared_prints import decode
from matcher.references import PreparedTenprint, prepare_tenprint
from matcher.scoring import Score
from matcher.shard import Search, Shard
from matcher.shortlist import looks_of, merged
from matcher.template import Tenprint
from matcher.traits import Filter, Traits
from matcher.turns import Priority

__all__ = ["Candidate", "CandidateList", "Filter", "Gallery", "Priority", "ReferenceId", "Sizes", "Traits"]

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many references are compared exactly.

    least: for probes of one finger, of two …, the last for more;
    share: likewise, of the gallery, if that is more. Origin: measured recall, docs/identification.md.
    deep_least, deep: likewise both, where nothing among those reached the score `sure`: a mate whose print
    shares only a part with the probe stands further down.
    scarce, most: with fewer minutiae a finger than `scarce`, more by the square of what is missing, up to
    `most` times as many; a comparison of few minutiae costs less.
    A search over no more than these compares all of them: it misses nothing.
    """

    least: tuple[int, ...] = (200, 100, 60, 40)
    share: tuple[float, ...] = (0.002, 0.0005, 0.0002, 0.0001)
    deep_least: tuple[int, ...] = (3000, 200, 60, 40)
    deep: tuple[float, ...] = (0.012, 0.001, 0.0004, 0.0002)
    sure: Score = Score(70.0)  # noqa: RUF009 - a float
    scarce: float = 40.0
    most: float = 12.0

    def compared(self, probe: PreparedTenprint, limit: int, gallery_size: int) -> tuple[int, int]:
        """References compared exactly for one probe: at first, and in all where nobody is sure."""
        fingers = max(len(probe), 1)
        minutiae = sum(len(finger.prepared) for finger in probe.values()) / fingers
        scarcity = min(self.most, max(1.0, (self.scarce / max(minutiae, 1.0)) ** 2))
        least, share, deep_least, deep = (
            each[min(fingers, len(each)) - 1] for each in (self.least, self.share, self.deep_least, self.deep)
        )
        first = max(limit, round(scarcity * max(least, share * gallery_size)))
        return first, max(first, round(scarcity * max(deep_least, deep * gallery_size)))


DEFAULT_SIZES = Sizes()


class Gallery:
    """References that can be searched, in one or more shards. Every method may be called from any thread."""

    def __init__(
        self,
        *,
        shards: int | Sequence[Shard] = 1,
        sizes: Sizes = DEFAULT_SIZES,
        new_bodies: NewBodies = HeldBodies,
    ) -> None:
        """The shards, or how many and where they keep the bodies of prints."""
        if isinstance(shards, int):
            shards = [Shard(new_bodies=new_bodies) for _ in range(shards)]
        self._shards = tuple(shards)
        self._sizes = sizes

    def __len__(self) -> int:
        """References that can be found."""
        return sum(len(shard) for shard in self._shards)

    @property
    def sequence(self) -> int:
        """The change up to which every shard is known to have followed."""
        return min(shard.sequence for shard in self._shards)

    @property
    def nbytes(self) -> int:
        """Bytes of memory of all prints."""
        return sum(shard.nbytes for shard in self._shards)

    def add(
        self,
        reference_id: ReferenceId,
        tenprint: Tenprint | PreparedTenprint,
        *,
        sequence: int = 0,
        traits: Traits | None = None,
    ) -> None:
        """Add a reference, or replace it; the very next search finds it.

        sequence: the number of the change in the change log.
        """
        prepared = prepare_tenprint(tenprint)
        owner = self._owner(reference_id)
        owner.add(reference_id, prepared, sequence, traits or Traits())
        self._advance(owner, sequence)

    def extend(
        self,
        ids: Sequence[ReferenceId],
        encoded: Sequence[bytes],
        traits: Sequence[Traits],
        *,
        sequence: int = 0,
    ) -> None:
        """Add or replace many references by their prepared prints, as `matcher.prepared_prints` writes them.

        No id twice. Raises ValueError for other bytes; then nothing was added.
        """
        shares = []
        for shard in self._shards:
            own = [number for number, each in enumerate(ids) if self._owner(each) is shard]
            shares.append((shard, own, decode([encoded[number] for number in own])))
        for shard, own, copies in shares:
            shard.extend(
                [ids[number] for number in own], copies, sequence, [traits[number] for number in own]
            )

    def remove(self, reference_id: ReferenceId, *, sequence: int = 0) -> None:
        """Never return a reference again; nothing happens if it is unknown."""
        owner = self._owner(reference_id)
        owner.remove(reference_id, sequence)
        self._advance(owner, sequence)

    def advance(self, sequence: int) -> None:
        """Learn of changes that touch no reference; the sequence never falls."""
        for shard in self._shards:
            shard.advance(sequence)

    def state(self) -> list[tuple[State, int]]:
        """What each shard holds and the sequence it stands at, for `restore`; searches and changes go on."""
        return [shard.state() for shard in self._shards]

    def restore(self, states: Sequence[tuple[State, int]]) -> None:
        """Hold what `state` gave, in a gallery of as many shards.

        Raises KeyError or ValueError where it does not fit; then the gallery is empty.
        """
        try:
            for shard, (state, sequence) in zip(self._shards, states, strict=True):
                shard.restore(state, sequence)
        except (KeyError, ValueError):
            self.clear()
            raise

    def clear(self) -> None:
        """Hold nothing, and know of no change."""
        for shard in self._shards:
            shard.clear()

    def search(
        self,
        probe: Tenprint | PreparedTenprint,
        *,
        limit: int,
        threshold: Score,
        within: Collection[ReferenceId] | None = None,
        exclude: Collection[ReferenceId] = (),
        only: Filter | None = None,
        priority: Priority = Priority.DESK,
        exhaustive: bool = False,
    ) -> CandidateList:
        """The `limit` references most similar to the probe, also those below the threshold.

        within:     search among these only, None for all; without those in `exclude`.
        only:       search among those whose traits pass.
        exhaustive: compare everything exactly: slow, and misses nothing.
        A shard that does not answer makes the answer incomplete; if none does, raises `GalleryUnavailable`.
        """
        prepared = prepare_tenprint(probe)
        known = len(self)
        first, deep = (known, known) if exhaustive else self._sizes.compared(prepared, limit, known)
        search = Search(within=within, exclude=exclude, only=only or Filter(), priority=priority)
        looks = looks_of(prepared)
        lists = self._ask(self._shards, lambda shard: shard.shortlist(looks, max(deep, 1), search))
        found: list[Candidate] = []
        reached = tuple(lists)
        for kept in merged(list(lists.values()), first, *((deep,) if deep > first else ())):
            look = dict(zip(lists, kept, strict=True))
            compared = partial(_compared, probe=prepared, ids=look, limit=limit, priority=priority)
            answers = self._ask(reached, compared)
            found += [each for part in answers.values() for each in part]
            reached = tuple(answers)
            if any(each.score >= self._sizes.sure for each in found):
                break
        if not reached:
            raise GalleryUnavailable("no part of the gallery answers; the search was not made")
        return CandidateList(
            candidates=ranked(found, limit=limit),
            threshold=threshold,
            gallery_size=sum(lists[shard].searched for shard in reached),
            as_of=min(lists[shard].as_of for shard in reached),
            complete=len(reached) == len(self._shards),
        )

    @staticmethod
    def _ask(shards: Sequence[Shard], question: Callable[[Shard], Answer]) -> dict[Shard, Answer]:
        """The answers of the shards that can be reached."""
        answers = {}
        for shard in shards:
            try:
                answers[shard] = question(shard)
            except ShardUnavailable:
                continue
        return answers

    def _owner(self, reference_id: ReferenceId) -> Shard:
        """The shard of a reference, the same in every process."""
        return self._shards[zlib.crc32(reference_id.encode()) % len(self._shards)]

    def _advance(self, owner: Shard, sequence: int) -> None:
        """Tell the shards a change did not touch that they have missed nothing."""
        for shard in self._shards:
            if shard is not owner:
                shard.advance(sequence)


def _compared(
    shard: Shard,
    *,
    probe: PreparedTenprint,
    ids: Mapping[Shard, Sequence[ReferenceId]],
    limit: int,
    priority: Priority,
) -> tuple[Candidate, ...]:
    """What a shard answers to a look."""
    return shard.compare(probe, ids[shard], limit, priority)
