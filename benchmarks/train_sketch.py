"""`python -m benchmarks.train_sketch OUT.npz`: what makes of a print's descriptors one short code.

Centres by k-means over the descriptors of synthetic people (`fixtures.templates`); then, over pairs of
captures of one finger, some made harder, the projection that whitens what differs within pairs and keeps
the directions in which fingers differ most (learned whitening, Mikolajczyk and Matas, ICCV 2007; in closed
form, nothing is iterated). No real finger is in the numbers. Writes what `matcher/sketch.npz` holds;
`matcher/sketch.md` is its card. About a minute on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks.harder import WAYS
from fixtures.templates import tenprints
from matcher.codes import FINGERS
from matcher.descriptors import DIMENSIONS
from matcher.pairing import WEIGHT
from matcher.prepared import PreparedTemplate, prepare
from matcher.sketches import CENTRES, SKETCH_SIZE, SketchModel, pooled_of

Floats = NDArray[np.float32]

#: The population that trains; no other part of the project uses this seed.
SEED: Final = 20_260_006
#: Fingers, each with two captures; batches of people give one position each, the ten in turn.
PEOPLE: Final = 10_000
BATCH: Final = 250
#: Rounds of k-means, over every third descriptor.
ROUNDS: Final = 12
#: How far the covariance within pairs is drawn towards a sphere. Origin: best of 0.02-0.4, flat around.
SHRINKAGE: Final = 0.2

#: Its type hints know the C++ arguments only.
_FAISS: Any = faiss


def pairs_of_prints(people: int, first_person: int = 0) -> list[tuple[PreparedTemplate, PreparedTemplate]]:
    """Two captures of one finger of each person, the second made harder in turn."""
    rng = np.random.default_rng(SEED + first_person)
    pairs = []
    for first in range(first_person, first_person + people, BATCH):
        count = min(BATCH, first_person + people - first)
        made = tenprints(SEED, first, count, (FINGERS[first // BATCH % len(FINGERS)],), (1, 2))
        for n in range(count):
            harder = WAYS[n % len(WAYS)](made.template(2 * n + 1), rng)
            pairs.append((prepare(made.template(2 * n)), prepare(harder)))
    return pairs


def centres_of(prints: list[PreparedTemplate]) -> Floats:
    """Centres of the descriptors, float32[CENTRES, DIMENSIONS], each of length 1."""
    rows = np.concatenate([finger.descriptors[finger.minutiae[WEIGHT] > 0.0] for finger in prints])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = (rows / np.maximum(lengths, 1e-6))[lengths[:, 0] > 0.0][::3]
    means = _FAISS.Kmeans(DIMENSIONS, CENTRES, niter=ROUNDS, spherical=True, seed=1)
    means.train(np.ascontiguousarray(rows, dtype=np.float32))
    return np.asarray(means.centroids, np.float16).astype(np.float32)


def train(pairs: list[tuple[PreparedTemplate, PreparedTemplate]]) -> SketchModel:
    """Centres, projection and bias from pairs of captures."""
    centres = centres_of([first for first, _ in pairs])
    first = np.stack([pooled_of(one, centres) for one, _ in pairs]).astype(np.float64)
    second = np.stack([pooled_of(other, centres) for _, other in pairs]).astype(np.float64)
    within = (first - second).T @ (first - second) / (2 * len(pairs))
    within *= 1.0 - SHRINKAGE
    within += SHRINKAGE / (1.0 - SHRINKAGE) * np.trace(within) / len(within) * np.eye(len(within))
    whiten = np.linalg.inv(np.linalg.cholesky(within))
    both = np.concatenate([first, second])
    mean = both.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov((both @ whiten.T).T))
    projection = whiten.T @ directions[:, ::-1][:, :SKETCH_SIZE]
    # The scale is free, since sketches have length 1; this one suits 16-bit floats.
    projection /= np.abs(projection).max()
    return SketchModel(
        centres=centres,
        projection=projection.astype(np.float16).astype(np.float32),
        bias=(-mean @ projection).astype(np.float16).astype(np.float32),
    )


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train the sketch on synthetic people.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    chosen = parser.parse_args()
    faiss.omp_set_num_threads(1)
    model = train(pairs_of_prints(chosen.people))
    half = {name: getattr(model, name).astype(np.float16) for name in ("centres", "projection", "bias")}
    np.savez(chosen.out, **half)


if __name__ == "__main__":
    main()
