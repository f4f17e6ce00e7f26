"""A minutia's neighbourhood as a short vector that does not change when the print turns.

Step one of the comparison, and what the 1:N index holds: Minutia Cylinder-Code (Cappelli, Ferrara,
Maltoni, TPAMI 2010), less the mean cylinder, projected to `DIMENSIONS` numbers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.kernels_cylinder import fill_cylinders, project
from matcher.parameters import CYLINDER_CELLS, CYLINDER_SECTIONS
from matcher.template import Template

#: Length of one descriptor.
DIMENSIONS: Final = 64
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
    mean, projection = _projection()
    values = cylinders_of(template, mean)
    described = np.empty((len(template), DIMENSIONS), np.float32)
    project(values.reshape(len(template), CYLINDER_SIZE), projection, described)
    return restore(quantise(described))


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
def _projection() -> tuple[Floats, Floats]:
    """The mean cylinder and the projection that `benchmarks/train_projection.py` made."""
    with np.load(Path(__file__).with_name("projection.npz")) as stored:
        return stored["mean"].astype(np.float32), stored["projection"].astype(np.float32)
