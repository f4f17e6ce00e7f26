"""Several fingers of one person, one score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matcher.codes import FingerPosition
from matcher.scoring import Score

#: −10·log10 of a probability in natural units.
_PER_NAT = 10.0 / math.log(10.0)


def fuse(scores: Mapping[FingerPosition, Score]) -> Score:
    """The score of all compared fingers together: Fisher's method of combining independent tests.

    Under the assumption that fingers of different people agree independently, the sum of n scores has a
    gamma distribution; what comes out is −10·log10 of its tail, so it has the same unit as one finger's.
    One finger's score stays as it is; no finger gives 0.
    """
    total = sum(scores.values()) / _PER_NAT
    # The tail of a gamma distribution of whole order n: exp(−x)·Σ xᵏ/k! over k < n.
    term, series = 1.0, 1.0
    for k in range(1, len(scores)):
        term *= total / k
        series += term
    return Score(max(0.0, total - math.log(series)) * _PER_NAT)


def best_of(scores: Sequence[Score]) -> Score:
    """The score of a finger that was compared with several prints of one reference, at least one.

    The best of n has n chances to match falsely, which costs 10·log10 n.
    """
    return Score(max(0.0, max(scores) - 10.0 * math.log10(len(scores))))
