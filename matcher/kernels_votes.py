"""The compiled loop of the shortlist: neighbours vote for references."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.compiled import kernel


@kernel
def cast_votes(
    similarities: NDArray[np.float32],
    rows: NDArray[np.int64],
    directions: NDArray[np.float32],
    references: NDArray[np.int32],
    stored_directions: NDArray[np.float32],
    turn_limit: float,
    votes: NDArray[np.float32],
) -> None:
    """Add to `votes` what each minutia's neighbours exceed its farthest neighbour by.

    similarities, rows: [minutiae, neighbours] by falling similarity; row -1 where there is no neighbour.
    references, stored_directions: of every row of the index. A direction is its cosine and sine: [·, 2].
    A minutia gives a reference one vote: its nearest row's whose turn has at least the cosine `turn_limit`.
    """
    voted = np.full(votes.shape[0], -1, np.int16)
    for minutia in range(rows.shape[0]):
        found = rows.shape[1]
        while found > 0 and rows[minutia, found - 1] < 0:
            found -= 1
        if found == 0:
            continue
        floor = similarities[minutia, found - 1]
        for neighbour in range(found):
            row = rows[minutia, neighbour]
            reference = references[row]
            if voted[reference] == minutia:
                continue
            turn = directions[minutia, 0] * stored_directions[row, 0]
            turn += directions[minutia, 1] * stored_directions[row, 1]
            if turn < turn_limit:
                continue
            voted[reference] = minutia
            votes[reference] += similarities[minutia, neighbour] - floor
