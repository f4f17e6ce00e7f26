"""Slow, obvious twins of the descriptor's kernels: one cell at a time, as the paper writes it."""

from __future__ import annotations

import itertools
import math

import numpy as np

from matcher import parameters as p
from matcher.template import CELL_PX

STEP = 2.0 * p.CYLINDER_RADIUS / p.CYLINDER_CELLS
SECTION = 2.0 * math.pi / p.CYLINDER_SECTIONS
REACH = 3.0 * p.CYLINDER_SIGMA_PX


def hull_edges(x: np.ndarray, y: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of different points with every other point on their left or on their line."""
    edges = []
    for a, b in itertools.permutations(range(len(x)), 2):
        ex, ey = float(x[b] - x[a]), float(y[b] - y[a])
        left = [ex * float(y[k] - y[a]) - ey * float(x[k] - x[a]) for k in range(len(x))]
        if (ex, ey) != (0.0, 0.0) and min(left) >= 0.0:
            edges.append((a, b))
    return edges


def near_hull(px: float, py: float, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether no edge of the hull has the point farther outside than the margin."""
    for a, b in hull_edges(x, y):
        ex, ey = float(x[b] - x[a]), float(y[b] - y[a])
        outside = (ey * (px - x[a]) - ex * (py - y[a])) / math.hypot(ex, ey)
        if outside > p.CYLINDER_HULL_MARGIN:
            return False
    return True


def on_print(px: float, py: float, foreground: np.ndarray) -> bool:
    """Whether the pixel's cell is foreground."""
    row, column = math.floor(-py / CELL_PX), math.floor(px / CELL_PX)
    inside = 0 <= row < foreground.shape[0] and 0 <= column < foreground.shape[1]
    return bool(inside and foreground[row, column])


def section_share(difference: float, k: int) -> float:
    """Part of a Gaussian around `difference` that falls into section `k` (MCC eq. 8-11)."""
    away = difference - (-math.pi + (k + 0.5) * SECTION)
    away = math.remainder(away, 2.0 * math.pi)
    spread = p.CYLINDER_SIGMA_ANGLE * math.sqrt(2.0)
    return 0.5 * (math.erf((away + SECTION / 2) / spread) - math.erf((away - SECTION / 2) / spread))


def fill_cylinders(points: np.ndarray, foreground: np.ndarray, mean: np.ndarray, values: np.ndarray) -> None:
    """`matcher.kernels_cylinder.fill_cylinders`."""
    x, y, angle, weight = points.astype(np.float64)
    cells = range(p.CYLINDER_CELLS)
    values[:] = 0.0
    for m in range(len(x)):
        near = [
            t
            for t in range(len(x))
            if t != m and math.hypot(x[t] - x[m], y[t] - y[m]) <= p.CYLINDER_RADIUS + REACH
        ]
        if len(near) < p.CYLINDER_NEIGHBOURS:
            continue
        for i, j in itertools.product(cells, cells):
            along, across = STEP * (i - (len(cells) - 1) / 2), STEP * (j - (len(cells) - 1) / 2)
            px = x[m] + along * math.cos(angle[m]) - across * math.sin(angle[m])
            py = y[m] + along * math.sin(angle[m]) + across * math.cos(angle[m])
            seen = on_print(px, py, foreground) if foreground.size else near_hull(px, py, x, y)
            if math.hypot(along, across) > p.CYLINDER_RADIUS or not seen:
                continue
            for k in range(p.CYLINDER_SECTIONS):
                total = 0.0
                for t in near:
                    far = math.hypot(px - x[t], py - y[t])
                    if far <= REACH:
                        space = math.exp(-(far**2) / (2 * p.CYLINDER_SIGMA_PX**2))
                        space /= p.CYLINDER_SIGMA_PX * math.sqrt(2 * math.pi)
                        total += weight[t] * space * section_share(angle[m] - angle[t], k)
                raised = p.CYLINDER_SIGMOID_SLOPE * (total - p.CYLINDER_SIGMOID_CENTRE)
                values[m, i, j, k] = 1.0 / (1.0 + math.exp(-raised)) - mean[i, j, k]


def fill_layer(values: np.ndarray, weights: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
    """`matcher.kernels_cylinder.fill_layer`."""
    out[:] = values.astype(np.float64) @ weights + bias


def scale_rows(rows: np.ndarray) -> None:
    """`matcher.kernels_cylinder.scale_rows`."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    rows[:] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-4)
