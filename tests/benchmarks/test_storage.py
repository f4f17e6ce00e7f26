"""What the storage benchmark reports is of one piece, and is written where it was asked for."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from typer.testing import CliRunner

from api.cli import app
from benchmarks.storage import Clock, interval


def test_benchmark_writes_what_it_measured(tmp_path: Path) -> None:
    """Every act has its times, the log it filled is verified, and the store is gone afterwards."""
    asked = [
        "--encounters",
        "10",
        "--visits",
        "5",
        "--rows",
        "600",
        "--disk",
        str(tmp_path),
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(app, ["benchmark", "storage", *asked])
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "out" / "storage.json").read_text())
    assert report["enrolment"]["n"] == 10
    assert report["enrolment"]["wall_ms_p50"] > report["transaction"]["wall_ms_p50"] > 0
    assert report["desk"]["processor_ms_p50"] > report["extraction_and_search"]["processor_ms_p50"] > 0
    assert report["desk"]["wall_ms_p50"] > report["answered"]["wall_ms_p50"] > 0
    both = report["answered_and_followed"]["wall_ms_p50"]
    assert both > max(report["answered"]["wall_ms_p50"], report["followed"]["wall_ms_p50"]) > 0
    assert report["search_alone"]["n"] == report["search_beside_sealing"]["n"] == 5
    assert report["audit"]["findings"] == 0
    assert report["audit"]["rows"] == 600 + 2 * 10 + 5  # each enrolment, audited search and visit
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_differences_and_intervals_are_of_the_same_acts() -> None:
    """Paired act by act; the interval holds the median."""
    before, after = Clock([1.0, 5.0, 2.0], [1.0, 1.0, 1.0]), Clock([2.0, 7.0, 5.0], [1.0, 2.0, 4.0])
    assert before.difference(after).wall == [1.0, 2.0, 3.0]
    values = [float(value) for value in range(100)]
    low, high = interval(values)
    assert low < statistics.median(values) < high
    assert high - low < 50
