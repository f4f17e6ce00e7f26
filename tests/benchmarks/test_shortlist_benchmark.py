"""Ranks of mates in the shortlist, as the benchmark counts them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import shortlist
from benchmarks.harder import unchanged


def test_strangers_before_a_mate_are_counted() -> None:
    """By the whole alone and with the halves, of one finger and of two: as sums written out give it."""
    mates = shortlist.accepted(shortlist.synthetic(6, (unchanged,)))
    assert len(mates) >= 4
    others = shortlist.strangers(40)

    def likeness(mate: shortlist.Mate, sketches: np.ndarray, rows: int) -> np.ndarray:
        products = sketches.astype(int) @ mate.look[:rows].astype(int).T
        return products[:, 0] + (products[:, 1:].max(axis=1) if rows > 1 else 0)

    for rows in (1, len(mates[0].look)):
        own = [int(likeness(mate, mate.reference[None], rows)[0]) for mate in mates]
        theirs = [likeness(mate, others, rows) for mate in mates]
        expected = [np.mean(them > mine) for them, mine in zip(theirs, own, strict=True)]
        np.testing.assert_allclose(shortlist.before(mates, others, rows), expected)
        assert np.mean(expected) < 0.1
        first = np.mean(theirs[0][::2] + theirs[1][1::2] > own[0] + own[1])
        assert shortlist.before_two(mates, others, rows)[0] == pytest.approx(first)


def test_shares_are_told_in_per_cent() -> None:
    """A mate right behind a share of the strangers is not lost when so many are compared."""
    told = shortlist.line("kind", np.array([0.0, 0.001, 0.004, 0.2])).split()
    assert told == ["kind", "4", "50.00", "50.00", "25.00", "25.00", "25.00", "25.00"]
