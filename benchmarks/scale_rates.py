"""What the searches of `benchmarks.scale` add up to: ranks, error rates, times, with the searches behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from matcher.scoring import Score

#: FPIR at which FNIR is told, if there are enough searches to tell.
FPIRS: Final = (1e-2, 1e-3)
#: Candidates asked for in a search, by its fingers; as many are compared at least.
LISTED: Final[Mapping[int, int]] = {1: 100, 2: 100, 4: 20, 10: 20}
#: A mate that exact comparison gives this score is one a search should find: one false match in 10,000.
ACCEPTED: Final = Score(40.0)


class Searched(Protocol):
    """What is known of one search: see `benchmarks.scale.Outcome`."""

    @property
    def rank(self) -> int:
        """Of the mate."""

    @property
    def mated(self) -> float:
        """The mate's score on the list."""

    @property
    def exact(self) -> float:
        """The mate's score, compared directly."""

    @property
    def nonmated(self) -> float:
        """The best other one's."""

    @property
    def elapsed_ms(self) -> float:
        """By the clock."""

    @property
    def processor_ms(self) -> float:
        """Of all threads."""


def report_of(fingers: int, outcomes: Sequence[Searched], strangers: Sequence[Searched]) -> dict[str, Any]:
    """Ranks, FNIR at each FPIR, and what the shortlist lost, each with the upper end of its 95 % interval.

    strangers: searches for people who are not enrolled. What stands beside a mate says less of them: a search
    that is sure of somebody compares no more.
    """
    ranks = np.array([each.rank for each in outcomes])
    accepted = [each for each in outcomes if each.exact >= ACCEPTED]
    lost = sum(each.rank == 0 for each in accepted)
    return {
        "fingers": fingers,
        "searches": len(outcomes),
        **{f"rank_{rank}": float(np.mean((ranks > 0) & (ranks <= rank))) for rank in (1, 10, 100)},
        "cmc": [float(np.mean((ranks > 0) & (ranks <= rank))) for rank in range(1, LISTED[fingers] + 1)],
        "strangers": len(strangers),
        "rates": [_rate(outcomes, strangers, fpir) for fpir in FPIRS if fpir * len(strangers) >= 1.0],
        "det": _det(outcomes, strangers),
        "accepted": len(accepted),
        "lost_by_shortlist": lost,
        "lost_share_below": upper(lost, len(accepted)),
        **times_of(outcomes),
        **{f"stranger_{name}": value for name, value in times_of(strangers).items()},
    }


def _rate(outcomes: Sequence[Searched], strangers: Sequence[Searched], fpir: float) -> dict[str, float]:
    """FNIR at the threshold that a share `fpir` of the searches for strangers reach."""
    best = sorted((each.nonmated for each in strangers), reverse=True)
    threshold = float(np.nextafter(best[int(len(best) * fpir)], np.inf))
    missed = sum(each.mated < threshold for each in outcomes)
    return {
        "fpir": fpir,
        "threshold": threshold,
        "fnir": missed / len(outcomes),
        "fnir_below": upper(missed, len(outcomes)),
    }


def _det(outcomes: Sequence[Searched], strangers: Sequence[Searched]) -> list[tuple[float, float]]:
    """FPIR and FNIR at every threshold that makes a difference to FPIR."""
    mated = np.array([each.mated for each in outcomes])
    nonmated = np.array([each.nonmated for each in strangers])
    levels = np.unique(nonmated)[:: max(1, len(strangers) // 400)]
    return [(float(np.mean(nonmated >= level)), float(np.mean(mated < level))) for level in levels]


def times_of(outcomes: Sequence[Searched]) -> dict[str, float]:
    """Percentiles of the clock's milliseconds, and the median of the processor's."""
    times = [each.elapsed_ms for each in outcomes]
    told = {f"ms_p{share}": float(np.percentile(times, share)) for share in (50, 95, 99)}
    return told | {"processor_ms_p50": float(np.median([each.processor_ms for each in outcomes]))}


def upper(events: int, trials: int) -> float:
    """Upper end of the 95 % Wilson interval of a share (Wilson, JASA 1927)."""
    if trials == 0:
        return 1.0
    share, square = events / trials, 1.96**2
    spread = 1.96 * np.sqrt(share * (1.0 - share) / trials + square / (4 * trials**2))
    return float((share + square / (2 * trials) + spread) / (1.0 + square / trials))
