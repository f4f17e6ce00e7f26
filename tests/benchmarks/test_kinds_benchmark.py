"""What the benchmark of kinds counts, on synthetic people."""

from __future__ import annotations

import numpy as np

from benchmarks.kinds import lines, read_alike
from fixtures.templates import person
from matcher.codes import FINGERS


def test_minutiae_of_one_finger_are_read_alike_more_often() -> None:
    """A capture misreads one kind in ten, so two agree on 82 in a hundred; other fingers by chance."""
    fingers = [(n, person(78, n).capture(FINGERS[0], c)) for n in range(30) for c in range(2)]
    mated, other = (read_alike(fingers, mated=mated).sum(axis=1) for mated in (True, False))
    assert 0.78 < mated[0] / mated[1] < 0.86
    assert 0.45 < other[0] / other[1] < 0.65
    assert np.all(read_alike(fingers, mated=True)[0] <= read_alike(fingers, mated=True)[1])
    assert [line.split(",")[0] for line in lines({"synthetic": fingers})] == ["mated", "non-mated"]
