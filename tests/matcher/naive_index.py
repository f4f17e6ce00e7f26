"""Slow, obvious twins of the shortlist."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def cast_votes(
    similarities: Floats,
    rows: NDArray[np.int64],
    directions: Floats,
    references: NDArray[np.int32],
    stored_directions: Floats,
    turn_limit: float,
    votes: Floats,
) -> None:
    """`matcher.kernels_votes.cast_votes`, minutia by minutia."""
    for minutia, direction in enumerate(directions):
        neighbours = [
            (float(similarity), int(row))
            for similarity, row in zip(similarities[minutia], rows[minutia], strict=True)
            if row >= 0
        ]
        if not neighbours:
            continue
        farthest = neighbours[-1][0]
        best: dict[int, float] = {}
        for similarity, row in neighbours:
            if float(direction @ stored_directions[row]) >= turn_limit:
                best.setdefault(int(references[row]), similarity - farthest)
        for reference, vote in best.items():
            votes[reference] += np.float32(vote)


def nearest(probe: Floats, stored: Floats, count: int) -> tuple[Floats, NDArray[np.int64]]:
    """Inner products and rows of the `count` nearest stored descriptors, by falling product."""
    products = probe @ stored.T
    order = np.argsort(-products, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(products, order, axis=1), order
