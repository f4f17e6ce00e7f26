"""`python -m benchmarks.train_trust OUT.json`: what the circumstances of a comparison are worth.

Fits `matcher.measures.trust`: a logistic regression of "mated" on the logarithm of worth · share · ridges and
on the other measures, whose joint effect is bounded. Mated and non-mated pairs come from synthetic people
(`fixtures.templates`) whose second captures are made harder; no real finger is in the numbers, so every real
set tests it unseen. Writes what `matcher/trust.json` holds; `matcher/trust.md` is its card. Some minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.harder import WAYS
from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.comparison import measured, prepare
from matcher.measures import COUNT, FURTHEST, NAMES, REACH
from matcher.prepared import PreparedTemplate
from matcher.template import Template

Floats = NDArray[np.float64]

#: The population that trains; no other part of the project uses this seed.
SEED: Final = 20_260_003
PEOPLE: Final = 240
CAPTURES: Final = 4
#: Non-mated comparisons for each mated one.
NON_MATED: Final = 12
#: What a false match costs against a missed one: the raw score is used where false matches are rare.
COST: Final = 300.0
#: Pull of the slopes towards 0, against a mean loss.
SHRINKAGE: Final = 1e-5
#: Added to the evidence before its logarithm.
_LEAST: Final = 0.05


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Comparisons: log evidence float64[n], measures float64[n, COUNT], mated bool[n]; weights sum to 1."""

    evidence: Floats
    measures: Floats
    mated: NDArray[np.bool_]
    weights: Floats


def sample(people: int = PEOPLE, *, with_field: bool) -> Sample:
    """Compare second captures, made harder in turn, with first ones: mates and others."""
    rng = np.random.default_rng(SEED)
    rows = [
        (np.log(evidence + _LEAST), measures, mated)
        for probe, references in _probes(people, rng, with_field=with_field)
        for reference, mated in references
        for evidence, measures in (measured(probe, reference),)
        # What ends without evidence scores 0 whatever the trust.
        if evidence > 0.0
    ]
    mated = np.array([row[2] for row in rows])
    weights = np.where(mated, 1.0 / mated.sum(), COST / (~mated).sum())
    return Sample(
        evidence=np.array([row[0] for row in rows]),
        measures=np.stack([row[1] for row in rows]),
        mated=mated,
        weights=weights / weights.sum(),
    )


def _probes(
    people: int, rng: np.random.Generator, *, with_field: bool
) -> Iterator[tuple[PreparedTemplate, list[tuple[PreparedTemplate, bool]]]]:
    """A probe and the references it is compared with, each mated or not, way by way."""

    def ready(template: Template) -> PreparedTemplate:
        return prepare(template if with_field else dataclasses.replace(template, field=None))

    captures = [
        [person(SEED, n).capture(FINGERS[n % len(FINGERS)], c) for c in range(CAPTURES)]
        for n in range(people)
    ]
    references = [[ready(template) for template in of_one] for of_one in captures]
    for harder in WAYS:
        for n, of_one in enumerate(captures):
            for number, template in enumerate(of_one):
                mates = [(r, True) for c, r in enumerate(references[n]) if c != number]
                chosen = rng.integers(0, people, (NON_MATED * len(mates), 2))
                others = [(references[m][c % CAPTURES], False) for m, c in chosen.tolist() if m != n]
                yield ready(harder(template, rng)), mates + others


def fit(compared: Sample) -> dict[str, Any]:
    """The trust table, by name of the measure."""
    mated = compared.mated
    sides = compared.measures[mated], compared.measures[~mated]
    middle = (sides[0].mean(axis=0) + sides[1].mean(axis=0)) / 2.0
    scale = (sides[0].std(axis=0) + sides[1].std(axis=0)) / 2.0
    # A measure that is the same everywhere, as the cells of prints without fields, says nothing.
    scale = np.where(scale > 1e-9, scale, 1.0)
    away = np.clip((compared.measures - middle) / scale, -FURTHEST, FURTHEST)

    def loss(chosen: Floats) -> tuple[float, Floats]:
        steepness, offset, slopes = chosen[0], chosen[1], chosen[2:]
        bounded = np.tanh(away @ slopes / REACH)
        inner = compared.evidence + REACH * bounded
        logit = np.where(mated, 1.0, -1.0) * (steepness * inner + offset)
        value = float(np.sum(compared.weights * np.logaddexp(0.0, -logit)))
        pull = compared.weights * -np.where(mated, 1.0, -1.0) / (1.0 + np.exp(np.minimum(logit, 500.0)))
        to_slopes = away.T @ (pull * steepness * (1.0 - bounded**2))
        gradient = np.concatenate(
            [[pull @ inner, pull.sum()], to_slopes + 2.0 * SHRINKAGE * steepness**2 * slopes]
        )
        gradient[0] += 2.0 * SHRINKAGE * steepness * float(slopes @ slopes)
        return value + SHRINKAGE * steepness**2 * float(slopes @ slopes), gradient

    found = minimize(
        loss, np.r_[5.0, -7.0, np.zeros(COUNT)], jac=True, method="L-BFGS-B", options={"maxiter": 400}
    )
    rows = {"middle": middle, "scale": scale, "slope": found.x[2:]}
    return {
        **{name: dict(zip(NAMES, np.round(row, 5).tolist(), strict=True)) for name, row in rows.items()},
        "mated": int(mated.sum()),
        "non_mated": int((~mated).sum()),
        "loss": round(float(found.fun), 7),
    }


def main() -> None:
    """Fit both tables and write them."""
    parser = argparse.ArgumentParser(description="Fit the trust factor on synthetic people.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    chosen = parser.parse_args()
    tables = {}
    for name, with_field in (("with_field", True), ("without_field", False)):
        tables[name] = fit(sample(chosen.people, with_field=with_field))
        print(name, json.dumps(tables[name]), flush=True)
    chosen.out.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
