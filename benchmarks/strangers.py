"""Synthetic people for galleries of any size: made again, alike, whenever they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from fixtures.templates import tenprints
from matcher.candidates import ReferenceId
from matcher.codes import FINGERS, FingerPosition
from matcher.gallery import Gallery
from matcher.template import Tenprint
from matcher.turns import turns

#: Called with (stage, done, total) for a progress bar.
Progress: TypeAlias = Callable[[str, int, int], None]

SEED: Final = 20
#: Fingers of a probe, by how many there are: the most often used ones first.
FINGERS_USED: Final[Mapping[int, tuple[FingerPosition, ...]]] = {
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
#: People made at once.
_BATCH: Final = 100


def synthetic_id(number: int) -> ReferenceId:
    """The reference id of a synthetic person."""
    return ReferenceId(f"synthetic-{number}")


def people_of(
    first: int, count: int, used: Sequence[FingerPosition], capture: int
) -> Iterator[tuple[int, Tenprint]]:
    """People and one capture of each of their fingers."""
    made = tenprints(SEED, first, count, used, (capture,))
    for n in range(count):
        yield first + n, {position: made.template(n * len(used) + k) for k, position in enumerate(used)}


def fill(gallery: Gallery, first: int, last: int, used: Sequence[FingerPosition], progress: Progress) -> None:
    """Add people `first` … `last` - 1 with these fingers, on all cores."""

    def add(begin: int) -> None:
        for number, tenprint in people_of(begin, min(_BATCH, last - begin), used, 1):
            gallery.add(synthetic_id(number), tenprint, sequence=number + 1)

    with ThreadPoolExecutor(turns().threads) as pool:
        for done, _ in enumerate(pool.map(add, range(first, last, _BATCH)), start=1):
            progress("adding", min(first + done * _BATCH, last), last)
