"""Explanations against the comparison they explain, and growth against prints made smaller."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import anything, chosen, turned

from fixtures.templates import person, template_mated, template_probe
from matcher.codes import FINGERS, MinutiaKind
from matcher.comparison import compare, prepare
from matcher.explanation import CommonRegion, explain
from matcher.growth import STEPS, compare_grown, enlarged
from matcher.template import Template


def test_pairs_lie_where_the_explanation_says() -> None:
    """Its numbers are those of the comparison; pairs laid over each other are near."""
    probe, reference = template_probe(), template_mated()
    told, found = explain(probe, reference), compare(prepare(probe), prepare(reference))
    assert told.score == found.score
    assert len(told.pairs) == len(found.pairs) > 10
    assert told.worth * told.share * told.ridges * told.trust == pytest.approx(found.raw)
    assert np.median([pair.apart_px for pair in told.pairs]) < 12.0
    for pair, (own, other) in zip(told.pairs, found.pairs.tolist(), strict=True):
        assert pair.probe == (probe.x[own], probe.y[own])
        assert pair.reference == (reference.x[other], reference.y[other])
        read = [MinutiaKind[kind.upper()] for kind in pair.kinds]
        assert read == [probe.kind[own], reference.kind[other]]
    assert told.interval[0] <= told.score
    assert not told.upside_down


def test_upside_down_is_found_and_said() -> None:
    """A print turned by half a turn is the same print, and the explanation tells."""
    probe = template_probe()
    upright, turned_round = explain(probe, probe), explain(turned(probe, (np.pi, 0, 0)), probe)
    raws = [each.worth * each.share * each.ridges * each.trust for each in (turned_round, upright)]
    assert raws[0] > 0.46 * raws[1]  # which is 0.8 of the score where 113 points are a decade of raw scores
    assert turned_round.score > 100.0
    assert turned_round.upside_down
    assert abs(turned_round.turn_deg) == pytest.approx(180.0, abs=3.0)


def test_nothing_in_common_is_explained_by_nothing() -> None:
    """No pairs, no motion, no reasons."""
    empty = enlarged(template_probe(), 1.0)
    none = Template(
        **{name: getattr(empty, name)[:0] for name in ("x", "y", "angle", "kind", "quality")},
        width_px=300,
        height_px=300,
    )
    told = explain(none, template_probe())
    assert (told.score, told.pairs, told.turn_deg, dict(told.because)) == (0.0, (), 0.0, {})
    assert told.region == CommonRegion((), ())


def area(corners: Sequence[tuple[int, int]]) -> float:
    """Of a polygon, px² (shoelace formula)."""
    x, y = np.array(corners, float).T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def test_region_is_what_both_prints_show() -> None:
    """Of a print against itself all that its minutiae span; against its upper half no more than that half."""
    probe = template_probe()
    whole = explain(probe, probe).region
    spanned = np.stack([probe.x, probe.y], axis=1)
    assert whole.probe == whole.reference
    assert set(whole.probe) <= set(map(tuple, spanned.tolist()))
    upper = chosen(probe, np.flatnonzero(probe.y < np.median(probe.y)))
    half = explain(turned(upper, (0.7, 12, -9)), probe).region
    assert area(half.probe) == pytest.approx(area(half.reference), rel=0.05)
    assert 0.2 < area(half.reference) / area(whole.reference) < 0.8
    assert max(y for _, y in half.reference) <= np.median(probe.y) + 3


@given(anything(), anything())
@settings(max_examples=40, deadline=None)
def test_region_lies_within_both_prints(one: Template, two: Template) -> None:
    """Whatever the prints; half a pixel is rounding."""
    region = explain(one, two).region
    for corners, template in ((region.probe, one), (region.reference, two)):
        hull = prepare(template).hull
        for x, y in corners:
            assert np.all(hull[0] * x - hull[1] * y - hull[2] <= 1.0)


@given(anything(), st.sampled_from([0.6, 1.08, 1.5, 20.0]))
@settings(max_examples=40, deadline=None)
def test_an_enlarged_print_is_legal(template: Template, factor: float) -> None:
    """Whatever the print; places are enlarged, what does not fit any more is left out."""
    larger = enlarged(template, factor)
    assert len(larger) <= len(template)
    assert np.all((larger.x < larger.width_px) & (larger.y < larger.height_px))
    if larger.field is not None:
        assert larger.field.foreground.shape == (-(-larger.height_px // 16), -(-larger.width_px // 16))


@pytest.mark.parametrize("child", [0.72, 0.8])
def test_a_child_that_grew_is_found(child: float) -> None:
    """Prints made smaller lose their score without growth and have it again with it; others gain nothing."""
    plain, grown, others = [], [], []
    for number in range(8):
        earlier = enlarged(person(41, number).capture(FINGERS[number]), child)
        later = person(41, number).capture(FINGERS[number], 2)
        found = compare_grown(earlier, later)
        plain.append(compare(prepare(earlier), prepare(later)).score)
        grown.append(found.score)
        others.append(compare_grown(earlier, person(42, number).capture(FINGERS[number])).score)
        assert found.growth in STEPS
    assert np.median(grown) > np.median(plain) + 20.0
    assert np.min(grown) > 40.0
    assert np.max(others) < 40.0


def test_steps_are_paid_for() -> None:
    """A step alone costs nothing; each more costs what a further chance of a false match is worth."""
    probe, reference = template_probe(), template_mated()
    alone, all_steps = compare_grown(probe, reference, (1.0,)), compare_grown(probe, reference)
    assert alone.score == compare(prepare(probe), prepare(reference)).score
    assert all_steps.score <= max(alone.score, all_steps.comparison.score) - 7.0
