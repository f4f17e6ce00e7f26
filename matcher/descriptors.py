"""A minutia's neighbourhood as a short vector that does not change when the print turns.

Step one of the comparison, and what the 1:N index holds: Minutia Cylinder-Code (Cappelli, Ferrara,
Maltoni, TPAMI 2010), projected to `DIMENSIONS` numbers.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matcher.kernels_cylinder import cylinders
from matcher.parameters import CYLINDER_CELLS, CYLINDER_SECTIONS
from matcher.template import Template

#: Length of one descriptor.
DIMENSIONS: Final = 64


def describe(template: Template) -> NDArray[np.float32]:
    """Describe every minutia: float32[n, DIMENSIONS], rows in the template's order.

    Rows have length 1 (inner product = cosine similarity), or 0 for a minutia without neighbours.
    """
    order = np.lexsort((template.angle, -template.y.astype(np.int32), template.x))
    x = template.x[order].astype(np.float32)
    y = -template.y[order].astype(np.float32)
    values = np.empty((len(order), CYLINDER_CELLS, CYLINDER_CELLS, CYLINDER_SECTIONS), np.float32)
    cylinders(x, y, np.ascontiguousarray(template.angle[order]), _MEAN, values)
    projected = values.reshape(len(order), len(_PROJECTION)) @ _PROJECTION
    lengths = np.linalg.norm(projected, axis=1, keepdims=True)
    described = np.empty((len(order), DIMENSIONS), np.float32)
    described[order] = projected / np.maximum(lengths, 1e-6)
    return described


def _cosine_projection() -> NDArray[np.float32]:
    """Low spatial and angular frequencies of the cylinder: float32[Ns·Ns·Nd, DIMENSIONS]."""
    cells = (np.arange(CYLINDER_CELLS) + 0.5) * math.pi / CYLINDER_CELLS
    sections = -math.pi + (np.arange(CYLINDER_SECTIONS) + 0.5) * 2.0 * math.pi / CYLINDER_SECTIONS
    columns = []
    for order, wave in ((0, np.cos), (1, np.cos), (1, np.sin), (2, np.cos), (2, np.sin)):
        limit = 3 if order == 2 else 4
        for u in range(limit + 1):
            for v in range(limit + 1 - u):
                if order or u or v:
                    space = np.cos(u * cells)[:, None] * np.cos(v * cells)[None, :]
                    columns.append((space[:, :, None] * wave(order * sections)).ravel())
    basis = np.stack(columns, axis=1)
    return np.ascontiguousarray(basis / np.linalg.norm(basis, axis=0), dtype=np.float32)


_MEAN = np.zeros((CYLINDER_CELLS, CYLINDER_CELLS, CYLINDER_SECTIONS), np.float32)
_PROJECTION = _cosine_projection()
