"""Prepared prints as bytes: they come back as they were, and other bytes are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import prints

from fixtures.templates import person
from matcher.codes import FINGERS, FingerPosition
from matcher.descriptors import MOST_STEPS
from matcher.gallery import Filter, Gallery, ReferenceId, Traits
from matcher.hulls import corners_of
from matcher.kernels_prints import TURNS
from matcher.pairing import COS, KIND, SIN, WEIGHT, X, Y
from matcher.prepared import PreparedTemplate, prepare
from matcher.prepared_prints import decode, encode, made_by
from matcher.print_rows import PRINT_ROW, body_bytes, row_and_body
from matcher.references import PreparedTenprint, prepare_tenprint
from matcher.scoring import Score
from matcher.template import RidgeField, Template

PEOPLE: list[PreparedTenprint] = [
    prepare_tenprint(person(31, 0).tenprint(0, FINGERS[:3])),
    prepare_tenprint(person(31, 1).tenprint(0, FINGERS[1:2])),
    {},
    prepare_tenprint(person(31, 3).tenprint(0, (FingerPosition.UNKNOWN, FINGERS[2]))),
]
ENCODED = [encode(each) for each in PEOPLE]


def test_prints_come_back_by_position_and_person() -> None:
    """Sketches, minutiae, descriptors and field of every finger."""
    copies = decode(ENCODED)
    assert set(copies) == {*FINGERS[:3], FingerPosition.UNKNOWN}
    for position, copied in copies.items():
        assert copied.owners.tolist() == [n for n, each in enumerate(PEOPLE) if position in each]
        sketches, _ = copied.prints.sketches()
        packed, read = copied.prints.packed(copied.chosen)
        assert read.all()
        for place, owner in enumerate(copied.owners.tolist()):
            finger = PEOPLE[owner][position]
            assert np.array_equal(sketches[copied.chosen[place]], finger.sketch)
            assert packed.keys[place].tolist() == list(finger.prepared.key)


def _plain_body(prepared: PreparedTemplate) -> bytes:
    """A body as the format says, one part after the other."""
    minutiae = prepared.minutiae
    turns = np.arctan2(minutiae[SIN], minutiae[COS]).astype(np.float64) * (TURNS / (2.0 * np.pi))
    levels = (prepared.descriptors + MOST_STEPS + 1).astype(np.uint8)
    rows, columns = (np.flatnonzero(prepared.cells.any(axis=axis)) for axis in (1, 0))
    cells = prepared.cells[:0, :0]
    if len(rows):
        cells = prepared.cells[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    parts = (
        minutiae[[X, Y]].astype(np.int16),
        np.mod(np.rint(turns), TURNS).astype(np.uint16),
        np.rint(100.0 * minutiae[WEIGHT]).astype(np.uint8),
        np.rint(100.0 * minutiae[KIND]).astype(np.int8),
        prepared.order.astype(np.uint8),
        levels[:, 0::2] | levels[:, 1::2] << 4,
        corners_of(minutiae[X], minutiae[Y]).astype(np.uint8),
        cells,
    )
    body = b"".join(part.tobytes() for part in parts)
    return body + bytes(-len(body) % 4)


@given(prints())
@settings(max_examples=40, deadline=None)
def test_a_body_is_what_the_format_says(template: Template) -> None:
    """Whatever the print, with or without a field; its row knows how long it is."""
    fields = [template.field, None]
    if template.field is not None:
        fields.append(replace(template.field, foreground=np.zeros_like(template.field.foreground)))
    for field in fields:
        prepared = prepare(replace(template, field=field))
        row, body = row_and_body(prepared)
        assert body.tobytes() == _plain_body(prepared)
        assert body_bytes(row).tolist() == [len(body)]


def test_a_gallery_answers_as_one_that_was_given_templates() -> None:
    """Scores and traits too."""
    traits = [Traits(category="1"), Traits(sex="F"), Traits(category="2"), Traits(category="1")]
    ids = [ReferenceId(f"r{number}") for number in range(len(PEOPLE))]
    one, other = Gallery(shards=2), Gallery()
    for reference_id, tenprint, each in zip(ids, PEOPLE, traits, strict=True):
        one.add(reference_id, tenprint, traits=each, sequence=9)
    other.extend(ids, ENCODED, traits, sequence=9)
    for only in (None, Filter(categories=frozenset("1")), Filter(sex="M")):
        for capture in range(2):
            probe = person(31, 0).tenprint(capture, FINGERS[:2])
            answers = [each.search(probe, limit=9, threshold=Score(40.0), only=only) for each in (one, other)]
            assert answers[0] == answers[1]
            assert answers[0].candidates


@given(st.sampled_from([0, 1, 3]), st.data())
@settings(max_examples=60, deadline=None)
def test_bytes_of_another_length_are_refused(person_number: int, data: st.DataObject) -> None:
    """Cut or continued anywhere; nothing is added."""
    whole = ENCODED[person_number]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    gallery = Gallery()
    for other in (cut, whole + bytes(4)):
        with pytest.raises(ValueError, match="prepared prints"):
            gallery.extend([ReferenceId("a"), ReferenceId("b")], [ENCODED[1], other], [Traits()] * 2)
    assert len(gallery) == 0


def test_a_finger_that_comes_twice_is_refused() -> None:
    """As are positions that there are not."""
    twice = bytearray(ENCODED[0])
    twice[2] = twice[1]
    with pytest.raises(ValueError, match="twice"):
        decode([bytes(twice)])
    beyond = bytearray(ENCODED[1])
    beyond[1 + 1 + PRINT_ROW.fields["box"][1]] += 200
    with pytest.raises(ValueError, match="grid"):
        decode([bytes(beyond)])
    cornered = bytearray(ENCODED[1]) + bytes(240)
    cornered[1 + 1 + PRINT_ROW.fields["edges"][1]] += 240
    with pytest.raises(ValueError, match="corners"):
        decode([bytes(cornered)])
    twice[2] = 99
    with pytest.raises(ValueError, match="99"):
        decode([bytes(twice)])


def test_what_prepared_prints_are_made_of_has_not_changed() -> None:
    """Stored ones would be mixed with others: where this fails on purpose, raise VERSION and set it anew."""
    place = np.arange(30)
    grid = np.add.outer(np.arange(18), np.arange(15))
    field = RidgeField(
        orientation=(grid * 5 % 256).astype(np.uint8),
        coherence=np.full(grid.shape, 200, np.uint8),
        foreground=np.ones(grid.shape, np.bool_),
    )
    template = Template(
        x=(20 + place * 97 % 200).astype(np.int16),
        y=(20 + place * 61 % 250).astype(np.int16),
        angle=(place * 2.39996 % 6.28318).astype(np.float32),
        kind=(1 + place % 2).astype(np.uint8),
        quality=(40 + place).astype(np.uint8),
        width_px=240,
        height_px=288,
        field=field,
    )
    finger = prepare_tenprint({FINGERS[0]: template})[FINGERS[0]]
    measured = [
        len(finger.prepared),
        finger.prepared.hull.shape[1],
        np.abs(finger.prepared.descriptors).mean(),
        finger.prepared.minutiae.mean(dtype=np.float64),
        np.abs(finger.sketch.astype(np.float64)).mean(),
        finger.prepared.cells.mean(),
    ]
    assert np.round(measured, 3).tolist() == pytest.approx(MEASURED, rel=2e-3)
    assert made_by().startswith("3-")


#: Of version 3 and the committed models, which `made_by` names, too.
MEASURED = [30.0, 5.0, 2.076, -4.291, 29.297, 83.015]
