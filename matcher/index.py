"""Shortlist of one finger position: the references that hold neighbourhoods like the probe's.

Every minutia of every print is one row: its descriptor in 8 bits, its direction, the number of its reference.
FAISS finds the rows nearest to each minutia of the probe; each of them votes for its reference with what its
similarity exceeds the farthest neighbour found. Few rows are scanned one by one; many are kept in lists
around trained centres, of which the nearest few are scanned (Jégou, Douze and Schmid, TPAMI 2011).
"""

from __future__ import annotations

import math
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from matcher.columns import Column
from matcher.descriptors import DIMENSIONS, STEPS, quantise
from matcher.kernels_votes import cast_votes

#: Rows that are still scanned one by one. Origin: measured, below it lists save nothing.
SCANNED_ROWS: Final = 60_000
#: Centres for r rows: this times the square root of r (FAISS guidelines give 4-16).
CENTRES: Final = 4.0
#: Rows for each centre to train on, and rounds of k-means: enough for lists of even length.
TRAINING_ROWS: Final = 48
TRAINING_ROUNDS: Final = 6
#: An index is trained anew when it has grown by this factor since.
GROWTH: Final = 4
#: Neighbours that vote, over all minutiae of a probe, and the fewest and most for one minutia: a probe with
#: few minutiae looks farther for each at the same cost. Origin: measured recall on partial prints.
NEIGHBOURS: Final = 18_000
NEIGHBOURS_EACH: Final = (200, 1000)
#: Lists scanned, likewise.
PROBED_LISTS: Final = 4_500
PROBED_EACH: Final = (64, 400)
#: Prints turn against each other by no more than 60 degrees: its cosine.
TURN_LIMIT: Final = 0.5

#: Rows handed to FAISS at a time: it wants them as float32.
_BATCH: Final = 65_536

#: Its type hints know the C++ arguments only, not those of its Python wrappers.
_FAISS: Any = faiss

Codes = NDArray[np.int8]


class DescriptorIndex:
    """The rows of one finger position.

    FAISS allows searches together but changes only alone: the caller sees to it (`matcher.shard`).
    """

    def __init__(self, scanned_rows: int = SCANNED_ROWS) -> None:
        self._scanned_rows = scanned_rows
        self._codes = Column(np.int8, width=DIMENSIONS)
        self._references = Column(np.int32)
        self._directions = Column(np.float32, width=2)
        self._faiss: Any = _flat()
        self._trained_rows = 0

    def __len__(self) -> int:
        """Rows, dead ones included."""
        return len(self._references)

    @property
    def nbytes(self) -> int:
        """Bytes of memory: the columns, and FAISS's codes (with row numbers in lists)."""
        listed = self._faiss.sa_code_size() + (8 if self._trained_rows else 0)
        columns = self._codes.nbytes + self._references.nbytes + self._directions.nbytes
        return int(columns + listed * len(self))

    @property
    def outgrown(self) -> bool:
        """Whether a new arrangement would make searches faster."""
        return len(self) > max(self._scanned_rows, GROWTH * self._trained_rows)

    def append(self, references: NDArray[np.int32], codes: Codes, directions: NDArray[np.float32]) -> int:
        """Append rows; returns the number of the first. Alone. The very next search finds them."""
        self._codes.append(codes)
        self._directions.append(directions)
        for start in range(0, len(codes), _BATCH):
            self._faiss.add(codes[start : start + _BATCH].astype(np.float32))
        return self._references.append(references)

    def references(self) -> NDArray[np.int32]:
        """The number of the reference of each row: int32[rows]."""
        return self._references.rows(0, len(self))

    def codes(self, first: int, count: int) -> Codes:
        """The 8-bit descriptors of `count` rows."""
        return self._codes.rows(first, count)

    def directions(self, first: int, count: int) -> NDArray[np.float32]:
        """Cosine and sine of the direction of `count` rows: float32[count, 2]."""
        return self._directions.rows(first, count)

    def arranged(self) -> Any:
        """All rows in lists around centres trained on them, for `adopt`. Together with searches."""
        return _lists(self.codes(0, len(self)))

    def adopt(self, arrangement: Any) -> None:
        """Search in `arrangement` from now on. Alone, with no row added since it was made."""
        self._faiss = arrangement
        self._trained_rows = len(self)

    def vote(
        self,
        descriptors: NDArray[np.float32],
        directions: NDArray[np.float32],
        votes: NDArray[np.float32],
        allowed: NDArray[np.bool_] | None = None,
    ) -> None:
        """Add the votes of a probe finger's minutiae to `votes`, float32[references]. Together.

        allowed: bool[references], the references a search is over; None for all.
        """
        if not len(self) or not len(descriptors):
            return
        references = self.references()
        selector = None if allowed is None else _selector(allowed[references])
        similarities, rows = self._nearest(descriptors, selector)
        cast_votes(
            similarities, rows, directions, references, self.directions(0, len(self)), TURN_LIMIT, votes
        )

    def _nearest(
        self, descriptors: NDArray[np.float32], selector: Any
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The neighbours of each minutia by falling similarity: cosines and rows, -1 where there is none."""
        wanted = min(_share(NEIGHBOURS, NEIGHBOURS_EACH, len(descriptors)), len(self))
        probe = quantise(descriptors).astype(np.float32)
        if self._trained_rows:
            probed = _share(PROBED_LISTS, PROBED_EACH, len(descriptors))
            parameters = _FAISS.SearchParametersIVF(sel=selector, nprobe=min(probed, self._faiss.nlist))
        else:
            parameters = _FAISS.SearchParameters(sel=selector)
        products, rows = self._faiss.search(probe, wanted, params=parameters)
        return products / np.float32(STEPS * STEPS), rows


def _share(total: int, each: tuple[int, int], count: int) -> int:
    """What one of `count` gets of a total, within bounds."""
    return max(each[0], min(each[1], total // count))


def _flat() -> Any:
    return faiss.IndexScalarQuantizer(
        DIMENSIONS, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
    )


def _lists(codes: Codes) -> Any:
    """An inverted-list index over all rows, trained on a sample of them."""
    centres = max(1, round(CENTRES * math.sqrt(len(codes))))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(DIMENSIONS),
        DIMENSIONS,
        centres,
        faiss.ScalarQuantizer.QT_8bit_direct_signed,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    index.cp.niter = TRAINING_ROUNDS
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = TRAINING_ROWS
    sample = np.random.default_rng(0).permutation(len(codes))[: TRAINING_ROWS * centres]
    index.train(codes[np.sort(sample)].astype(np.float32))
    for start in range(0, len(codes), _BATCH):
        index.add(codes[start : start + _BATCH].astype(np.float32))
    return index


def _selector(rows: NDArray[np.bool_]) -> Any:
    return _FAISS.IDSelectorBitmap(np.packbits(rows, bitorder="little"))
