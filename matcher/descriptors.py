"""A minutia's neighbourhood as a short vector that does not change when the print turns.

Step one of the comparison, and what the 1:N index holds: Minutia Cylinder-Code (Cappelli, Ferrara,
Maltoni, TPAMI 2010), less the mean cylinder, through two learned layers to `DIMENSIONS` numbers.
`benchmarks/train_descriptor.py` trains them, on synthetic people only; `descriptor.md` is their card.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.kernels_cylinder import fill_cylinders, fill_layer, scale_rows
from matcher.parameters import CYLINDER_CELLS, CYLINDER_SECTIONS
from matcher.template import Template

#: Length of one descriptor.
DIMENSIONS: Final = 48
#: Steps of 1 of a descriptor in its 8-bit form; parts beyond ±0.7, one in 10,000, are cut.
#: Origin: the rounding changes similarities by about 0.001.
STEPS: Final = 180.0
CYLINDER_SHAPE: Final = (CYLINDER_CELLS, CYLINDER_CELLS, CYLINDER_SECTIONS)
CYLINDER_SIZE: Final = CYLINDER_CELLS * CYLINDER_CELLS * CYLINDER_SECTIONS

Floats = NDArray[np.float32]
_NO_FOREGROUND = np.zeros((0, 0), np.bool_)


def describe(template: Template) -> Floats:
    """Describe every minutia: float32[n, DIMENSIONS], rows in the template's order.

    Rows have length 1 within 1 % (inner product = cosine similarity), or 0 for a minutia without neighbours.
    They are what `quantise` keeps of them, so that a print scores the same now and out of a gallery.
    """
    return restore(quantise(describe_cylinders(cylinders_of(template, layers().mean), layers())))


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """From a cylinder to a descriptor.

    mean:   float32[Ns, Ns, Nd], what is taken from every cell that is known.
    hidden: float32[Ns·Ns·Nd, H] and bias float32[H]; negative sums become 0.
    last:   float32[H, DIMENSIONS].
    """

    mean: Floats
    hidden: Floats
    bias: Floats
    last: Floats


def describe_cylinders(cylinders: Floats, through: Layers) -> Floats:
    """Descriptors float32[n, DIMENSIONS] of cylinders float32[n, Ns, Ns, Nd]: length 1; 0 for empty ones."""
    values = cylinders.reshape(len(cylinders), CYLINDER_SIZE)
    between = np.empty((len(values), through.hidden.shape[1]), np.float32)
    fill_layer(values, through.hidden, through.bias, between)
    np.maximum(between, np.float32(0.0), out=between)
    described = np.empty((len(values), through.last.shape[1]), np.float32)
    fill_layer(between, through.last, np.zeros(through.last.shape[1], np.float32), described)
    described[~values.any(axis=1)] = 0.0
    scale_rows(described)
    return described


def quantise(descriptors: Floats) -> NDArray[np.int8]:
    """Descriptors in 8 bits: the form in which a gallery keeps them and FAISS compares them."""
    codes: NDArray[np.int8] = np.clip(np.rint(descriptors * np.float32(STEPS)), -127, 127).astype(np.int8)
    return codes


def restore(codes: NDArray[np.int8]) -> Floats:
    """Descriptors from 8 bits; `restore(quantise(d))` is d for every descriptor that `describe` gives."""
    restored: Floats = np.divide(codes, np.float32(STEPS), dtype=np.float32)
    return restored


def cylinders_of(template: Template, mean: Floats) -> Floats:
    """Cylinder of every minutia less the mean cylinder: float32[n, Ns, Ns, Nd], in the template's order.

    0 where a cell is outside the circle or the print, and throughout where neighbours are too few.
    A doubtful neighbour counts less: by the root of its quality, fully where its quality is unknown.
    """
    order = canonical_order(template)
    points = np.empty((4, len(order)), np.float32)
    points[0] = template.x[order]
    points[1] = -template.y[order].astype(np.float32)
    points[2] = template.angle[order]
    points[3] = np.sqrt(weights_of(template)[order])
    foreground = _NO_FOREGROUND if template.field is None else template.field.foreground
    values = np.empty((len(order), *CYLINDER_SHAPE), np.float32)
    fill_cylinders(points, np.ascontiguousarray(foreground), mean, values)
    restored = np.empty_like(values)
    restored[order] = values
    return restored


def weights_of(template: Template) -> Floats:
    """How surely each minutia is one, float32[n] in (0, 1]; 1 where the quality is unknown."""
    weights = np.minimum(template.quality.astype(np.float32) / 100.0, 1.0)
    return np.where(weights > 0.0, weights, np.float32(1.0))


def canonical_order(template: Template) -> NDArray[np.int64]:
    """An order of the minutiae, int64[n], that does not depend on the order they came in."""
    return np.lexsort((template.quality, template.angle, -template.y.astype(np.int32), template.x))


@cache
def layers() -> Layers:
    """The committed layers."""
    with np.load(Path(__file__).with_name("descriptor.npz")) as stored:
        parts = {name: stored[name].astype(np.float32) for name in ("mean", "hidden", "bias", "last")}
    return Layers(**parts)
