"""Slow, obvious twins of the alignment and evidence kernels, in complex numbers."""

from __future__ import annotations

import cmath
import math

import numpy as np

from matcher import parameters as p
from matcher.measures import NEIGHBOURS_FROM, NEIGHBOURS_TO
from matcher.pairing import COS, KIND, SIN, WEIGHT, X, Y
from matcher.prepared import PreparedTemplate
from matcher.template import CELL_PX


def places(minutiae: np.ndarray) -> np.ndarray:
    """Places as complex numbers."""
    return minutiae[X].astype(np.float64) + 1j * minutiae[Y]


def directions(minutiae: np.ndarray) -> np.ndarray:
    """Directions as complex numbers of length 1."""
    return minutiae[COS].astype(np.float64) + 1j * minutiae[SIN]


def fit_motion(
    probe: np.ndarray, reference: np.ndarray, pairs: np.ndarray, weights: np.ndarray
) -> tuple[complex, complex]:
    """`matcher.alignment.fit_motion`: turn and shift."""
    a, b = places(probe)[pairs[:, 0]], places(reference)[pairs[:, 1]]
    turns = directions(reference)[pairs[:, 1]] * directions(probe)[pairs[:, 0]].conj()
    total = weights.sum()
    middle_a = (weights * a).sum() / total if total else 0.0
    middle_b = (weights * b).sum() / total if total else 0.0
    agreement = (weights * ((b - middle_b) * (a - middle_a).conj() + p.DIRECTION_LEVER**2 * turns)).sum()
    turn = agreement / abs(agreement) if agreement else 1.0
    return turn, middle_b - turn * middle_a


def pair_within(probe: np.ndarray, reference: np.ndarray, reach: float) -> list[tuple[int, int]]:
    """`matcher.alignment.pair_within`: all near pairs, the best first, none twice."""
    found = []
    for i, (place, way) in enumerate(zip(places(probe), directions(probe), strict=True)):
        for j, (other, other_way) in enumerate(zip(places(reference), directions(reference), strict=True)):
            apart = abs(other - place)
            turn = abs(cmath.phase(other_way * way.conjugate()))
            if apart <= reach and turn <= p.PAIR_ANGLE:
                chord = (1.0 - math.cos(turn)) / (1.0 - math.cos(p.PAIR_ANGLE))
                found.append((apart**2 / reach**2 + chord, i, j))
    kept: list[tuple[int, int]] = []
    for _, i, j in sorted(found):
        if all(i != one and j != two for one, two in kept):
            kept.append((i, j))
    return kept


def unbend(
    laid: np.ndarray, reference: np.ndarray, pairs: np.ndarray, table: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`matcher.distortion.unbend`: the new places and directions.

    Around each minutia, the shift and the gradient that leave least of the pairs' displacements, squared and
    weighed, beside what shift and gradient themselves cost; the gradient turns about the pairs' mean place.
    """
    here, ways = places(laid), directions(laid)
    off = (places(reference)[pairs[:, 1]] - here[pairs[:, 0]])[:, None] if len(pairs) else np.zeros((0, 1))
    liking = p.REFIT_BASE + np.maximum(table[pairs[:, 0], pairs[:, 1]], 0.0).astype(np.float64)
    moved, turned = here.copy(), ways.copy()
    for i in range(len(here)):
        away = here[pairs[:, 0]] - here[i]
        weights = liking * np.maximum(1.0 - np.abs(away) ** 2 / p.DISTORTION_REACH**2, 0.0) ** 2
        total = weights.sum() + p.DISTORTION_STIFFNESS
        at = np.stack([away.real, away.imag], axis=1)
        mean = weights @ at / total
        gram = (at.T * weights) @ at - total * np.outer(mean, mean) + p.STRETCH_STIFFNESS * np.eye(2)
        shift = weights @ off
        gradient = np.linalg.solve(gram, (at.T * weights) @ off - np.outer(mean, shift))
        moved[i] += (shift / total - mean @ gradient).item()
        turned[i] += (np.array([ways[i].real, ways[i].imag]) @ gradient).item()
    return moved, turned / np.abs(turned)


def strain(rigid: np.ndarray, laid: np.ndarray, pairs: np.ndarray) -> float:
    """`matcher.measures.measure_strain`."""
    before, after = places(rigid)[pairs[:, 0]], places(laid)[pairs[:, 0]]
    shares = [
        abs((after[s] - after[t]) - (before[s] - before[t])) / abs(before[s] - before[t])
        for t in range(len(pairs))
        for s in range(t)
        if NEIGHBOURS_FROM < abs(before[s] - before[t]) < NEIGHBOURS_TO
    ]
    return math.log(math.sqrt(np.square(shares).mean() if shares else 0.0) + 0.02)


def stretch(
    laid: np.ndarray, reference: np.ndarray, pairs: np.ndarray, table: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`matcher.distortion.stretch`: the new places and directions."""
    if len(pairs) == 0:
        weights, here, there = np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2))
        middle_here, middle_there = np.zeros(2), np.zeros(2)
    else:
        weights = p.REFIT_BASE + np.maximum(table[pairs[:, 0], pairs[:, 1]], 0.0).astype(np.float64)
        here = laid[[X, Y]].T.astype(np.float64)[pairs[:, 0]]
        there = reference[[X, Y]].T.astype(np.float64)[pairs[:, 1]]
        middle_here, middle_there = (np.average(side, axis=0, weights=weights) for side in (here, there))
    off_here, off_there = here - middle_here, there - middle_there
    gram = (weights[:, None] * off_here).T @ off_here + p.STRETCH_STIFFNESS * np.eye(2)
    matrix = np.eye(2) + np.linalg.solve(gram, (weights[:, None] * off_here).T @ (off_there - off_here)).T
    moved = (laid[[X, Y]].T - middle_here) @ matrix.T + middle_there
    ways = laid[[COS, SIN]].T @ matrix.T
    ways = ways / np.linalg.norm(ways, axis=1, keepdims=True)
    return moved @ [1, 1j], ways @ [1, 1j]


def measures(
    probe: PreparedTemplate,
    reference: PreparedTemplate,
    pairs: np.ndarray,
    table: np.ndarray,
    motion: tuple[complex, complex],
    share: float,
    weights: tuple[float, float],
) -> list[float]:
    """`matcher.measures`, one after the other as in its `NAMES`, of a print that is laid without bending."""
    laid, other = places(probe.minutiae)[pairs[:, 0]], places(reference.minutiae)[pairs[:, 1]]
    ways, other_ways = directions(probe.minutiae)[pairs[:, 0]], directions(reference.minutiae)[pairs[:, 1]]
    some = max(len(pairs), 1)
    alike = np.maximum(table[pairs[:, 0], pairs[:, 1]], 0.0).sum() if len(pairs) else 0.0
    own_cells = [tuple(cell) for cell in np.argwhere(probe.cells > 0)]
    other_cells = {tuple(cell) for cell in np.argwhere(reference.cells > 0)}
    common = 0
    for row, column in own_cells:
        place = complex(column + 0.5, -(row + 0.5)) * CELL_PX * motion[0] + motion[1]
        common += (math.floor(-place.imag / CELL_PX), math.floor(place.real / CELL_PX)) in other_cells
    sizes = sorted((len(probe), len(reference)))
    return [
        math.log(share + 0.02),
        math.log(len(pairs) + 1),
        math.log(alike + 0.1),
        math.sqrt((np.abs(other - laid) ** 2).sum() / some),
        math.sqrt(max((1 - (other_ways * ways.conj()).real).sum(), 0.0) / some),
        math.log(weights[0] + 0.5),
        math.log(weights[1] + 0.5),
        math.log(common + 1),
        common / max(min(len(own_cells), len(other_cells)), 1),
        math.sqrt((np.abs(other - other.mean()) ** 2).sum() / some) / 50 if len(pairs) else 0.0,
        math.log(sizes[0] + 1),
        math.log(sizes[1] + 1),
        sum(math.log(_likelier(probe.minutiae[KIND, i], reference.minutiae[KIND, j])) for i, j in pairs),
        -math.log(1.03 - ridge_agreement(probe.cells, reference.cells, *motion)),
        strain(probe.minutiae, probe.minutiae, pairs),
    ]


def _likelier(one: float, other: float) -> float:
    """Of one minutia against two: how often both readings come about, endings and bifurcations alike many.

    A reading of correlation a is right with probability (1 + |a|) / 2; its sign says what was read.
    """
    right = [(1 + abs(one)) / 2, (1 + abs(other)) / 2]
    read = [one >= 0, other >= 0]
    together = 0.0
    for truth in (True, False):
        chances = [p if seen == truth else 1 - p for p, seen in zip(right, read, strict=True)]
        together += 0.5 * chances[0] * chances[1]
    return together / 0.25


def worth_of_pairs(laid: np.ndarray, reference: np.ndarray, pairs: np.ndarray, table: np.ndarray) -> float:
    """`matcher.evidence.worth_of_pairs`."""
    total = 0.0
    for i, j in pairs:
        apart = abs(places(reference)[j] - places(laid)[i])
        turn = cmath.phase(directions(reference)[j] * directions(laid)[i].conjugate())
        near = math.exp(-(apart**2) / p.SCORE_SQUARE_PX - 2 * (1 - math.cos(turn)) / p.SCORE_SQUARE_ANGLE)
        total += near * (p.SCORE_PAIR_BASE + max(float(table[i, j]), 0.0))
    return total


def weight_inside(
    minutiae: np.ndarray, paired: np.ndarray, turn: complex, shift: complex, hull: np.ndarray
) -> float:
    """`matcher.evidence.weight_inside`."""
    total = 0.0
    for i, place in enumerate(turn * places(minutiae) + shift):
        outside = hull[0] * place.real + hull[1] * place.imag - hull[2]
        if i in set(paired.tolist()) or (outside <= p.HULL_MARGIN).all():
            total += float(minutiae[WEIGHT, i])
    return total


def ridge_agreement(probe: np.ndarray, reference: np.ndarray, turn: complex, shift: complex) -> float:
    """The agreement of `matcher.ridge_fields.lay_fields`, its turn rounded to the same 256 steps."""
    steps = round(cmath.phase(turn) * 256.0 / math.pi)
    agreement = total = 0.0
    for row, column in np.argwhere(probe > 0):
        middle = complex((column + 0.5) * CELL_PX, -(row + 0.5) * CELL_PX)
        there = turn * middle + shift
        other_row, other_column = math.floor(-there.imag / CELL_PX), math.floor(there.real / CELL_PX)
        if 0 <= other_row < reference.shape[0] and 0 <= other_column < reference.shape[1]:
            (flow, clear), (other_flow, other_clear) = (
                divmod(int(cell), 8) for cell in (probe[row, column], reference[other_row, other_column])
            )
            weight = float(clear) * float(other_clear)
            difference = 8.0 * (flow - other_flow) + steps
            agreement += weight * math.cos(2.0 * math.pi * difference / 256.0)
            total += weight
    return agreement / total if total else 0.0
