"""Who is it? The 1:N page: add references, remove them, search among them."""

from __future__ import annotations

import zlib
from collections.abc import Collection

from matcher.candidates import Candidate, CandidateList, ReferenceId, merge
from matcher.comparison import prepare
from matcher.references import PreparedTenprint
from matcher.scoring import Score
from matcher.shard import Shard, Sizes
from matcher.template import Tenprint

__all__ = ["Candidate", "CandidateList", "Gallery", "ReferenceId"]

DEFAULT_SIZES = Sizes()


class Gallery:
    """References that can be searched, in one or more shards. Every method may be called from any thread."""

    def __init__(self, *, shards: int = 1, sizes: Sizes = DEFAULT_SIZES) -> None:
        self._shards = tuple(Shard(sizes) for _ in range(shards))

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

    def add(self, reference_id: ReferenceId, tenprint: Tenprint, *, sequence: int = 0) -> None:
        """Add a reference, or replace it; the very next search finds it.

        sequence: the number of the change in the change log.
        """
        prepared = _prepared(tenprint)
        owner = self._owner(reference_id)
        owner.add(reference_id, prepared, sequence)
        self._advance(owner, sequence)

    def remove(self, reference_id: ReferenceId, *, sequence: int = 0) -> None:
        """Never return a reference again; nothing happens if it is unknown."""
        owner = self._owner(reference_id)
        owner.remove(reference_id, sequence)
        self._advance(owner, sequence)

    def advance(self, sequence: int) -> None:
        """Learn of changes that touch no reference; the sequence never falls."""
        for shard in self._shards:
            shard.advance(sequence)

    def search(
        self,
        probe: Tenprint,
        *,
        limit: int,
        threshold: Score,
        within: Collection[ReferenceId] | None = None,
        exclude: Collection[ReferenceId] = (),
    ) -> CandidateList:
        """The `limit` references most similar to the probe, also those below the threshold.

        within:  search among these only, None for all; without those in `exclude`.
        """
        prepared = _prepared(probe)
        answers = [
            shard.search(prepared, limit=limit, threshold=threshold, within=within, exclude=exclude)
            for shard in self._shards
        ]
        return merge(answers, limit=limit)

    def _owner(self, reference_id: ReferenceId) -> Shard:
        """The shard of a reference, the same in every process."""
        return self._shards[zlib.crc32(reference_id.encode()) % len(self._shards)]

    def _advance(self, owner: Shard, sequence: int) -> None:
        """Tell the shards a change did not touch that they have missed nothing."""
        for shard in self._shards:
            if shard is not owner:
                shard.advance(sequence)


def _prepared(tenprint: Tenprint) -> PreparedTenprint:
    return {position: prepare(template) for position, template in tenprint.items()}
