"""Can a simple classifier tell synthetic from real? Logistic regression, and three questions to it.

A classifier that has seen a scanner knows it again: it tells any two scanners apart. What matters is whether
it knows synthetic pictures from real ones of a scanner that it has not seen, and whether it would not say the
same of any one real scanner against the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

#: Strength of the penalty on the weights, for standardised features and a mean loss.
_PENALTY: Final = 1e-2
_STEPS: Final = 25
_SPLITS: Final = 5
_ROUNDS: Final = 400


@dataclass(frozen=True, slots=True, eq=False)
class Textures:
    """A set's pictures: features float64[n, k], and the subject of each, intp[n]."""

    features: Floats
    owners: NDArray[np.intp]

    def of(self, chosen: Flags) -> Floats:
        """The features of chosen pictures."""
        return self.features[chosen]


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """Says `True` where weights · standardised features + offset > 0."""

    mean: Floats
    deviation: Floats
    weights: Floats

    def says(self, features: Floats) -> Flags:
        """Decide each row at even odds: bool[rows]."""
        return np.asarray(_standardised(features, self.mean, self.deviation) @ self.weights > 0)


def fit(features: Floats, labels: Flags, weight: Floats) -> Logistic:
    """Newton's method on the weighted logistic loss with a quadratic penalty.

    features: float64[n, k]; labels: bool[n]; weight: float64[n], what each row counts.
    """
    share = weight / weight.sum()
    mean = share @ features
    deviation = np.sqrt(share @ (features - mean) ** 2) + 1e-9
    x = _standardised(features, mean, deviation)
    penalty = np.full(x.shape[1], _PENALTY)
    penalty[-1] = 1e-9
    weights = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ weights, -30.0, 30.0)))
        slope = x.T @ (share * (p - labels)) + penalty * weights
        bend = (x * (share * np.maximum(p * (1.0 - p), 1e-6))[:, None]).T @ x + np.diag(penalty)
        weights = weights - np.linalg.solve(bend, slope)
    return Logistic(mean, deviation, weights)


def unseen_scanner(own: Textures, others: Mapping[str, Textures]) -> dict[str, Any]:
    """Is a picture of `own`, or of a set that was not seen in training? Each of `others` is left out in turn.

    Trained on half the owners of `own` and all other sets but one; asked about the other half and that one.
    The right answers of both kinds weigh the same, so that guessing gives 0.5.
    """
    entries, rounds = {}, []
    for name, left_out in others.items():
        rest = [textures for other, textures in others.items() if other != name]
        right_own, right_out = np.zeros(len(own.owners)), np.zeros(len(left_out.owners))
        for half in _halves(own.owners, np.random.default_rng(0)):
            model = _trained([left.features for left in rest], [own.of(half)])
            right_own[~half] = ~model.says(own.of(~half))
            right_out += 0.5 * model.says(left_out.features)
        entries[name] = _accuracy(right_out.mean(), right_own.mean())
        rounds.append(0.5 * (_again(right_out, left_out.owners) + _again(right_own, own.owners)))
    low, high = np.percentile(np.mean(rounds, axis=0), [2.5, 97.5])
    mean = float(np.mean([entry["right"] for entry in entries.values()]))
    return {"right": mean, "ci95": [float(low), float(high)], "left_out": entries}


def control(sets: Mapping[str, Textures]) -> dict[str, Any]:
    """The same question about each real set against the other real ones."""
    entries = {
        name: unseen_scanner(own, {other: sets[other] for other in sets if other != name})["right"]
        for name, own in sets.items()
    }
    return {"right": float(np.mean(list(entries.values()))), "sets": entries}


def pooled(own: Textures, others: Mapping[str, Textures]) -> dict[str, Any]:
    """All scanners are known: trained on half the owners of every set, asked about the other half."""
    rng = np.random.default_rng(0)
    rights, by_set = [], []
    for _ in range(_SPLITS):
        own_half = next(_halves(own.owners, rng))
        halves = {name: next(_halves(textures.owners, rng)) for name, textures in others.items()}
        model = _trained([others[name].of(half) for name, half in halves.items()], [own.of(own_half)])
        found = {name: float(model.says(others[name].of(~half)).mean()) for name, half in halves.items()}
        own_found = float((~model.says(own.of(~own_half))).mean())
        rights.append(0.5 * (float(np.mean(list(found.values()))) + own_found))
        by_set.append([own_found, *found.values()])
    names = ["synthetic", *others]
    return {
        "right": float(np.mean(rights)),
        "range": [min(rights), max(rights)],
        "sets": dict(zip(names, np.mean(by_set, axis=0).tolist(), strict=True)),
    }


def _trained(true: list[Floats], false: list[Floats]) -> Logistic:
    """Every set weighs the same within its kind, both kinds weigh the same."""
    features = np.concatenate([*true, *false])
    labels = np.arange(len(features)) < sum(len(rows) for rows in true)
    weight = [np.full(len(rows), 1.0 / (len(kind) * len(rows))) for kind in (true, false) for rows in kind]
    return fit(features, labels, np.concatenate(weight))


def _halves(owners: NDArray[np.intp], rng: np.random.Generator) -> Iterator[Flags]:
    """A random half of the owners, then the other one: which pictures are theirs, bool[n]."""
    everyone = np.unique(owners)
    chosen = np.isin(owners, rng.permutation(everyone)[: len(everyone) // 2])
    yield chosen
    yield ~chosen


def _accuracy(out: float, own: float) -> dict[str, float]:
    return {"right": 0.5 * (out + own), "of_left_out": float(out), "of_own": float(own)}


def _again(right: Floats, owners: NDArray[np.intp]) -> Floats:
    """Share of right answers when owners are drawn again: float64[rounds]."""
    rng = np.random.default_rng(1)
    _, numbers = np.unique(owners, return_inverse=True)
    count = int(numbers.max()) + 1
    total, pictures = np.bincount(numbers, right, count), np.bincount(numbers, minlength=count)
    draws = rng.integers(0, count, (_ROUNDS, count))
    return np.asarray(total[draws].sum(axis=1) / pictures[draws].sum(axis=1))


def _standardised(features: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Features in deviations from the mean, with a column of ones."""
    return np.column_stack([(features - mean) / deviation, np.ones(len(features))])
