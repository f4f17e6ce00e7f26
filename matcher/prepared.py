"""A template made ready for comparison: once per print, before any number of comparisons."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.codes import MinutiaKind
from matcher.compiled import kernel
from matcher.descriptors import DIMENSIONS, canonical_order, describe, weights_of
from matcher.hulls import corners_of, fill_edges
from matcher.pairing import COS, KIND, ROWS, SIN, WEIGHT, Floats, X, Y
from matcher.parameters import KIND_READ, KIND_READ_DOUBTFUL, KIND_READ_UNKNOWN
from matcher.ridge_fields import COHERENCE, ORIENTATION, Cells
from matcher.template import Template

#: Minutiae, descriptors, cells and hull: what the kernels take of one print.
Arrays: TypeAlias = tuple[Floats, Floats, Cells, Floats]

#: The cells of a print without a ridge field.
NO_CELLS: Final = np.zeros((0, 0), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedTemplate:
    """What the kernels need of one print, in contiguous arrays; about 0.3 kB a minutia.

    minutiae:    float32[ROWS, n]: x, y (px, y up), cos and sin of the direction, weight 0-1, and how surely
                 the minutia is an ending (to 1) or a bifurcation (to -1), in hundredths; 0 for other kinds.
    descriptors: float32[n, DIMENSIONS], whole numbers: see `matcher.descriptors.describe`.
    cells:       uint8[rows, cols], the ridge field, see `matcher.ridge_fields`; [0, 0] without one.
    hull:        float32[3, h], outward normal and offset of each edge of the minutiae's convex hull.
    order:       int16[n], where each of these minutiae stands in the template.
    key:         ranks two prints, so that a comparison does not depend on which is the probe.
    """

    minutiae: Floats
    descriptors: Floats
    cells: Cells
    hull: Floats
    order: NDArray[np.int16]
    key: tuple[int, int]

    def __len__(self) -> int:
        return len(self.order)

    @property
    def has_field(self) -> bool:
        """Whether the ridge field can speak in a comparison."""
        return bool(self.cells.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class PackedTemplates:
    """Many prepared prints end to end, for one compiled loop over all of them.

    arrays:    the prints' `Arrays`, each raveled and joined.
    bounds:    int64[k, 7]: where a print begins in the four arrays, its minutiae, cell rows, cell columns.
    has_field: bool[k].
    keys:      int64[k, 2], the prints' `key`.
    """

    arrays: Arrays
    bounds: NDArray[np.int64]
    has_field: NDArray[np.bool_]
    keys: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bounds)

    def after(self, first: int) -> PackedTemplates:
        """The prints from number `first` on, without a copy."""
        return PackedTemplates(self.arrays, self.bounds[first:], self.has_field[first:], self.keys[first:])


def prepare(template: Template) -> PreparedTemplate:
    """Make a template ready for comparison, its minutiae in an order that depends on nothing but them."""
    order = canonical_order(template)
    minutiae = _minutiae(template, order)
    return PreparedTemplate(
        minutiae=minutiae,
        descriptors=np.ascontiguousarray(describe(template)[order]),
        cells=_cells(template),
        hull=_hull(minutiae),
        order=order.astype(np.int16),
        key=(len(order), zlib.crc32(minutiae.tobytes())),
    )


def _minutiae(template: Template, order: NDArray[np.int64]) -> Floats:
    """Columns as the kernels take them."""
    minutiae = np.empty((ROWS, len(order)), np.float32)
    minutiae[X] = template.x[order]
    minutiae[Y] = -template.y[order].astype(np.float32)
    minutiae[COS] = np.cos(template.angle[order])
    minutiae[SIN] = np.sin(template.angle[order])
    minutiae[WEIGHT] = weights_of(template)[order]
    minutiae[KIND] = _kinds(template)[order]
    return minutiae


def _kinds(template: Template) -> Floats:
    """Kinds as correlations with what the finger has there, float32[n] in [-1, 1], whole hundredths."""
    sure = template.quality.astype(np.float64) / 100.0
    read = KIND_READ_DOUBTFUL + (KIND_READ - KIND_READ_DOUBTFUL) * np.minimum(sure, 1.0) ** 2
    read = np.where(template.quality > 0, read, KIND_READ_UNKNOWN)
    signs = np.zeros(len(template))
    signs[template.kind == MinutiaKind.ENDING] = 1.0
    signs[template.kind == MinutiaKind.BIFURCATION] = -1.0
    return (np.rint(100.0 * read * signs) / 100.0).astype(np.float32)


def _cells(template: Template) -> Cells:
    """The ridge field, a byte a cell: orientation and coherence to the nearest step, the latter from 1 on."""
    if template.field is None:
        return NO_CELLS
    half_a_step = (256 - ORIENTATION) // 2
    orientation = (template.field.orientation.astype(np.int16) + half_a_step) & ORIENTATION
    coherence = np.rint(template.field.coherence * (COHERENCE / 255.0)).astype(np.int16)
    cells = np.where(template.field.foreground, orientation | np.maximum(coherence, 1), 0)
    return np.ascontiguousarray(cells, dtype=np.uint8)


def _hull(minutiae: Floats) -> Floats:
    """Edges of the convex hull; none for minutiae at fewer than two places."""
    corners = corners_of(minutiae[X], minutiae[Y])
    edges = np.empty((3, len(corners)), np.float32)
    fill_edges(minutiae[X], minutiae[Y], corners, edges)
    return edges


def pack(prints: Sequence[PreparedTemplate]) -> PackedTemplates:
    """Join prepared prints end to end."""
    bounds = np.zeros((len(prints), 7), np.int64)
    for k, sizes in enumerate(zip(*((*_sizes(p), len(p), *p.cells.shape) for p in prints), strict=True)):
        bounds[:, k] = np.cumsum((0, *sizes[:-1])) if k < 4 else sizes
    nothing = np.zeros(0, np.float32)
    return PackedTemplates(
        arrays=(
            np.concatenate([nothing, *(p.minutiae.ravel() for p in prints)]),
            np.concatenate([nothing, *(p.descriptors.ravel() for p in prints)]),
            np.concatenate([nothing.astype(np.uint8), *(p.cells.ravel() for p in prints)]),
            np.concatenate([nothing, *(p.hull.ravel() for p in prints)]),
        ),
        bounds=bounds,
        has_field=np.array([p.has_field for p in prints], np.bool_),
        keys=np.array([p.key for p in prints], np.int64).reshape(-1, 2),
    )


def _sizes(prepared: PreparedTemplate) -> tuple[int, int, int, int]:
    """Elements in each of a print's arrays."""
    return prepared.minutiae.size, prepared.descriptors.size, prepared.cells.size, prepared.hull.size


@kernel
def unpacked(packed: Arrays, bounds: NDArray[np.int64], k: int, fielded: bool) -> Arrays:  # noqa: FBT001
    """The arrays of print `k`, views into the joined ones; its field only if asked for."""
    minutiae, descriptors, cells, hull = packed
    at = bounds[k]
    count, rows, columns = at[4], at[5] if fielded else 0, at[6] if fielded else 0
    hull_end = bounds[k + 1, 3] if k + 1 < len(bounds) else len(hull)
    return (
        minutiae[at[0] : at[0] + ROWS * count].reshape(ROWS, count),
        descriptors[at[1] : at[1] + DIMENSIONS * count].reshape(count, DIMENSIONS),
        cells[at[2] : at[2] + rows * columns].reshape(rows, columns),
        hull[at[3] : hull_end].reshape(3, (hull_end - at[3]) // 3),
    )
