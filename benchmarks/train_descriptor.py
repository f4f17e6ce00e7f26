"""`python -m benchmarks.train_descriptor OUT.npz`: the two layers from a cylinder to a descriptor.

Mated minutiae of synthetic people (`fixtures.templates`, some captures made harder) shall have like
descriptors, all others unlike ones: InfoNCE (van den Oord, Li and Vinyals, arXiv 1807.03748, 2018) over the
other pairs of a batch, by Adam (Kingma and Ba, arXiv 1412.6980, 2014). No real finger is in the numbers.
Writes what `matcher/descriptor.npz` holds; `matcher/descriptor.md` is its card. About 5 minutes on one core.

In NumPy, because sixty lines of it are less than a dependency of hundreds of megabytes that nothing else
here would need. Which minutiae are mates is asked of the comparison itself with bare cylinders for
descriptors, on easy pairs only: nothing learned is needed to learn.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.harder import WAYS
from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.comparison import compare, prepare
from matcher.descriptors import (
    CYLINDER_SHAPE,
    CYLINDER_SIZE,
    DIMENSIONS,
    STEPS,
    Layers,
    cylinders_of,
    describe_cylinders,
)
from matcher.prepared import PreparedTemplate
from matcher.template import Template

Floats = NDArray[np.float32]

#: The population that trains; no other part of the project uses this seed.
SEED: Final = 20_260_001
#: Fingers, each with two captures.
PEOPLE: Final = 8_000
#: Fingers whose cylinders make the mean.
MEAN_PEOPLE: Final = 1_000
#: Width of the hidden layer.
HIDDEN: Final = 256
BATCH: Final = 1_024
EPOCHS: Final = 4
#: Temperature of the likeness, and the largest step.
TEMPERATURE: Final = 0.08
RATE: Final = 2e-3
#: A comparison's worth times share from which its pairs are believed.
BELIEVED: Final = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class MatedCylinders:
    """Row k of `first` and of `second`, float32[n, Ns·Ns·Nd], show one minutia in two captures."""

    first: Floats
    second: Floats


def mean_cylinder(people: int) -> Floats:
    """Mean of every cell over the cylinders that know it, float32[Ns, Ns, Nd]."""
    nothing = np.zeros(CYLINDER_SHAPE, np.float32)
    total, seen = np.zeros(CYLINDER_SHAPE), np.zeros(CYLINDER_SHAPE)
    for n in range(people):
        values = cylinders_of(person(SEED, n).capture(FINGERS[n % len(FINGERS)]), nothing)
        total += values.sum(axis=0)
        seen += (values > 0.0).sum(axis=0)
    return (total / np.maximum(seen, 1.0)).astype(np.float16).astype(np.float32)


def mated_cylinders(people: int, mean: Floats, first_person: int = 0) -> MatedCylinders:
    """Cylinders of mated minutiae: one finger of each person, captured twice, one capture harder."""
    rng = np.random.default_rng(SEED + first_person)
    first, second = [], []
    for n in range(first_person, first_person + people):
        somebody, position = person(SEED, n), FINGERS[n % len(FINGERS)]
        one, two = somebody.capture(position, 1), somebody.capture(position, 2)
        two = WAYS[n % 3](two, rng)
        rows = _rows(one, mean), _rows(two, mean)
        found = compare(_bare(one, rows[0]), _bare(two, rows[1]))
        if found.worth * found.share >= BELIEVED:
            first.append(rows[0][found.pairs[:, 0]])
            second.append(rows[1][found.pairs[:, 1]])
    return MatedCylinders(np.concatenate(first), np.concatenate(second))


def _rows(template: Template, mean: Floats) -> Floats:
    return cylinders_of(template, mean).reshape(len(template), CYLINDER_SIZE)


def _bare(template: Template, cylinders: Floats) -> PreparedTemplate:
    """A print whose descriptors are its cylinders, scaled to the length of descriptors."""
    lengths = np.linalg.norm(cylinders, axis=1, keepdims=True)
    prepared = prepare(template)
    scaled = (np.float32(STEPS) * cylinders / np.maximum(lengths, 1e-6))[prepared.order]
    return replace(prepared, descriptors=np.ascontiguousarray(scaled))


def train(mates: MatedCylinders, mean: Floats, *, epochs: int = EPOCHS, hidden: int = HIDDEN) -> Layers:
    """Layers that tell mates from others."""
    rng = np.random.default_rng(SEED)
    parts = [
        rng.normal(0.0, CYLINDER_SIZE**-0.5, (CYLINDER_SIZE, hidden)).astype(np.float32),
        np.zeros(hidden, np.float32),
        rng.normal(0.0, hidden**-0.5, (hidden, DIMENSIONS)).astype(np.float32),
    ]
    adam = _Adam(parts)
    batches = len(mates.first) // BATCH
    for epoch in range(epochs):
        order = rng.permutation(len(mates.first))
        for batch in range(batches):
            rows = np.sort(order[batch * BATCH : (batch + 1) * BATCH])
            done = (epoch * batches + batch) / (epochs * batches)
            gradients = _gradients(parts, mates.first[rows], mates.second[rows])
            adam.step(gradients, RATE * min(1.0, 20.0 * done + 0.01) * 0.5 * (1.0 + np.cos(np.pi * done)))
    rounded = [part.astype(np.float16).astype(np.float32) for part in parts]
    return Layers(mean, *rounded)


def _gradients(parts: list[Floats], first: Floats, second: Floats) -> list[Floats]:
    """Of the mean InfoNCE loss, both ways, with respect to each part."""
    hidden, bias, last = parts
    sides = []
    for values in (first, second):
        between = np.maximum(values @ hidden + bias, np.float32(0.0))
        out = between @ last
        length = np.linalg.norm(out, axis=1, keepdims=True) + np.float32(1e-6)
        sides.append((values, between, out / length, length))
    (_, _, one, _), (_, _, two, _) = sides
    likeness = one @ two.T / np.float32(TEMPERATURE)
    slope = _softmax(likeness, 1) + _softmax(likeness, 0)
    slope[np.diag_indices(len(slope))] -= 2.0
    slope *= np.float32(0.5 / (len(slope) * TEMPERATURE))
    one_way = _of_side(parts, sides[0], slope @ two)
    other_way = _of_side(parts, sides[1], slope.T @ one)
    return [first_part + second_part for first_part, second_part in zip(one_way, other_way, strict=True)]


def _of_side(parts: list[Floats], side: tuple[Floats, Floats, Floats, Floats], pull: Floats) -> list[Floats]:
    """Gradients through one side, from the gradient with respect to its unit vectors."""
    values, between, unit, length = side
    to_out = (pull - unit * (pull * unit).sum(axis=1, keepdims=True)) / length
    to_between = to_out @ parts[2].T * (between > 0.0)
    return [values.T @ to_between, to_between.sum(axis=0), between.T @ to_out]


def _softmax(values: Floats, axis: int) -> Floats:
    raised = np.exp(values - values.max(axis=axis, keepdims=True))
    scaled: Floats = raised / raised.sum(axis=axis, keepdims=True)
    return scaled


class _Adam:
    """Adam with its authors' constants; changes the parts in place."""

    def __init__(self, parts: list[Floats]) -> None:
        self._parts = parts
        self._means = [np.zeros_like(part) for part in parts]
        self._squares = [np.zeros_like(part) for part in parts]
        self._steps = 0

    def step(self, gradients: list[Floats], rate: float) -> None:
        """Move every part against its gradient."""
        self._steps += 1
        shrink, spread = 1.0 - 0.9**self._steps, 1.0 - 0.999**self._steps
        for k, gradient in enumerate(gradients):
            self._means[k] += 0.1 * (gradient - self._means[k])
            self._squares[k] += 0.001 * (gradient * gradient - self._squares[k])
            width = np.sqrt(self._squares[k] / np.float32(spread)) + np.float32(1e-8)
            self._parts[k] -= np.float32(rate / shrink) * self._means[k] / width


def recognised(mates: MatedCylinders, through: Layers, among: int = 256) -> float:
    """Share of mates that are nearest to each other among that many pairs: what to look at after training."""
    found = tried = 0
    for begin in range(0, len(mates.first) - among + 1, among):
        rows = slice(begin, begin + among)
        one = describe_cylinders(mates.first[rows].reshape(-1, *CYLINDER_SHAPE), through)
        two = describe_cylinders(mates.second[rows].reshape(-1, *CYLINDER_SHAPE), through)
        found += int(np.count_nonzero((one @ two.T).argmax(axis=1) == np.arange(among)))
        tried += among
    return found / max(tried, 1)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train the local descriptor on synthetic people.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    chosen = parser.parse_args()
    mean = mean_cylinder(MEAN_PEOPLE)
    print("mean cylinder done; making mated minutiae", flush=True)
    mates = mated_cylinders(chosen.people, mean)
    print(f"{len(mates.first)} mated minutiae; training", flush=True)
    layers = train(mates, mean)
    unseen = mated_cylinders(300, mean, first_person=chosen.people)
    print(f"nearest among 256, unseen people: {recognised(unseen, layers):.4f}")
    half = {name: getattr(layers, name).astype(np.float16) for name in ("mean", "hidden", "bias", "last")}
    np.savez(chosen.out, **half)


if __name__ == "__main__":
    main()
