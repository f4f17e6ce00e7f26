"""Compiled loops behind the local descriptor: visible cells, cylinder values, layers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel
from matcher.hulls import convex_hull
from matcher.parameters import (
    CYLINDER_CELLS,
    CYLINDER_HULL_MARGIN,
    CYLINDER_NEIGHBOURS,
    CYLINDER_RADIUS,
    CYLINDER_SECTIONS,
    CYLINDER_SIGMA_ANGLE,
    CYLINDER_SIGMA_PX,
    CYLINDER_SIGMOID_CENTRE,
    CYLINDER_SIGMOID_SLOPE,
)
from matcher.template import CELL_PX

Floats = NDArray[np.float32]

_STEP = 2.0 * CYLINDER_RADIUS / CYLINDER_CELLS
_SECTION = 2.0 * math.pi / CYLINDER_SECTIONS
_REACH = 3.0 * CYLINDER_SIGMA_PX
_MIDDLE = 0.5 * (CYLINDER_CELLS - 1)
_FAINT = 1e-8
_SPACE_VARIANCE = CYLINDER_SIGMA_PX * CYLINDER_SIGMA_PX
_SPACE_SCALE = 1.0 / (CYLINDER_SIGMA_PX * math.sqrt(2.0 * math.pi))


@kernel
def near_hull(px: float, py: float, x: Floats, y: Floats, hull: NDArray[np.int64]) -> bool:
    """Whether a point lies within the hull moved outwards by the margin (its corners kept sharp)."""
    corners = len(hull)
    for corner in range(corners):
        a = hull[corner]
        b = hull[(corner + 1) % corners]
        ex = x[b] - x[a]
        ey = y[b] - y[a]
        length = math.sqrt(ex * ex + ey * ey)
        outside = ey * (px - x[a]) - ex * (py - y[a])
        if outside > CYLINDER_HULL_MARGIN * length and length > 0.0:
            return False
    return True


@kernel
def on_print(x: float, y: float, foreground: NDArray[np.bool_]) -> bool:
    """Whether a place (y up) lies on the foreground."""
    row = math.floor(-y / CELL_PX)
    column = math.floor(x / CELL_PX)
    if row < 0 or column < 0 or row >= foreground.shape[0] or column >= foreground.shape[1]:
        return False
    return bool(foreground[row, column])


@kernel
def section_weights(difference: float, weights: NDArray[np.float64]) -> None:
    """Share of a neighbour's direction, relative to the minutia's, in each angular section."""
    root = CYLINDER_SIGMA_ANGLE * math.sqrt(2.0)
    for k in range(CYLINDER_SECTIONS):
        away = difference - (-math.pi + (k + 0.5) * _SECTION)
        away -= 2.0 * math.pi * math.floor((away + math.pi) / (2.0 * math.pi))
        weights[k] = 0.5 * (
            math.erf((away + 0.5 * _SECTION) / root) - math.erf((away - 0.5 * _SECTION) / root)
        )


@kernel
def fill_cylinder(
    centre: int, points: Floats, cells: NDArray[np.float64], sections: NDArray[np.float64]
) -> int:
    """Add up every neighbour's contribution to the cells [Ns, Ns, Nd] of one cylinder; count neighbours."""
    x, y, angle, weight = points
    cells[:] = 0.0
    cos = math.cos(angle[centre])
    sin = math.sin(angle[centre])
    limit = CYLINDER_RADIUS + _REACH
    neighbours = 0
    for t in range(len(x)):
        dx = x[t] - x[centre]
        dy = y[t] - y[centre]
        if t == centre or dx * dx + dy * dy > limit * limit:
            continue
        neighbours += 1
        along = dx * cos + dy * sin
        across = dy * cos - dx * sin
        section_weights(angle[centre] - angle[t], sections)
        for i in range(CYLINDER_CELLS):
            di = along - _STEP * (i - _MIDDLE)
            if abs(di) > _REACH:
                continue
            for j in range(CYLINDER_CELLS):
                dj = across - _STEP * (j - _MIDDLE)
                square = di * di + dj * dj
                if square > _REACH * _REACH:
                    continue
                share = weight[t] * _SPACE_SCALE * math.exp(-0.5 * square / _SPACE_VARIANCE)
                for k in range(CYLINDER_SECTIONS):
                    cells[i, j, k] += share * sections[k]
    return neighbours


@kernel
def fill_cylinders(points: Floats, foreground: NDArray[np.bool_], mean: Floats, values: Floats) -> None:
    """Fill `values` float32[n, Ns, Ns, Nd] with each minutia's cylinder less the mean cylinder.

    `points` float32[4, n]: x, y (y up), angle, weight, sorted by (x, y). Cells outside the circle or the
    print hold 0: nothing is known there, which is not the same as "no minutia there". The print is its
    `foreground` bool[rows, cols], or what lies near the minutiae's hull where that is empty.
    """
    x, y, angle, _ = points
    hull = convex_hull(x, y)
    cells = np.empty((CYLINDER_CELLS, CYLINDER_CELLS, CYLINDER_SECTIONS), np.float64)
    sections = np.empty(CYLINDER_SECTIONS, np.float64)
    values[:] = 0.0
    for m in range(len(x)):
        if fill_cylinder(m, points, cells, sections) < CYLINDER_NEIGHBOURS:
            continue
        cos = math.cos(angle[m])
        sin = math.sin(angle[m])
        for i in range(CYLINDER_CELLS):
            for j in range(CYLINDER_CELLS):
                along = _STEP * (i - _MIDDLE)
                across = _STEP * (j - _MIDDLE)
                if along * along + across * across > CYLINDER_RADIUS * CYLINDER_RADIUS:
                    continue
                px = x[m] + along * cos - across * sin
                py = y[m] + along * sin + across * cos
                known = foreground.size > 0
                if on_print(px, py, foreground) if known else near_hull(px, py, x, y, hull):
                    for k in range(CYLINDER_SECTIONS):
                        raised = CYLINDER_SIGMOID_SLOPE * (cells[i, j, k] - CYLINDER_SIGMOID_CENTRE)
                        values[m, i, j, k] = 1.0 / (1.0 + math.exp(-raised)) - mean[i, j, k]


@kernel
def fill_layer(values: Floats, weights: Floats, bias: Floats, out: Floats) -> None:
    """Fill `out` float32[n, D] with `values` float32[n, C] times `weights` float32[C, D] plus `bias`.

    Sums run in one order on every machine, so that a print's descriptors do. Four rows at a time: the weights
    do not fit the nearest cache, and are read once for all four.
    """
    full = len(values) // 4 * 4
    for m in range(0, full, 4):
        one, two, three, four = out[m], out[m + 1], out[m + 2], out[m + 3]
        one[:], two[:], three[:], four[:] = bias, bias, bias, bias
        for c in range(values.shape[1]):
            a, b, e, f = values[m, c], values[m + 1, c], values[m + 2, c], values[m + 3, c]
            if a == 0.0 and b == 0.0 and e == 0.0 and f == 0.0:
                continue
            column = weights[c]
            for d in range(len(column)):
                one[d] += a * column[d]
                two[d] += b * column[d]
                three[d] += e * column[d]
                four[d] += f * column[d]
    for m in range(full, len(values)):
        row = out[m]
        row[:] = bias
        for c in range(values.shape[1]):
            value = values[m, c]
            if value != 0.0:
                column = weights[c]
                for d in range(len(row)):
                    row[d] += value * column[d]


@kernel
def scale_rows(rows: Floats) -> None:
    """Scale each row to length 1; rows without length stay 0."""
    for m in range(len(rows)):
        square = 0.0
        for d in range(rows.shape[1]):
            square += rows[m, d] * rows[m, d]
        scale = np.float32(1.0 / math.sqrt(square)) if square > _FAINT else np.float32(0.0)
        for d in range(rows.shape[1]):
            rows[m, d] *= scale
