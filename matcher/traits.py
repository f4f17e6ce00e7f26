"""What a search may be narrowed by, before anything is compared: sex, year of birth, category, galleries."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.columns import Column, State

#: Year of birth of somebody whose year is unknown.
_NO_YEAR = -1


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a reference beside its prints; None where it is unknown.

    sex and category: any words; a filter asks for the same ones.
    """

    sex: str | None = None
    birth_year: int | None = None
    category: str | None = None
    galleries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which references a search is over; None does not narrow it.

    sex, birth_years (first and last): a reference whose trait is unknown passes, since nothing
    speaks against it.
    categories, galleries: a reference must have one of them, known.
    """

    sex: str | None = None
    birth_years: tuple[int, int] | None = None
    categories: frozenset[str] | None = None
    galleries: frozenset[str] | None = None


_NOTHING_KNOWN = Traits()


class TraitColumns:
    """The traits of many references, by number: 10 bytes each. Words are numbered as they come."""

    def __init__(self) -> None:
        self._words: dict[str | None, int] = {None: 0}
        self._sets: dict[frozenset[str], int] = {}
        self._sexes = Column(np.uint16)
        self._years = Column(np.int16)
        self._categories = Column(np.uint16)
        self._galleries = Column(np.int32)

    def __len__(self) -> int:
        return len(self._sexes)

    def append(self, traits: Traits) -> None:
        """Keep the traits of the next reference."""
        self._extend(1, traits)

    def extend(self, count: int) -> None:
        """The next so many references have none."""
        self._extend(count, _NOTHING_KNOWN)

    def _extend(self, count: int, traits: Traits) -> None:
        year = _NO_YEAR if traits.birth_year is None else traits.birth_year
        self._sexes.append(np.full(count, self._number(traits.sex), np.uint16))
        self._years.append(np.full(count, year, np.int16))
        self._categories.append(np.full(count, self._number(traits.category), np.uint16))
        chosen = self._sets.setdefault(traits.galleries, len(self._sets))
        self._galleries.append(np.full(count, chosen, np.int32))

    def state(self) -> State:
        """The columns and the words behind their numbers."""
        words = {"words": list(self._words), "sets": [sorted(names) for names in self._sets]}
        columns = {name: column.all() for name, column in self._columns().items()}
        return {**columns, "words": np.frombuffer(json.dumps(words).encode(), np.uint8)}

    @classmethod
    def restored(cls, state: State) -> TraitColumns:
        """Traits from their `state`."""
        traits = cls()
        words = json.loads(state["words"].tobytes())
        traits._words = {word: number for number, word in enumerate(words["words"])}
        traits._sets = {frozenset(names): number for number, names in enumerate(words["sets"])}
        for name, column in traits._columns().items():
            column.adopt(state[name])
        return traits

    def _columns(self) -> dict[str, Column]:
        return {
            "sexes": self._sexes,
            "years": self._years,
            "categories": self._categories,
            "galleries": self._galleries,
        }

    def passing(self, only: Filter) -> NDArray[np.bool_]:
        """The references a filter lets through: bool[references]."""
        passing = np.ones(len(self), np.bool_)
        if only.sex is not None:
            passing &= np.isin(self._sexes.all(), [0, self._words.get(only.sex, 0)])
        if only.birth_years is not None:
            years, (first, last) = self._years.all(), only.birth_years
            passing &= (years == _NO_YEAR) | ((years >= first) & (years <= last))
        if only.categories is not None:
            passing &= np.isin(self._categories.all(), self._known(only.categories))
        if only.galleries is not None:
            sets = [number for names, number in self._sets.items() if not names.isdisjoint(only.galleries)]
            passing &= np.isin(self._galleries.all(), sets)
        return passing

    def _number(self, word: str | None) -> int:
        return self._words.setdefault(word, len(self._words))

    def _known(self, words: Collection[str]) -> list[int]:
        return [self._words[word] for word in words if word in self._words]
