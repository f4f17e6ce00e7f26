"""`tenprint population`: kinds of capture and ten-print cards."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Call, caller

from api.cli_images import from_manifest, grouped
from api.exit_codes import CANNOT_WORK, DONE, USAGE
from fixtures.kinds import Kind
from fixtures.population import picture_path
from fixtures.transactions import card_path
from matcher.codes import FINGERS


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line."""
    return caller(monkeypatch, capsys)


def _pictures(folder: Path, kind: Kind, captures: int) -> None:
    """A folder in which every picture of one person is there already, so that none is rendered."""
    folder.mkdir()
    for position in kind.positions:
        for number in range(1, captures + 1):
            picture_path(folder, 0, position, number).write_bytes(b"kept")


def test_captures_of_a_population_are_encounters(call: Call, tmp_path: Path) -> None:
    """The manifest that `population images` writes gives `enroll` an encounter of ten fingers a capture."""
    _pictures(tmp_path / "people", Kind.PLAIN, 3)
    made = call("population", "images", "--people", 1, "--captures", 3, "--out", tmp_path / "people")
    assert made.code == DONE, made.err
    assert made.out.startswith("30 pictures and ")
    groups = grouped(from_manifest(tmp_path / "people" / "manifest.csv", None))
    assert [group.person for group in groups] == ["000000"] * 3
    for number, group in enumerate(groups, start=1):
        assert [file.position for file in group.files] == list(FINGERS)
        assert {file.path.stem.rsplit("_", 1)[1] for file in group.files} == {str(number)}


def test_slaps_are_three_pictures_a_visit(call: Call, tmp_path: Path) -> None:
    """Right hand, left hand, thumbs."""
    _pictures(tmp_path / "slaps", Kind.SLAPS, 2)
    options = ("--kind", "slaps", "--people", 1, "--captures", 2, "--out", tmp_path / "slaps")
    assert call("population", "images", *options).out.startswith("6 pictures and ")
    assert call("population", "images", "--people", 1, "--out", tmp_path / "slaps").code == CANNOT_WORK


@pytest.mark.parametrize("options", [("--ppi", 700), ("--kind", "latent")])
def test_kinds_that_do_not_exist_are_usage_errors(
    call: Call, tmp_path: Path, options: tuple[object, ...]
) -> None:
    """Nothing is written."""
    assert call("population", "images", *options, "--out", tmp_path / "none").code == USAGE
    assert not (tmp_path / "none").exists()


def test_cards_carry_on(call: Call, tmp_path: Path) -> None:
    """Files that exist are kept; ink and live scan never mix in one folder."""
    for number in (1, 2):
        card_path(tmp_path, 0, number).write_bytes(b"kept")
    options = ("--people", 1, "--captures", 2, "--out", tmp_path)
    assert call("population", "nist", *options).out.startswith("2 files in ")
    assert card_path(tmp_path, 0, 1).read_bytes() == b"kept"
    assert call("population", "nist", "--inked", *options).code == CANNOT_WORK
