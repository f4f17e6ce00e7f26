"""`python -m benchmarks.train_projection OUT.npz`: the cylinder's mean and its main directions.

Principal components of the cylinders of synthetic people (`fixtures.templates`), so that no real finger
is in the numbers. Writes what `matcher/projection.npz` holds; `matcher/projection.md` is its card.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.descriptors import CYLINDER_SHAPE, CYLINDER_SIZE, DIMENSIONS, cylinders_of

#: The population that trains; no other part of the project uses this seed.
SEED: Final = 20_260_001
PEOPLE: Final = 200
#: Components are divided by variance to this power: a little whitening, short of equal weights.
WHITENING: Final = 0.125


def train(people: int = PEOPLE) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Mean cylinder float16[Ns, Ns, Nd] and projection float16[Ns·Ns·Nd, DIMENSIONS]."""
    no_mean = np.zeros(CYLINDER_SHAPE, np.float32)
    prints = [cylinders_of(person(SEED, n).capture(f), no_mean) for n in range(people) for f in FINGERS]
    values = np.concatenate(prints).reshape(-1, CYLINDER_SIZE).astype(np.float64)
    seen = values > 0.0
    mean = values.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    centred = np.where(seen, values - mean, 0.0)
    directions, variances, _ = np.linalg.svd(centred.T @ centred / len(centred))
    kept = directions[:, :DIMENSIONS]
    kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(DIMENSIONS)])
    projection = kept * (variances[:DIMENSIONS] / variances[0]) ** -WHITENING
    return mean.reshape(CYLINDER_SHAPE).astype(np.float16), projection.astype(np.float16)


def main(out: Path) -> None:
    """Train and write."""
    mean, projection = train()
    np.savez(out, mean=mean, projection=projection)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
