"""What a gallery is made of: columns, prints and the lock."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.columns import Column
from matcher.comparison import PreparedTemplate, prepare
from matcher.locks import ReadWriteLock
from matcher.prints import Prints
from matcher.sketches import sketch_of
from matcher.template import Template

ARRAYS = ("minutiae", "descriptors", "cells", "hull", "order")


def assert_equal(one: PreparedTemplate | None, other: PreparedTemplate) -> None:
    """Every array, to the last bit."""
    assert one is not None
    assert one.key == other.key
    assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)


def bare(minutiae: int) -> Template:
    """A template without a field."""
    place = np.arange(minutiae, dtype=np.int16) * 11
    zeros = np.zeros(minutiae, np.uint8)
    return Template(place, place[::-1].copy(), zeros.astype(np.float32), zeros, zeros, 3000, 3000)


@pytest.mark.parametrize(
    "template",
    [person(7, 1).capture(FINGERS[0]), person(7, 2).capture(FINGERS[1], rolled=True), bare(0), bare(255)],
    ids=["plain", "rolled", "empty", "full"],
)
def test_a_print_comes_back_as_it_was(template: Template) -> None:
    """So that a search gives the scores that a verification gives."""
    prints, prepared = Prints(), prepare(template)
    prints.append(4, prepared, sketch_of(prepared))
    assert_equal(prints.get(4), prepared)
    assert prints.get(3) is None
    assert prints.get(5) is None


@given(st.sets(st.integers(0, 5)))
def test_reclaimed_prints_are_those_of_the_living(dead: set[int]) -> None:
    """Under their old numbers, with their sketches; reference 2 has no print here."""
    copy = PRINTS.kept(np.array([number not in dead for number in range(6)]))
    for number in range(6):
        before = PRINTS.get(number)
        if before is None or number in dead:
            assert copy.get(number) is None
        else:
            assert_equal(copy.get(number), before)
    sketches, references = copy.sketches()
    assert references.tolist() == sorted({0, 1, 3, 4, 5} - dead)
    assert [sketches[k].tolist() for k in range(len(copy))] == [
        sketch_of(prepared).tolist() for number in references if (prepared := PRINTS.get(int(number)))
    ]


def _prints() -> Prints:
    prints = Prints()
    for number in (0, 1, 3, 4, 5):
        template = bare(number) if number == 4 else person(8, number).capture(FINGERS[number])
        prepared = prepare(template)
        prints.append(number, prepared, sketch_of(prepared))
    return prints


PRINTS = _prints()


def test_a_view_of_a_column_outlives_its_growth() -> None:
    """Readers keep what they have while a writer appends."""
    column = Column(np.int32)
    column.append(np.arange(1000, dtype=np.int32))
    view = column.rows(10, 3)
    column.append(np.arange(5000, dtype=np.int32))
    assert view.tolist() == column.rows(10, 3).tolist() == [10, 11, 12]
    assert len(column) == len(column.all()) == 6000
    assert column.nbytes >= 24_000


def test_readers_share_and_writers_exclude() -> None:
    """Counted from within, by several threads."""
    lock, inside, seen = ReadWriteLock(), {"readers": 0, "writers": 0}, set[tuple[int, int]]()
    count = threading.Lock()

    def visit(role: str) -> None:
        with lock.writing() if role == "writers" else lock.reading():
            with count:
                inside[role] += 1
                seen.add((inside["readers"], inside["writers"]))
            time.sleep(0.002)
            with count:
                inside[role] -= 1

    threads = [threading.Thread(target=visit, args=(role,)) for role in ("readers", "writers") * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(writers == 0 or (readers, writers) == (0, 1) for readers, writers in seen)
