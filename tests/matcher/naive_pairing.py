"""Slow, obvious twins of the pairing kernels, with angles as angles."""

from __future__ import annotations

import math

import numpy as np

from matcher import parameters as p
from matcher.descriptors import STEPS
from matcher.pairing import COS, SIN, X, Y


def similarities(probe: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """`matcher.pairing.similarities`."""
    return probe.astype(np.float64) @ reference.astype(np.float64).T / STEPS**2


def strongest_pairs(table: np.ndarray) -> list[tuple[int, int]]:
    """`matcher.pairing.strongest_pairs`."""
    candidates = []
    for i, row in enumerate(table):
        best = sorted(range(len(row)), key=lambda j, row=row: (-row[j], j))[: p.PAIRS_A_MINUTIA]
        candidates += [(-float(row[j]), i, j) for j in best if row[j] > 0.0]
    return [(i, j) for _, i, j in sorted(candidates)[: p.PAIRS_KEPT]]


def _parabola_of_turn(angle: float) -> float:
    return max(0.0, 1.0 - (1.0 - math.cos(angle)) / (1.0 - math.cos(p.COMPATIBLE_ANGLE)))


def compatibility(
    probe: np.ndarray, reference: np.ndarray, one: tuple[int, int], two: tuple[int, int]
) -> float:
    """One entry of `matcher.pairing.compatibilities`."""
    line_a = complex(*(probe[[X, Y], two[0]] - probe[[X, Y], one[0]]))
    line_b = complex(*(reference[[X, Y], two[1]] - reference[[X, Y], one[1]]))
    a, b = abs(line_a), abs(line_b)
    if min(a, b) < p.PAIRS_APART_PX:
        return 0.0
    turns = [
        math.atan2(reference[SIN, j], reference[COS, j]) - math.atan2(probe[SIN, i], probe[COS, i])
        for i, j in (one, two)
    ]
    line_turn = math.atan2(line_b.imag, line_b.real) - math.atan2(line_a.imag, line_a.real)
    gap = (a - b) / (p.COMPATIBLE_PX + p.COMPATIBLE_STRETCH * (a + b) / 2)
    leans = [_parabola_of_turn(line_turn - turn) for turn in turns]
    return _parabola_of_turn(turns[0] - turns[1]) * max(0.0, 1.0 - gap**2) * min(leans)


def compatibilities(probe: np.ndarray, reference: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """`matcher.pairing.compatibilities`."""
    table = np.zeros((len(pairs), len(pairs)))
    for t, one in enumerate(pairs):
        for s, two in enumerate(pairs):
            if s != t:
                table[t, s] = compatibility(probe, reference, tuple(one), tuple(two))
    return table


def relax(table: np.ndarray, pairs: np.ndarray, compatible: np.ndarray) -> np.ndarray:
    """`matcher.pairing.relax`."""
    belief = np.array([table[i, j] for i, j in pairs], dtype=np.float64)
    others = max(len(pairs) - 1, 1)
    for _ in range(p.RELAXATION_ROUNDS):
        told = compatible @ belief / others
        belief = p.RELAXATION_INERTIA * belief + (1.0 - p.RELAXATION_INERTIA) * told
    return belief


def next_seed(belief: np.ndarray, compatible: np.ndarray, taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`matcher.pairing.next_seed`: the support, and what is taken afterwards."""
    seed = int(np.argmax(belief * (1.0 - taken)))
    fit = compatible[seed].copy()
    fit[seed] = 1.0
    return belief * fit * (1.0 - taken[seed]), np.maximum(taken, fit)
