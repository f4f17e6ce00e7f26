"""What skin and sensor did to one print against the other, undone: stretch as a whole, bends place by place.

Compiled steps on the minutiae of a probe that `matcher.alignment` laid over a reference.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from matcher.compiled import kernel
from matcher.pairing import COS, KIND, SIN, WEIGHT, Floats, Pairs, X, Y
from matcher.parameters import DISTORTION_REACH, DISTORTION_STIFFNESS, REFIT_BASE, STRETCH_STIFFNESS

_0, _1, _2 = np.float32(0.0), np.float32(1.0), np.float32(2.0)
_LESS_NEAR = np.float32(1.0 / (DISTORTION_REACH * DISTORTION_REACH))
_STIFFNESS, _STRETCH = np.float32(DISTORTION_STIFFNESS), np.float32(STRETCH_STIFFNESS)
_LEAST = np.float32(1e-18)

#: Minutiae that `unbend` moves side by side.
_LANES: Final = 16
#: Sums over the pairs around a minutia; after them in its `room` the minutia's place and direction.
_SUMS: Final = 12
_ROWS: Final = _SUMS + 4
_PX, _PY, _PCOS, _PSIN = (_LANES * (_SUMS + row) for row in range(4))


@kernel
def stretch(laid: Floats, reference: Floats, pairs: Pairs, table: Floats) -> Floats:
    """The laid probe stretched and sheared towards the reference, as far as its pairs ask for it.

    Weighted least squares of the pairs' residuals on their places, drawn towards no stretch (ridge
    regression). Sensors that sweep, fingers that are pulled, and children who have grown need it.
    """
    mx = my = qx = qy = total = 0.0
    for t in range(len(pairs)):
        i, j = pairs[t, 0], pairs[t, 1]
        w = REFIT_BASE + max(0.0, table[i, j])
        mx, my = mx + w * laid[X, i], my + w * laid[Y, i]
        qx, qy = qx + w * reference[X, j], qy + w * reference[Y, j]
        total += w
    scale = 1.0 / total if total > 0.0 else 0.0
    mx, my, qx, qy = mx * scale, my * scale, qx * scale, qy * scale
    xx = yy = STRETCH_STIFFNESS
    xy = ax = ay = bx = by = 0.0
    for t in range(len(pairs)):
        i, j = pairs[t, 0], pairs[t, 1]
        w = REFIT_BASE + max(0.0, table[i, j])
        px, py = laid[X, i] - mx, laid[Y, i] - my
        ex, ey = reference[X, j] - qx - px, reference[Y, j] - qy - py
        xx, xy, yy = xx + w * px * px, xy + w * px * py, yy + w * py * py
        ax, ay = ax + w * ex * px, ay + w * ex * py
        bx, by = bx + w * ey * px, by + w * ey * py
    spread = xx * yy - xy * xy
    ax, ay = 1.0 + (ax * yy - ay * xy) / spread, (ay * xx - ax * xy) / spread
    bx, by = (bx * yy - by * xy) / spread, 1.0 + (by * xx - bx * xy) / spread
    return sheared(laid, (ax, ay, bx, by), (mx, my, qx, qy))


@kernel
def sheared(
    laid: Floats, matrix: tuple[float, float, float, float], middles: tuple[float, float, float, float]
) -> Floats:
    """Minutiae after x → matrix · (x - the first middle) + the second; their directions follow."""
    ax, ay, bx, by = matrix
    mx, my, qx, qy = middles
    out = np.empty_like(laid)
    for i in range(laid.shape[1]):
        px, py = laid[X, i] - mx, laid[Y, i] - my
        out[X, i], out[Y, i] = qx + ax * px + ay * py, qy + bx * px + by * py
        cos, sin = ax * laid[COS, i] + ay * laid[SIN, i], bx * laid[COS, i] + by * laid[SIN, i]
        length = max(math.sqrt(cos * cos + sin * sin), 1e-9)
        out[COS, i], out[SIN, i] = cos / length, sin / length
        out[WEIGHT, i], out[KIND, i] = laid[WEIGHT, i], laid[KIND, i]
    return out


@kernel
def unbend(laid: Floats, reference: Floats, pairs: Pairs, table: Floats) -> Floats:
    """The laid probe with skin distortion undone: each minutia goes where the pairs around it go.

    Moving least squares (Schaefer, McPhail and Warren, SIGGRAPH 2006): around each minutia, an affine map is
    fitted to the displacements of the pairs within some reach, nearer and more similar ones weighing more,
    and drawn towards no displacement. Directions follow.

    Sixteen minutiae at a time, side by side in rows of `room`: the processor does them at once.
    """
    out = laid.copy()
    count = laid.shape[1]
    if len(pairs) == 0:
        return out
    terms = _terms(laid, reference, pairs, table)
    room = np.empty(_ROWS * _LANES, np.float32)
    for begin in range(0, count, _LANES):
        here = min(_LANES, count - begin)
        for lane in range(_LANES):
            # Lanes without a minutia stand where another does: what they come to is not looked at.
            i = begin + min(lane, here - 1)
            room[_PX + lane], room[_PY + lane] = laid[X, i] - terms[0, 0], laid[Y, i] - terms[0, 1]
            room[_PCOS + lane], room[_PSIN + lane] = laid[COS, i], laid[SIN, i]
        _gather(terms, room)
        _follow(room)
        for lane in range(here):
            i = begin + lane
            out[X, i] += room[_PX + lane]
            out[Y, i] += room[_PY + lane]
            out[COS, i], out[SIN, i] = room[_PCOS + lane], room[_PSIN + lane]
    return out


@kernel
def _terms(laid: Floats, reference: Floats, pairs: Pairs, table: Floats) -> Floats:
    """The middle of the paired minutiae; then of each pair place from there, displacement and liking.

    float32[1 + k, 5]. Products are summed from the middle, so that they keep their digits.
    """
    terms = np.zeros((1 + len(pairs), 5), np.float32)
    for t in range(len(pairs)):
        terms[0, 0] += laid[X, pairs[t, 0]]
        terms[0, 1] += laid[Y, pairs[t, 0]]
    terms[0, 0] /= np.float32(len(pairs))
    terms[0, 1] /= np.float32(len(pairs))
    for t in range(len(pairs)):
        i, j = pairs[t, 0], pairs[t, 1]
        x, y = laid[X, i], laid[Y, i]
        terms[1 + t, 0], terms[1 + t, 1] = x - terms[0, 0], y - terms[0, 1]
        terms[1 + t, 2], terms[1 + t, 3] = reference[X, j] - x, reference[Y, j] - y
        terms[1 + t, 4] = np.float32(REFIT_BASE) + max(_0, table[i, j])
    return terms


@kernel
def _gather(terms: Floats, room: Floats) -> None:
    """Sum over the pairs around each place in `room`: weight, place, displacement, and their products."""
    room[: _SUMS * _LANES] = _0
    for t in range(1, len(terms)):
        x, y, u, v, liking = terms[t, 0], terms[t, 1], terms[t, 2], terms[t, 3], terms[t, 4]
        xx, xy, yy, xu, yu, xv, yv = x * x, x * y, y * y, x * u, y * u, x * v, y * v
        for lane in range(_LANES):
            dx, dy = x - room[_PX + lane], y - room[_PY + lane]
            near = max(_1 - (dx * dx + dy * dy) * _LESS_NEAR, _0)
            weight = near * near * liking
            room[lane] += weight
            room[1 * _LANES + lane] += weight * x
            room[2 * _LANES + lane] += weight * y
            room[3 * _LANES + lane] += weight * u
            room[4 * _LANES + lane] += weight * v
            room[5 * _LANES + lane] += weight * xx
            room[6 * _LANES + lane] += weight * xy
            room[7 * _LANES + lane] += weight * yy
            room[8 * _LANES + lane] += weight * xu
            room[9 * _LANES + lane] += weight * yu
            room[10 * _LANES + lane] += weight * xv
            room[11 * _LANES + lane] += weight * yv


@kernel
def _follow(room: Floats) -> None:
    """Put in each place of `room` how far its minutia moves, and its direction after that."""
    for lane in range(_LANES):
        total, to_x, to_y = room[lane], room[1 * _LANES + lane], room[2 * _LANES + lane]
        u, v = room[3 * _LANES + lane], room[4 * _LANES + lane]
        x, y = room[_PX + lane], room[_PY + lane]
        # From the common middle to the minutia itself, then to the mean of its pairs.
        weight = total + _STIFFNESS
        mean_x, mean_y = (to_x - total * x) / weight, (to_y - total * y) / weight
        xx = room[5 * _LANES + lane] - _2 * x * to_x + total * x * x - weight * mean_x * mean_x + _STRETCH
        xy = room[6 * _LANES + lane] - x * to_y - y * to_x + total * x * y - weight * mean_x * mean_y
        yy = room[7 * _LANES + lane] - _2 * y * to_y + total * y * y - weight * mean_y * mean_y + _STRETCH
        xu, yu = room[8 * _LANES + lane] - (x + mean_x) * u, room[9 * _LANES + lane] - (y + mean_y) * u
        xv, yv = room[10 * _LANES + lane] - (x + mean_x) * v, room[11 * _LANES + lane] - (y + mean_y) * v
        less = _1 / (xx * yy - xy * xy)
        ux, uy = (xu * yy - yu * xy) * less, (yu * xx - xu * xy) * less
        vx, vy = (xv * yy - yv * xy) * less, (yv * xx - xv * xy) * less
        room[_PX + lane] = u / weight - ux * mean_x - uy * mean_y
        room[_PY + lane] = v / weight - vx * mean_x - vy * mean_y
        cos, sin = room[_PCOS + lane], room[_PSIN + lane]
        to_cos, to_sin = cos + ux * cos + uy * sin, sin + vx * cos + vy * sin
        length = np.sqrt(max(to_cos * to_cos + to_sin * to_sin, _LEAST))
        room[_PCOS + lane], room[_PSIN + lane] = to_cos / length, to_sin / length
