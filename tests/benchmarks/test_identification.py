"""The identification benchmark on synthetic people, and its arithmetic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import scale, scale_costs, strangers
from benchmarks.datasets import Picture
from benchmarks.identification import Search, report_of, search_pictures
from benchmarks.scale_plots import write_plots
from benchmarks.scale_rates import report_of as report_of_scale
from fixtures.templates import person
from matcher.codes import FingerPosition

INDEX = FingerPosition.RIGHT_INDEX


def silent(stage: str, done: int, total: int) -> None:
    """No bar."""


def test_pictures_are_sought_within_their_set_and_among_strangers() -> None:
    """The same subjects in two sets do not meet; a failed probe counts as not found."""
    pictures = [
        Picture(name, Path(f"{subject}_{impression}"), str(subject), int(INDEX), str(impression), 500)
        for name in ("one", "two")
        for subject in (1, 2)
        for impression in (1, 2)
    ]
    templates = [person(21, int(each.subject)).capture(INDEX, int(each.impression)) for each in pictures]
    searches = search_pictures(pictures, [*templates[:-1], None], 5, silent)
    report = report_of(searches)
    assert report["sets"]["one"]["rank_1"] == 1.0
    assert report["sets"]["two"]["rank_1"] == 0.5
    assert report["all"]["failures"] == 1


def test_synthetic_people_are_found_and_what_they_cost_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From making prints to plots; and nothing is done twice."""
    monkeypatch.setattr(scale, "MARKS", (8,))
    monkeypatch.setattr(scale_costs, "_ADDED", 4)
    plan = scale.Plan(people=12, fingers=(1, 2), searches=4, kept=tmp_path / "prints")
    report = scale.measure(plan, tmp_path, silent)
    one, two = report["searches"]
    assert one["rank_1"] == two["rank_1"] == 1.0
    assert one["lost_by_shortlist"] == 0
    assert (one["accepted"], one["strangers"]) == (4, 1)
    assert report["together"]["2"].keys() == {"1", "2", "4"}
    assert 1000 < report["bytes_per_finger"] < 4000
    assert report["restart"]["bytes"] > 12 * 2 * 1000
    assert report["adding"]["found_at_once"] == 4
    assert [entry["people"] for entry in report["growth"]] == [8, 8, 12, 12]
    assert write_plots(report, tmp_path) == ["cmc.png", "det.png", "latency.png"]
    assert {each.name for each in tmp_path.glob("*.png")} == {"cmc.png", "det.png", "latency.png"}
    monkeypatch.setattr(scale, "search", None)
    again = scale.measure(replace(plan, parts=("searches",)), tmp_path, silent)
    assert again["searches"] == report["searches"]
    assert again["restart"] == report["restart"]


def test_people_put_together_from_the_fingers_of_others_lie_sealed_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool's own people are found; memory holds little more than sketches."""
    monkeypatch.setattr(strangers, "PART", 4)
    plan = scale.Plan(20, (2,), 4, tmp_path / "prints", pool=8, sealed=True, parts=("searches",))
    report = scale.measure(plan, tmp_path, silent)
    assert report["searches"][0]["rank_1"] == 1.0
    assert report["prints"] == 40
    assert report["bytes_per_finger"] < 400
    # What was not measured has no plot; with a part left out this once ended in a traceback.
    assert report["growth"] == []
    assert write_plots(report, tmp_path) == ["cmc.png", "det.png"]


def test_a_scale_report_counts_what_the_shortlist_lost() -> None:
    """A mate that comparison accepts and the list lacks; the interval says how little 100 searches tell."""
    found = [scale.Outcome(n, 1, 80.0, 80.0, 20.0 + n / 100, 1.0) for n in range(98)]
    lost, hopeless = (scale.Outcome(98, 0, 0.0, exact, 20.0, 1.0) for exact in (41.0, 12.0))
    strangers = [scale.Outcome(200 + n, 0, 0.0, 0.0, 20.0 + n / 100, 1.0) for n in range(100)]
    report = report_of_scale(1, [*found, lost, hopeless], strangers)
    assert (report["accepted"], report["lost_by_shortlist"]) == (99, 1)
    assert 0.02 < report["lost_share_below"] < 0.06
    assert report["rank_100"] == pytest.approx(0.98)
    (rate,) = report["rates"]
    assert 20.98 <= rate["threshold"] < 20.99
    assert rate["fnir"] == pytest.approx(0.02)


def test_fnir_is_told_only_where_searches_suffice() -> None:
    """One false candidate in a hundred searches sets the threshold; two mates lie below it."""
    searches = [Search("s", 1, 50.0 if n > 1 else 20.0, 30.0 if n == 7 else 25.0, 1.0) for n in range(100)]
    rates = report_of(searches)["all"]
    assert 25.0 < rates["fpir_1e-2_threshold"] < 25.1
    assert rates["fnir_at_fpir_1e-2"] == pytest.approx(0.02)
    assert report_of(searches[:50])["all"]["fnir_at_fpir_1e-2"] is None
