"""Random lives of a gallery with real checkpoints and crashes, against a model that compares everything.

A few in the suite; `TENPRINT_GALLERY_HISTORIES=1000` runs as many (docs/identification.md).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.sealed_prints import SealedPrints
from enrollment.sealing import new_key
from fixtures.templates import person
from matcher import gallery as gallery_module
from matcher.bodies import HeldBodies, NewBodies
from matcher.candidates import ReferenceId
from matcher.codes import FingerPosition
from matcher.comparison import prepare, score_of
from matcher.fusion import fuse
from matcher.gallery import Gallery
from matcher.prepared import PreparedTemplate
from matcher.references import PreparedTenprint, prepare_tenprint
from matcher.scoring import Score
from matcher.shard import Shard
from matcher.template import Tenprint

HISTORIES = int(os.environ.get("TENPRINT_GALLERY_HISTORIES", "6"))
STEPS = 40
INDEX, THUMB = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_THUMB
PEOPLE = 7
#: Somebody's prints as one capture gave them; what changed, or None for a removal.
Print = tuple[int, int]
Change = tuple[ReferenceId, Print | None]


@cache
def tenprint_of(number: int, capture: int) -> Tenprint:
    """Two fingers of somebody; every third person has but one."""
    return person(51, number).tenprint(capture, (INDEX, THUMB) if number % 3 else (INDEX,))


@cache
def prepared_of(number: int, capture: int) -> dict[FingerPosition, PreparedTemplate]:
    """The same, ready to be compared."""
    return {position: prepare(template) for position, template in tenprint_of(number, capture).items()}


@cache
def score_between(probe: Print, reference: Print) -> float:
    """As a verification gives it."""
    asked, stored = prepared_of(*probe), prepared_of(*reference)
    return fuse({each: score_of(asked[each], stored[each]) for each in asked.keys() & stored.keys()})


class Life:
    """One gallery, what is on disk of it, and what it should hold."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.folder = folder / str(seed)
        self.folder.mkdir()
        self.checkpoint = GalleryCheckpoint(self.folder / "checkpoints", Keyring(self.folder, new_key()))
        self.shards = self.chance.randrange(1, 4)
        #: The change log: a change's sequence is its place, from 1 on.
        self.log: list[Change] = []
        self.model: dict[ReferenceId, Print] = {}
        self.crashes = 0
        self.gallery = self.empty()

    def empty(self) -> Gallery:
        """A gallery as after a start, its prints in memory or on disk."""
        places: NewBodies = self.chance.choice([HeldBodies, SealedPrints(self.folder / "prints")])
        return Gallery(shards=[Shard(dead_least=1, new_bodies=places) for _ in range(self.shards)])

    def step(self) -> None:
        """Something happens."""
        kinds = ("add", "add", "remove", "search", "search", "save", "crash")
        getattr(self, self.chance.choice(kinds))()

    def add(self) -> None:
        """Somebody new, or a new print of somebody known."""
        number, capture = self.chance.randrange(PEOPLE), self.chance.randrange(2)
        self.change((ReferenceId(f"p{number}"), (number, capture)))

    def remove(self) -> None:
        """Also somebody unknown."""
        self.change((ReferenceId(f"p{self.chance.randrange(PEOPLE)}"), None))

    def change(self, change: Change) -> None:
        """Commit, then follow."""
        self.log.append(change)
        name, what = change
        if what is None:
            self.model.pop(name, None)
        else:
            self.model[name] = what
        self.follow(len(self.log))

    def follow(self, sequence: int) -> None:
        """Apply one change of the log."""
        name, what = self.log[sequence - 1]
        if what is None:
            self.gallery.remove(name, sequence=sequence)
        else:
            self.gallery.add(name, tenprint_of(*what), sequence=sequence)

    def save(self) -> None:
        """A checkpoint."""
        self.checkpoint.save(self.gallery)

    def crash(self) -> None:
        """Memory is gone; one time in four the checkpoint is harmed, too."""
        self.crashes += 1
        self.gallery = self.empty()
        if self.chance.random() < 0.25:
            for file in self.folder.glob("checkpoints/*/arrays"):
                data = bytearray(file.read_bytes())
                data[self.chance.randrange(len(data))] ^= 1 + self.chance.randrange(255)
                file.write_bytes(data)
        reached = self.checkpoint.load(self.gallery, len(self.log)) or 0
        for sequence in range(reached + 1, len(self.log) + 1):
            self.follow(sequence)

    def search(self) -> None:
        """The answer is the model's."""
        probe = self.chance.randrange(PEOPLE), self.chance.randrange(3)
        answer = self.gallery.search(tenprint_of(*probe), limit=50, threshold=Score(40.0))
        expected = sorted((-score_between(probe, stored), name) for name, stored in self.model.items())
        assert [each.reference_id for each in answer.candidates] == [name for _, name in expected]
        scores = [each.score for each in answer.candidates]
        assert scores == pytest.approx([-score for score, _ in expected], rel=1e-5, abs=1e-5)
        assert (answer.gallery_size, answer.as_of) == (len(self.model), len(self.log))
        assert answer.complete


@pytest.fixture
def prepared_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same few prints come again and again: they are prepared once, by the real thing."""
    known: dict[int, tuple[Tenprint, PreparedTenprint]] = {}

    def remembered(tenprint: Tenprint) -> PreparedTenprint:
        if id(tenprint) not in known:
            known[id(tenprint)] = tenprint, prepare_tenprint(tenprint)
        return known[id(tenprint)][1]

    monkeypatch.setattr(gallery_module, "prepare_tenprint", remembered)
    return


@pytest.mark.usefixtures("prepared_once")
def test_random_lives_equal_the_model(tmp_path: Path) -> None:
    """Whatever happens, and in whichever order; a failure names its seed."""
    crashes = 0
    for seed in range(HISTORIES):
        life = Life(tmp_path, seed)
        try:
            for _ in range(STEPS):
                life.step()
            life.search()
        except Exception as failure:
            raise AssertionError(f"history {seed}") from failure
        crashes += life.crashes
    assert crashes > HISTORIES
