"""Error rates from scores, as the FVC protocol defines them (Maio et al., FVC2000, TPAMI 2002)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ErrorCurve:
    """FMR and FNMR at every threshold that changes either; a comparison matches when score >= threshold."""

    thresholds: Scores
    fmr: Scores
    fnmr: Scores


def error_curve(mated: Scores, nonmated: Scores) -> ErrorCurve:
    """FMR(t) = share of non-mated scores >= t, FNMR(t) = share of mated scores < t."""
    thresholds = np.unique(np.concatenate([mated, nonmated, [np.inf]]))
    accepted = len(nonmated) - np.searchsorted(np.sort(nonmated), thresholds, side="left")
    rejected = np.searchsorted(np.sort(mated), thresholds, side="left")
    return ErrorCurve(thresholds, accepted / max(len(nonmated), 1), rejected / max(len(mated), 1))


def equal_error_rate(mated: Scores, nonmated: Scores) -> float:
    """The rate at which FMR and FNMR meet, as FVC2000 (section 4) defines it between two thresholds.

    t1 is the last threshold with FNMR <= FMR, t2 the first with FNMR >= FMR; the rate is the mean of
    both errors at whichever of the two has the smaller sum.
    """
    curve = error_curve(mated, nonmated)
    sums = curve.fmr + curve.fnmr
    last_below = len(sums) - 1 - int(np.argmax((curve.fnmr <= curve.fmr)[::-1]))
    first_above = int(np.argmax(curve.fnmr >= curve.fmr))
    return float(min(sums[last_below], sums[first_above]) / 2)


def fnmr_at(mated: Scores, nonmated: Scores, fmr: float) -> float:
    """The lowest FNMR among thresholds whose FMR is at most `fmr`."""
    curve = error_curve(mated, nonmated)
    return float(curve.fnmr[curve.fmr <= fmr].min())


@dataclass(frozen=True, slots=True)
class Pooled:
    """Errors at one threshold for several sets that weigh the same.

    fnmr: mean over the sets of the share of mated scores below the threshold; fmr: the same of non-mated
    scores at or above it, at most what was asked for; above: non-mated comparisons at or above it, all sets.
    """

    threshold: float
    fmr: float
    fnmr: float
    above: int


def pooled_fnmr_at(sets: Sequence[tuple[Scores, Scores]], fmr: float) -> Pooled:
    """The lowest threshold at which the mean FMR of all sets is at most `fmr`, and its FNMR.

    sets: mated and non-mated scores of each set, none of them empty.
    """
    nonmated = np.concatenate([scores for _, scores in sets])
    weights = np.concatenate([np.full(len(scores), 1.0 / (len(scores) * len(sets))) for _, scores in sets])
    order = np.argsort(-nonmated, kind="stable")
    falling, reached = nonmated[order], np.cumsum(weights[order])
    # A threshold admits every score equal to it, so the steps end where the score changes.
    ends = np.flatnonzero(np.r_[falling[1:] < falling[:-1], True])
    fit = ends[reached[ends] <= fmr * (1.0 + 1e-12)]
    last = int(fit[-1]) if len(fit) else -1
    threshold = float(np.nextafter(falling[last + 1], np.inf)) if last + 1 < len(falling) else -np.inf
    rejected = [float(np.mean(mated < threshold)) for mated, _ in sets]
    return Pooled(threshold, float(reached[last]) if last >= 0 else 0.0, float(np.mean(rejected)), last + 1)


def bootstrap_eer(
    mated: Scores,
    mated_finger: NDArray[np.intp],
    nonmated: Scores,
    nonmated_fingers: NDArray[np.intp],
    *,
    rounds: int = 200,
    seed: int = 1,
) -> tuple[float, float]:
    """95 % interval of the equal error rate, resampling fingers (not pairs, which depend on each other).

    mated_finger: intp[m], the finger of each mated pair; nonmated_fingers: intp[k, 2], of each non-mated.
    """
    generator = np.random.default_rng(seed)
    count = int(max(mated_finger.max(initial=0), nonmated_fingers.max(initial=0))) + 1
    rates = []
    for _ in range(rounds):
        weight = np.bincount(generator.integers(0, count, count), minlength=count)
        mated_again = np.repeat(mated, weight[mated_finger])
        pair_weight = weight[nonmated_fingers[:, 0]] * weight[nonmated_fingers[:, 1]]
        nonmated_again = np.repeat(nonmated, pair_weight)
        if len(mated_again) and len(nonmated_again):
            rates.append(equal_error_rate(mated_again, nonmated_again))
    if not rates:
        return (0.0, 1.0)
    low, high = np.percentile(rates, [2.5, 97.5])
    return (float(low), float(high))
