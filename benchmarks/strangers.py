"""Synthetic people for galleries of any size: made again, alike, whenever they are needed.

Making a million prints takes the better part of an hour of one core, so `make` keeps them in a folder, some
thousand people of one finger a file, and goes on where it was interrupted; `grow` fills a gallery from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from fixtures.templates import tenprints
from matcher.candidates import ReferenceId
from matcher.codes import FINGERS, FingerPosition
from matcher.columns import State
from matcher.comparison import prepare
from matcher.prints import Prints
from matcher.references import Copies
from matcher.shard import Shard
from matcher.sketches import sketch_of
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
#: People in a file, and made at once.
PART: Final = 5_000
_BATCH: Final = 500


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


def make(people: int, used: Sequence[FingerPosition], folder: Path, progress: Progress) -> int:
    """Prepare capture 1 of so many people, on all cores, unless the folder has them; gives how many prints.

    The prints are of nobody: they lie there as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [
        (position, part, min(PART, people - part * PART))
        for position in used
        for part in range(-(-people // PART))
        if not _has(_file(folder, position, part), min(PART, people - part * PART))
    ]
    with ThreadPoolExecutor(turns().threads) as pool:
        for done, _ in enumerate(pool.map(lambda each: _make(folder, *each), wanted), start=1):
            progress("making prints", done, len(wanted))
    return sum(count for _, _, count in wanted)


def _file(folder: Path, position: FingerPosition, part: int) -> Path:
    return folder / f"{position.value:02d}-{part:03d}.npz"


def _has(path: Path, people: int) -> bool:
    if not path.exists():
        return False
    with np.load(path) as stored:
        return len(stored["references"]) >= people


def _make(folder: Path, position: FingerPosition, part: int, people: int) -> None:
    prints, first = Prints(), part * PART
    for begin in range(0, people, _BATCH):
        for number, tenprint in people_of(first + begin, min(_BATCH, people - begin), (position,), 1):
            prepared = prepare(tenprint[position])
            prints.append(number - first, prepared, sketch_of(prepared))
    partial = _file(folder, position, part).with_suffix(".partial")
    with partial.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **prints.state())
    partial.rename(_file(folder, position, part))


def grow(
    shard: Shard, last: int, used: Sequence[FingerPosition], folder: Path, pool: int | None = None
) -> None:
    """Add people from the folder until there are `last`.

    pool: only the first so many are people; beyond, each is put together from fingers of several of them, so
    that memory and time can be measured at sizes that nobody waits for. No pair of fingers comes twice.
    """
    pool = pool or last
    while (first := len(shard)) < last:
        lap, place = divmod(first, pool)
        count = min(PART - place % PART, pool - place, last - first)
        rows = np.arange(place % PART, place % PART + count)
        shard.extend(
            [synthetic_id(number) for number in range(first, first + count)],
            {
                position: Copies(
                    _part(folder, position, (place // PART + lap * each) % -(-pool // PART)),
                    (rows + 137 * lap * each) % min(PART, pool),
                    np.arange(count),
                )
                for each, position in enumerate(used, start=1)
            },
            first + count,
        )


def _part(folder: Path, position: FingerPosition, part: int) -> Prints:
    with np.load(_file(folder, position, part)) as stored:
        state: State = {name: stored[name] for name in stored.files}
    return Prints.restored(state, np.ones(int(state["references"][-1]) + 1, np.bool_))
