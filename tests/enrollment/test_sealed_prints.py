"""Prints sealed on disk: the same answers, nothing readable, and what happens when somebody touches them."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.sealed_prints import SealedBodies, SealedPrints
from enrollment.sealing import new_key
from fixtures.templates import person
from matcher.candidates import ReferenceId
from matcher.codes import FingerPosition
from matcher.comparison import prepare
from matcher.errors import GalleryUnavailable
from matcher.gallery import Gallery
from matcher.prints import Prints
from matcher.scoring import Score
from matcher.shard import Shard
from matcher.sketches import sketch_of

INDEX, THUMB = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_THUMB
THRESHOLD = Score(40.0)
PEOPLE = 6


class Watched:
    """Makes sealed places and remembers them, to look at their files and to harm them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[SealedBodies] = []

    def __call__(self) -> SealedBodies:
        """One more."""
        self.made.append(SealedBodies(self.folder))
        return self.made[-1]

    def files(self) -> list[int]:
        """Descriptors of the files."""
        return [each._file.fileno() for each in self.made]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A factory in a folder of its own."""
    return Watched(tmp_path / "prints")


def reference(number: int) -> ReferenceId:
    """What the galleries call a person."""
    return ReferenceId(f"p{number}")


def add(gallery: Gallery, number: int, capture: int = 0, sequence: int = 0) -> None:
    """Two fingers of somebody."""
    prints = person(41, number).tenprint(capture, (INDEX, THUMB))
    gallery.add(reference(number), prints, sequence=sequence)


def sealed_gallery(watched: Watched, people: int = PEOPLE) -> Gallery:
    """Somebody's prints in files."""
    gallery = Gallery(shards=[Shard(dead_least=1, new_bodies=watched)])
    for number in range(people):
        add(gallery, number)
    return gallery


def test_answers_are_the_same_as_from_memory(watched: Watched) -> None:
    """Through additions, replacements, removals, reclaimed room and restarts."""
    chance = random.Random(5)
    held, sealed = Gallery(shards=2), Gallery(shards=[Shard(dead_least=1, new_bodies=watched) for _ in "ab"])
    for sequence in range(1, 41):
        number, capture = chance.randrange(PEOPLE), chance.randrange(2)
        if chance.random() < 0.1:
            held.restore(sealed.state())
            sealed.restore(held.state())
        for gallery in (held, sealed):
            if sequence % 3:
                add(gallery, number, capture, sequence)
            else:
                gallery.remove(reference(number), sequence=sequence)
        probe = person(41, chance.randrange(PEOPLE)).tenprint(2, (INDEX, THUMB))
        answers = [gallery.search(probe, limit=9, threshold=THRESHOLD) for gallery in (held, sealed)]
        assert answers[0] == answers[1]
        assert answers[0].complete
    assert len(watched.made) > 4, "no room was reclaimed"


def test_nothing_of_a_print_lies_on_disk(watched: Watched) -> None:
    """The file holds no byte string that a body does; it has no name; memory holds sketches only."""
    prints, held, prepared = Prints(watched()), Prints(), prepare(person(41, 1).capture(INDEX))
    for each in (prints, held):
        each.append(0, prepared, sketch_of(prepared))
    (body,) = [held.state()["bodies"].tobytes()]
    on_disk = os.pread(watched.files()[0], 1 << 20, 0)
    assert len(on_disk) == len(body) + 16
    assert not any(body[k : k + 8] in on_disk for k in range(0, len(body), 8) if any(body[k : k + 8]))
    assert not list(watched.folder.iterdir())
    assert prints.nbytes < 300 < held.nbytes - 1000


def test_what_is_lost_is_overwritten(watched: Watched) -> None:
    """At once, not when room is reclaimed."""
    gallery = sealed_gallery(watched, 2)
    before = os.pread(watched.files()[0], 100, 0)
    assert any(before)
    gallery.remove(reference(0))
    assert not any(os.pread(watched.files()[0], 100, 0))
    add(gallery, 1, capture=1)
    answer = gallery.search(person(41, 1).tenprint(2, (INDEX,)), limit=5, threshold=THRESHOLD)
    assert [each.reference_id for each in answer.suggestions] == [reference(1)]


def _flip(file: int) -> None:
    data = bytearray(os.pread(file, 1 << 20, 0))
    data[len(data) // 2] ^= 1
    os.pwrite(file, data, 0)


def _cut(file: int) -> None:
    os.ftruncate(file, 100)


def _swap(file: int) -> None:
    """Everything moves by a byte."""
    os.pwrite(file, os.pread(file, 1 << 20, 0), 1)


@pytest.mark.parametrize("harm", [_flip, _cut, _swap])
def test_a_print_that_was_changed_is_not_silently_passed_over(
    watched: Watched, harm: Callable[[int], None]
) -> None:
    """The search says that it is not complete, here that nothing answers; it never says nothing found."""
    gallery = sealed_gallery(watched)
    harm(watched.files()[0])
    with pytest.raises(GalleryUnavailable):
        gallery.search(person(41, 1).tenprint(1, (INDEX,)), limit=5, threshold=THRESHOLD)


def test_a_full_disk_refuses_an_addition_and_nothing_else(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there is found, what was refused can be added later."""
    gallery = sealed_gallery(watched)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="no space"):
            add(gallery, 7)
    probe = person(41, 7).tenprint(1, (INDEX, THUMB))
    assert not gallery.search(probe, limit=9, threshold=THRESHOLD).suggestions
    assert len(gallery) == PEOPLE
    add(gallery, 7)
    assert gallery.search(probe, limit=9, threshold=THRESHOLD).suggestions[0].reference_id == reference(7)


def test_a_checkpoint_serves_both_kinds(watched: Watched, tmp_path: Path) -> None:
    """Written by one, read by the other."""
    checkpoint = GalleryCheckpoint(tmp_path / "checkpoints", Keyring(tmp_path, new_key()))
    sealed = sealed_gallery(watched)
    checkpoint.save(sealed)
    held = Gallery()
    assert checkpoint.load(held, newest=9) == 0
    probe = person(41, 3).tenprint(1, (INDEX, THUMB))
    again = Gallery(new_bodies=SealedPrints(tmp_path / "more"))
    assert checkpoint.load(again, newest=9) == 0
    answers = [each.search(probe, limit=9, threshold=THRESHOLD) for each in (sealed, held, again)]
    assert answers[0] == answers[1] == answers[2]


def test_many_prints_come_back_as_they_were(watched: Watched) -> None:
    """Copied from one kind to the other and back, some left out."""
    first = Prints()
    for number in range(5):
        prepared = prepare(person(41, number).capture(INDEX))
        first.append(number, prepared, sketch_of(prepared))
    middle, last = Prints(watched()), Prints()
    middle.extend(first, np.array([0, 2, 3, 4]), np.array([1, 2, 5, 6], np.int32))
    last.extend(middle, np.array([1, 3]), np.array([0, 4], np.int32))
    for number, origin in ((0, 2), (4, 4)):
        one, other = last.get(number), first.get(origin)
        assert one is not None
        assert other is not None
        assert np.array_equal(one.minutiae, other.minutiae)
        assert np.array_equal(one.descriptors, other.descriptors)
        assert np.array_equal(one.cells, other.cells)
        assert np.array_equal(one.order, other.order)
    assert last.get(1) is None
    assert np.array_equal(last.sketches()[0], first.sketches()[0][[2, 4]])
