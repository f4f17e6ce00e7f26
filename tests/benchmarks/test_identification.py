"""The identification benchmark on synthetic people, and its arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.datasets import Picture
from benchmarks.identification import Search, report_of, search_people, search_pictures
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


@pytest.mark.parametrize("fingers", [1, 2])
def test_synthetic_people_are_found(fingers: int) -> None:
    """And what they cost is told."""
    searches, costs = search_people(12, fingers, 4, silent)
    assert report_of(searches)["all"]["rank_1"] == 1.0
    assert costs["add_fingers_per_s"] > 0
    assert costs["bytes_per_finger"] > 1000


def test_fnir_is_told_only_where_searches_suffice() -> None:
    """One false candidate in a hundred searches sets the threshold; two mates lie below it."""
    searches = [Search("s", 1, 50.0 if n > 1 else 20.0, 30.0 if n == 7 else 25.0, 1.0) for n in range(100)]
    rates = report_of(searches)["all"]
    assert 25.0 < rates["fpir_1e-2_threshold"] < 25.1
    assert rates["fnir_at_fpir_1e-2"] == pytest.approx(0.02)
    assert report_of(searches[:50])["all"]["fnir_at_fpir_1e-2"] is None
