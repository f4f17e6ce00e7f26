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
#: Steps of 1 of a descriptor's parts in their 4-bit form, and the most of them: of parts beyond ±0.42, some
#: in 1,000, the rest is cut. Origin: errors on nine sets were the same, within noise, with 8 bits.
STEPS: Final = 18.0
MOST_STEPS: Final = 7
CYLINDER_SHAPE: Final = (CYLINDER_CELLS, CYLINDER_CELLS, CYLINDER_SECTIONS)
CYLINDER_SIZE: Final = CYLINDER_CELLS * CYLINDER_CELLS * CYLINDER_SECTIONS

Floats = NDArray[np.float32]
_NO_FOREGROUND = np.zeros((0, 0), np.bool_)


def describe(template: Template) -> Floats:
    """Describe every minutia: float32[n, DIMENSIONS], whole numbers from -7 to 7, in the template's order.

    Rows have length `STEPS` within some percent, so that their inner product over STEPS² is a cosine, or 0
    for a minutia without neighbours. They are what `quantise` keeps, so that a print scores the same now and
    out of a gallery; and their sums are exact, so that it scores the same on every machine.
    """
    described = quantise(describe_cylinders(cylinders_of(template, layers().mean), layers()))
    return described.astype(np.float32)


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
    """Descriptors in 15 levels, int8 from -7 to 7: the form in which a gallery keeps and compares them."""
    steps = np.rint(descriptors * np.float32(STEPS))
    codes: NDArray[np.int8] = np.clip(steps, -MOST_STEPS, MOST_STEPS).astype(np.int8)
    return codes


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
    return np.lexsort(
        (template.kind, template.quality, template.angle, -template.y.astype(np.int32), template.x)
    )


@cache
def layers() -> Layers:
    """The committed layers."""
    with np.load(Path(__file__).with_name("descriptor.npz")) as stored:
        parts = {name: stored[name].astype(np.float32) for name in ("mean", "hidden", "bias", "last")}
    return Layers(**parts)
