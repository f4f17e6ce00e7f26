"""Growing arrays: what a gallery holds, without an object for every minutia."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

#: Arrays by name: what a part of a gallery is written down as, and comes back from.
State: TypeAlias = Mapping[str, NDArray[Any]]


class Column:
    """Rows of one type that are appended and never change.

    A view stays valid while the column grows, so readers need no lock for rows they know of.
    """

    def __init__(self, dtype: DTypeLike, *, width: int | None = None) -> None:
        self._shape: tuple[int, ...] = () if width is None else (width,)
        self._kept = np.empty((1024, *self._shape), dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use; spare room, never touched, takes none."""
        return self._kept[: self._count].nbytes

    def adopt(self, rows: NDArray[Any]) -> None:
        """Hold these rows, not copied, in place of all; raises ValueError where they are of another kind."""
        if rows.dtype != self._kept.dtype or rows.shape[1:] != self._shape:
            raise ValueError(f"expected {self._kept.dtype}{self._shape}, not {rows.dtype}{rows.shape[1:]}")
        self._kept, self._count = rows, len(rows)

    def append(self, rows: NDArray[Any]) -> int:
        """Append rows; returns the number of the first."""
        first, last = self._count, self._count + len(rows)
        if last > len(self._kept):
            grown = np.empty((last + last // 2, *self._shape), self._kept.dtype)
            grown[:first] = self._kept[:first]
            self._kept = grown
        self._kept[first:last] = rows
        self._count = last
        return first

    def rows(self, first: int, count: int) -> NDArray[Any]:
        """A view of some rows."""
        return self._kept[first : first + count]

    def all(self) -> NDArray[Any]:
        """A view of all rows."""
        return self._kept[: self._count]
