"""What endings and bifurcations say in a comparison."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import anything, prints

from fixtures.templates import template_mated, template_probe
from matcher.codes import MinutiaKind
from matcher.comparison import compare, measured, prepare
from matcher.measures import KINDS
from matcher.pairing import KIND
from matcher.template import Template


def read_as(template: Template, kinds: np.ndarray) -> Template:
    """The template with other kinds."""
    return dataclasses.replace(template, kind=kinds.astype(np.uint8))


@given(anything())
@settings(max_examples=40, deadline=None)
def test_a_kind_counts_as_much_as_it_is_sure(template: Template) -> None:
    """Endings and bifurcations have opposite signs, doubtful ones less weight, others none."""
    prepared = prepare(template)
    for row, at in enumerate(prepared.order.tolist()):
        kind, quality = int(template.kind[at]), int(template.quality[at])
        sure = 0.5 + 0.4 * (quality / 100) ** 2 if quality else 0.75
        sign = {MinutiaKind.ENDING: 1, MinutiaKind.BIFURCATION: -1}.get(MinutiaKind(kind), 0)
        assert prepared.minutiae[KIND, row] == pytest.approx(sign * sure, abs=0.00501)


@given(prints())
@settings(max_examples=10, deadline=None)
def test_unknown_kinds_say_nothing(template: Template) -> None:
    """Records that name no kinds, on either side, are compared by everything else."""
    bare = prepare(read_as(template, np.full(len(template), MinutiaKind.OTHER)))
    for one, other in ((bare, bare), (bare, prepare(template)), (prepare(template), bare)):
        assert measured(one, other)[1][KINDS] == 0.0


def test_kinds_that_agree_are_evidence_and_kinds_that_do_not_are_against() -> None:
    """The same places and directions: read alike, unknown, by chance and all contrary, in this order."""
    probe, mated = template_probe(), template_mated()
    contrary = np.array([0, 2, 1])[mated.kind]
    thrown = np.random.default_rng(5).integers(1, 3, len(mated))
    unknown = np.zeros(len(mated))
    raws = [
        compare(prepare(probe), prepare(read_as(mated, kinds))).raw
        for kinds in (mated.kind, unknown, thrown, contrary)
    ]
    assert raws == sorted(raws, reverse=True)
    assert raws[0] > 1.05 * raws[1] > 1.1 * raws[3]
