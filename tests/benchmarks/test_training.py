"""The scripts that make the learned parts: from synthetic people alone, and what they make is of use."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks import train_descriptor, train_trust
from benchmarks.harder import WAYS, bent, noisier, partial, worst
from fixtures.templates import template_mated, template_non_mated, template_probe
from matcher import measures
from matcher.comparison import compare, prepare
from matcher.descriptors import layers
from matcher.template import Template


@pytest.mark.parametrize("harder", [noisier, bent, partial, worst])
@pytest.mark.parametrize("bare", [False, True])
def test_harder_captures_are_legal_and_of_the_same_finger(harder: object, *, bare: bool) -> None:
    """Every way leaves a template (it checks itself) that its mate recognises less easily than before."""
    template = template_probe()
    template = dataclasses.replace(template, field=None) if bare else template
    easy = compare(prepare(template), prepare(template_mated())).raw
    raws = []
    for seed in range(6):
        made: Template = harder(template, np.random.default_rng(seed))
        assert np.all(made.x < made.width_px)
        raws.append(compare(prepare(made), prepare(template_mated())).raw)
    assert np.mean(raws) < easy
    assert np.median(raws) > compare(prepare(template), prepare(template_non_mated())).raw


def test_no_minutiae_get_no_harder() -> None:
    """A template without minutiae goes through every way."""
    probe = template_probe()
    none = {name: getattr(probe, name)[:0] for name in ("x", "y", "angle", "kind", "quality")}
    for harder in WAYS:
        assert len(harder(dataclasses.replace(probe, **none, field=None), np.random.default_rng(1))) == 0


def test_bending_moves_the_field_with_the_minutiae() -> None:
    """Directions of minutiae keep to the ridges' orientation."""
    made = bent(template_probe(), np.random.default_rng(3))
    assert made.field is not None
    on = made.field.orientation[made.y // 16, made.x // 16] * (np.pi / 256.0)
    assert np.median(np.abs(np.sin(made.angle - on))) < 0.3


def test_descriptor_training_learns() -> None:
    """A few steps on a few people already tell minutiae apart; the committed layers do so better, unseen."""
    mean = train_descriptor.mean_cylinder(20)
    # The committed layers were learned from the generator's first model; people are now made by its second.
    assert np.corrcoef(mean.ravel(), layers().mean.ravel())[0, 1] > 0.95
    mates = train_descriptor.mated_cylinders(110, mean)
    unseen = train_descriptor.mated_cylinders(32, layers().mean, first_person=train_descriptor.PEOPLE + 400)
    begun = train_descriptor.recognised(unseen, train_descriptor.train(mates, mean, epochs=0))
    trained = train_descriptor.recognised(unseen, train_descriptor.train(mates, mean, epochs=3))
    committed = train_descriptor.recognised(unseen, layers())
    assert begun < trained < committed
    assert committed > 0.9


def test_descriptor_gradients_are_the_slopes_of_the_loss() -> None:
    """Against differences of the loss itself."""
    rng = np.random.default_rng(5)
    parts = [rng.normal(size=s).astype(np.float32) / 3 for s in ((12, 6), (6,), (6, 4))]
    first, second = rng.normal(size=(2, 9, 12)).astype(np.float32)

    def loss(hidden: np.ndarray) -> float:
        out = [np.maximum(v @ hidden + parts[1], 0.0) @ parts[2] for v in (first, second)]
        one, two = (o / np.linalg.norm(o, axis=1, keepdims=True) for o in out)
        table = one @ two.T / train_descriptor.TEMPERATURE
        both = [np.log(np.exp(t).sum(axis=1)) - np.diag(t) for t in (table, table.T)]
        return float(np.mean(both))

    gradient = train_descriptor._gradients(parts, first, second)[0]
    for row, column in ((0, 0), (5, 3), (11, 5)):
        step = np.zeros((12, 6))
        step[row, column] = 1e-4
        slope = (loss(parts[0] + step) - loss(parts[0] - step)) / 2e-4
        assert gradient[row, column] == pytest.approx(slope, rel=0.02, abs=2e-3)


def test_trust_training_tells_mates_from_others() -> None:
    """On few people: mates come out more trusted than others with the same evidence would."""
    compared = train_trust.sample(12, with_field=True)
    assert compared.weights.sum() == pytest.approx(1.0)
    fitted = train_trust.fit(compared)
    table = np.array([[fitted[row][name] for name in measures.NAMES] for row in ("middle", "scale", "slope")])
    trusts = np.array([measures.trust(row, table) for row in compared.measures])
    assert trusts[compared.mated].mean() > trusts[~compared.mated].mean()


@pytest.mark.parametrize("with_field", [True, False])
def test_committed_trust_is_bounded_and_moderate(*, with_field: bool) -> None:
    """The committed tables fit the names; trust stays in its bounds for the strangest measures."""
    table = measures.trust_table(with_field=with_field)
    assert table.shape == (3, measures.COUNT)
    assert np.all(table[measures.SCALE] > 0.0)
    for size in (0.0, 1.0, 1e6, -1e6):
        value = measures.trust(np.full(measures.COUNT, size), table)
        assert np.exp(-measures.REACH) - 1e-9 <= value <= np.exp(measures.REACH) + 1e-9
