"""Manifests and FVC folders become lists of pictures, or a refusal that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.datasets import UnusableDataset, read_fvc, read_manifest
from benchmarks.verification import pairs_of


def _fvc(root: Path) -> Path:
    for folder in ("db1_b", "db2_b"):
        (root / folder).mkdir()
        for finger in (1, 2, 10):
            for impression in (1, 2):
                (root / folder / f"{finger}_{impression}.tif").touch()
    return root


def test_fvc_folders_are_read_in_numeric_order(tmp_path: Path) -> None:
    """Finger 10 follows finger 2, and the override reaches only its folder."""
    pictures = read_fvc(_fvc(tmp_path), ppi_of={"db2_b": 569})
    assert [picture.label for picture in pictures[:6]] == ["1_1", "1_2", "2_1", "2_2", "10_1", "10_2"]
    assert {(picture.set_name, picture.ppi) for picture in pictures} == {("db1_b", 500), ("db2_b", 569)}


def test_pairs_stay_within_sets(tmp_path: Path) -> None:
    """3 fingers x 2 impressions: 3 mated and 12 non-mated pairs a set, 3 of them between first ones."""
    pictures = read_fvc(_fvc(tmp_path))
    pairs = list(pairs_of(pictures))
    assert sum(pair.mated for pair in pairs) == 2 * 3
    assert sum(not pair.mated for pair in pairs) == 2 * 12
    assert sum(pair.first for pair in pairs) == 2 * 3
    assert all(pictures[pair.probe].set_name == pictures[pair.reference].set_name for pair in pairs)


def test_an_unknown_override_is_refused(tmp_path: Path) -> None:
    """A mistyped folder name must not silently leave a wrong resolution."""
    with pytest.raises(UnusableDataset, match="db9_b"):
        read_fvc(_fvc(tmp_path), ppi_of={"db9_b": 569})


def test_a_manifest_is_read_relative_to_itself(tmp_path: Path) -> None:
    """Positions tell fingers of one subject apart; an empty ppi is left to the file."""
    (tmp_path / "a.png").touch()
    manifest = tmp_path / "m.csv"
    manifest.write_text(
        "set,path,subject,position,impression,ppi\ns,a.png,p,2,1,500\ns,a.png,p,3,1,\n", encoding="utf-8"
    )
    first, second = read_manifest(manifest)
    assert first.finger != second.finger
    assert (first.ppi, second.ppi) == (500, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set,path\ns,a.png\n", "lacks the column"),
        ("set,path,subject,position,impression,ppi\n", "lists no pictures"),
        ("set,path,subject,position,impression,ppi\ns,b.png,p,2,1,500\n", "line 2: there is no file"),
        ("set,path,subject,position,impression,ppi\ns,a.png,p,x,1,500\n", "line 2: position and ppi"),
    ],
)
def test_an_unusable_manifest_names_its_fault(tmp_path: Path, text: str, message: str) -> None:
    """Column, line and reason are in the message."""
    (tmp_path / "a.png").touch()
    manifest = tmp_path / "m.csv"
    manifest.write_text(text, encoding="utf-8")
    with pytest.raises(UnusableDataset, match=message):
        read_manifest(manifest)
