"""What the benchmark of harder prints counts, on synthetic people."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harder import bent, unchanged
from benchmarks.harder_prints import Compared, compared, interval, kept_from, lines
from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.comparison import compare, prepare
from matcher.template import Template


def prints(people: int = 6) -> list[tuple[int, Template]]:
    """Two captures of one finger of each."""
    return [(n, person(77, n).capture(FINGERS[0], c)) for n in range(people) for c in range(2)]


def test_pairs_of_one_finger_are_mated_and_no_print_meets_itself() -> None:
    """Twelve prints of six fingers: both directions of six mated pairs, all others non-mated."""
    fingers = prints()
    found = compared(fingers, unchanged, 0.0)
    assert len(found.mated) == 12
    assert len(found.non_mated) == 12 * 10
    assert sorted(found.finger.tolist()) == sorted(2 * list(range(6)))
    first, second = prepare(fingers[0][1]), prepare(fingers[1][1])
    assert found.mated[0] == pytest.approx(compare(first, second).raw)


def test_both_prints_can_be_made_harder() -> None:
    """Two prints bent each in its own way are told apart less easily than a bent one and one as it is."""
    fingers = prints(12)
    one, two = (compared(fingers, bent, 0.0, both=both) for both in (False, True))
    assert len(one.mated) == len(two.mated)
    assert two.mated.mean() < one.mated.mean() < compared(fingers, unchanged, 0.0).mated.mean()


def test_faint_minutiae_are_left_out() -> None:
    """What is kept is as probable as asked for, and nothing else is lost."""
    template = prints(1)[0][1]
    kept = kept_from(template, 0.9)
    assert 0 < len(kept) < len(template)
    assert kept.quality.min() >= 90
    assert len(kept) == (template.quality >= 90).sum()


def test_interval_is_wider_the_more_fingers_differ() -> None:
    """Ten fingers that fail alike leave no doubt; one that always fails beside nine that never do, much."""
    finger = np.repeat(np.arange(10), 10)
    alike = Compared(np.tile(np.r_[0.0, np.ones(9)], 10), finger, np.zeros(1))
    one = Compared(np.r_[np.zeros(10), np.ones(90)], finger, np.zeros(1))
    assert interval([alike], 0.5) == pytest.approx((0.1, 0.1))
    low, high = interval([one], 0.5)
    assert low == 0.0
    assert high > 0.25


def test_every_way_and_probability_has_its_line() -> None:
    """Six ways, two probabilities; prints as they are of kind people have no errors."""
    said = list(lines({"synthetic": prints(8)}, [0.2, 0.6]))
    assert len(said) == 12
    assert said[0].startswith("unchanged")
    assert "EER 0.000%" in said[0].replace("EER  ", "EER ")
    assert "from 0.60" in said[1]
