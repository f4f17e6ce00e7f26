"""A print as one code of fixed length, for the shortlist: prints of one finger have like sketches.

The descriptors of all minutiae are pooled around a few centres, weighted by how sure each minutia is (VLAD,
Jégou, Douze, Schmid and Pérez, CVPR 2010, with soft assignment), then projected to where captures of one
finger differ least for their distance from other fingers' (learned whitening, Mikolajczyk and Matas, ICCV
2007). `benchmarks/train_sketch.py` learns both from synthetic people only; `sketch.md` is their card.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.descriptors import DIMENSIONS, STEPS
from matcher.kernels_cylinder import fill_layer, scale_rows
from matcher.kernels_sketch import pool_descriptors
from matcher.pairing import WEIGHT, X, Y
from matcher.prepared import PreparedTemplate

#: Length of one sketch. Origin: measured, half of it loses twice as many mates.
SKETCH_SIZE: Final = 256
#: Steps of 1 of a sketch's parts in 8 bits; of 0.4 % of the parts the rest is cut.
SKETCH_STEPS: Final = 600.0
#: Centres, softness of the assignment to them, and power of the pooled parts. Origin: measured recall.
CENTRES: Final = 16
TEMPERATURE: Final = 0.2
POWER: Final = 0.7

#: A print has so many halves: left, right, lower, upper.
HALVES: Final = 4

Floats = NDArray[np.float32]
Sketch = NDArray[np.int8]
#: int8[1 or more, SKETCH_SIZE]: what is looked for of a finger, the whole first.
Look = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class SketchModel:
    """What was learned.

    centres: float32[CENTRES, DIMENSIONS]. projection: float32[CENTRES · DIMENSIONS, SKETCH_SIZE], bias:
    float32[SKETCH_SIZE].
    """

    centres: Floats
    projection: Floats
    bias: Floats


def sketch_of(prepared: PreparedTemplate) -> Sketch:
    """The sketch of a print: int8[SKETCH_SIZE]; all 0 for a print without descriptors."""
    sketch: Sketch = _sketches(prepared, prepared.minutiae[WEIGHT][None])[0]
    return sketch


def half_sketches(prepared: PreparedTemplate) -> Look:
    """The sketches of a print's halves alone: int8[HALVES, SKETCH_SIZE].

    Minutiae to either side of the middle one, across and upwards. Where another capture shows only a part of
    the same skin, the sketch of the half that it shows is more like its own than that of the whole.
    """
    x, y = prepared.minutiae[X], prepared.minutiae[Y]
    if not len(x):
        return np.zeros((HALVES, SKETCH_SIZE), np.int8)
    right, upper = x >= np.median(x), y >= np.median(y)
    halves = np.stack([~right, right, ~upper, upper])
    return _sketches(prepared, np.where(halves, prepared.minutiae[WEIGHT], np.float32(0.0)))


def _sketches(prepared: PreparedTemplate, weights: Floats) -> Look:
    """One sketch for each row of weights, float32[k, n], given to the minutiae: int8[k, SKETCH_SIZE]."""
    model = sketch_model()
    pooled = np.stack([pooled_of(prepared, model.centres, row) for row in weights])
    projected = np.zeros((len(weights), SKETCH_SIZE), np.float32)
    fill_layer(pooled, model.projection, model.bias, projected)
    scale_rows(projected)
    projected[~pooled.any(axis=1)] = 0.0
    look: Look = np.clip(np.rint(projected * np.float32(SKETCH_STEPS)), -127, 127).astype(np.int8)
    return look


def pooled_of(prepared: PreparedTemplate, centres: Floats, weights: Floats | None = None) -> Floats:
    """The descriptors of a print pooled around centres: float32[CENTRES · DIMENSIONS], length 1 or 0.

    weights: float32[n], of the minutiae, where these are not their own.
    """
    pooled = np.empty(len(centres) * DIMENSIONS, np.float32)
    described = prepared.descriptors / np.float32(STEPS)
    chosen = prepared.minutiae[WEIGHT] if weights is None else weights
    pool_descriptors(described, chosen, centres, TEMPERATURE, POWER, pooled)
    return pooled


@cache
def models_hash() -> str:
    """SHA-256 of what was learned that prepared prints depend on: with other models they are others."""
    files = (Path(__file__).with_name(name).read_bytes() for name in ("descriptor.npz", "sketch.npz"))
    return hashlib.sha256(b"".join(files)).hexdigest()


@cache
def sketch_model() -> SketchModel:
    """The committed model."""
    with np.load(Path(__file__).with_name("sketch.npz")) as stored:
        parts = {name: stored[name].astype(np.float32) for name in ("centres", "projection", "bias")}
    return SketchModel(**parts)
