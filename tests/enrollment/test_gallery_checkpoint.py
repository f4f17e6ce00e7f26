"""Gallery checkpoints: what comes back, and what is never read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from enrollment import gallery_checkpoint
from enrollment.gallery_checkpoint import GalleryCheckpoint
from enrollment.keyring import Keyring
from enrollment.sealing import new_key
from fixtures.templates import person
from matcher.candidates import ReferenceId
from matcher.codes import FingerPosition
from matcher.gallery import Filter, Gallery, Traits
from matcher.scoring import Score

INDEX, THUMB = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_THUMB
PEOPLE = 6
THRESHOLD = Score(40.0)


def filled(shards: int = 2) -> Gallery:
    """Six people, of whom one was removed."""
    gallery = Gallery(shards=shards)
    for number in range(PEOPLE):
        prints = person(31, number).tenprint(0, (INDEX, THUMB)[: 1 + number % 2])
        traits = Traits(sex="MF"[number % 2], galleries=frozenset({"ALL"}))
        gallery.add(ReferenceId(f"p{number}"), prints, sequence=number + 1, traits=traits)
    gallery.remove(ReferenceId("p3"), sequence=PEOPLE + 1)
    return gallery


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    """A ring with a root key."""
    return Keyring(tmp_path, new_key())


@pytest.fixture
def checkpoint(tmp_path: Path, keys: Keyring, monkeypatch: pytest.MonkeyPatch) -> GalleryCheckpoint:
    """Of small chunks, so that there are many."""
    monkeypatch.setattr(gallery_checkpoint, "CHUNK", 1000)
    return GalleryCheckpoint(tmp_path / "checkpoints", keys)


def test_a_restored_gallery_answers_as_the_old_one(checkpoint: GalleryCheckpoint) -> None:
    """Searches, filters, sequence; and it goes on living."""
    old, new = filled(), Gallery(shards=2)
    checkpoint.save(old)
    seen: list[tuple[int, int]] = []
    assert checkpoint.load(new, PEOPLE + 1, lambda *each: seen.append(each)) == PEOPLE + 1
    assert seen == sorted(seen)
    assert seen[0][0] < seen[-1][0] == seen[-1][1] == PEOPLE
    new.add(ReferenceId("late"), person(31, 9).tenprint(0, (INDEX,)), sequence=99)
    old.add(ReferenceId("late"), person(31, 9).tenprint(0, (INDEX,)), sequence=99)
    new.remove(ReferenceId("p0"), sequence=100)
    old.remove(ReferenceId("p0"), sequence=100)
    for number in (0, 1, 3, 9):
        probe = person(31, number).tenprint(1, (INDEX,))
        for only in (Filter(), Filter(sex="F"), Filter(galleries=frozenset({"OTHER"}))):
            answers = [each.search(probe, limit=9, threshold=THRESHOLD, only=only) for each in (old, new)]
            assert answers[0] == answers[1]


def _flip(folder: Path) -> None:
    data = bytearray((folder / "arrays").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "arrays").write_bytes(data)


def _cut(folder: Path) -> None:
    (folder / "arrays").write_bytes((folder / "arrays").read_bytes()[:-1])


def _swap(folder: Path) -> None:
    """Two chunks of one length change places."""
    data, size = (folder / "arrays").read_bytes(), 1000 + gallery_checkpoint.OVERHEAD_BYTES
    count = len(data) // size
    chunks = [data[k * size : (k + 1) * size] for k in range(count)]
    begin = next(k for k in range(count - 1) if len(chunks[k]) == len(chunks[k + 1]) == size)
    at = begin * size
    (folder / "arrays").write_bytes(data[:at] + chunks[begin + 1] + chunks[begin] + data[at + 2 * size :])


def _manifest(folder: Path) -> None:
    (folder / "manifest").write_bytes((folder / "manifest").read_bytes()[:-1] + b"x")


def _rename(folder: Path) -> None:
    folder.rename(folder.with_name("00000000-another"))


@pytest.mark.parametrize("harm", [_flip, _cut, _swap, _manifest, _rename])
def test_what_was_changed_is_never_read(
    checkpoint: GalleryCheckpoint, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The gallery stays empty, and is then built from the store."""
    checkpoint.save(filled())
    harm(next(checkpoint.folder.iterdir()))
    gallery = Gallery(shards=2)
    assert checkpoint.load(gallery, newest=99) is None
    assert len(gallery) == 0
    assert "not used" in caplog.text


def test_a_checkpoint_of_another_store_model_or_number_of_shards_is_ignored(
    checkpoint: GalleryCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of none."""
    assert checkpoint.load(Gallery(shards=2), newest=99) is None
    checkpoint.save(filled())
    assert checkpoint.load(Gallery(shards=2), newest=PEOPLE) is None, "the store is older"
    assert checkpoint.load(Gallery(shards=3), newest=99) is None
    monkeypatch.setattr(gallery_checkpoint, "made_by", lambda: "other")
    assert checkpoint.load(Gallery(shards=2), newest=99) is None


def test_a_new_checkpoint_destroys_the_old_one_and_its_key(
    checkpoint: GalleryCheckpoint, tmp_path: Path
) -> None:
    """A copy of the old one is unreadable: what was erased since is erased there too."""
    checkpoint.save(filled())
    old = next(checkpoint.folder.iterdir())
    copy = {file.name: file.read_bytes() for file in old.iterdir()}
    checkpoint.save(filled())
    assert [each.name for each in checkpoint.folder.iterdir()] != [old.name]
    assert len(list(checkpoint.folder.iterdir())) == 1
    checkpoint.destroy()
    old.mkdir()
    for name, data in copy.items():
        (old / name).write_bytes(data)
    assert checkpoint.load(Gallery(shards=2), newest=99) is None


def test_an_interrupted_checkpoint_leaves_the_one_before(
    checkpoint: GalleryCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power fails before the new one is whole."""
    checkpoint.save(filled())

    def fail(*_: object) -> None:
        raise OSError("no power")

    with monkeypatch.context() as patch:
        patch.setattr(gallery_checkpoint, "_manifest", fail)
        with pytest.raises(OSError, match="no power"):
            checkpoint.save(Gallery(shards=2))
    gallery = Gallery(shards=2)
    assert checkpoint.load(gallery, newest=99) == PEOPLE + 1
    assert len(gallery) == PEOPLE - 1
