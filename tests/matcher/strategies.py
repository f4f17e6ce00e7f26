"""Templates, motions and accidents for property tests."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from hypothesis import strategies as st

from fixtures.templates import person
from matcher.codes import FINGERS
from matcher.template import CELL_PX, MAX_MINUTIAE, RidgeField, Template

Motion = tuple[float, int, int]


def scattered(seed: int, count: int, *, side: int = 400, field: bool = True) -> Template:
    """A template of minutiae thrown anywhere, many at the same place if the side is small."""
    rng = np.random.default_rng(seed)
    cells = (-(-side // CELL_PX),) * 2
    return Template(
        x=rng.integers(0, side, count).astype(np.int16),
        y=rng.integers(0, side, count).astype(np.int16),
        angle=rng.uniform(0.0, 2.0 * math.pi, count).astype(np.float32),
        kind=rng.integers(0, 3, count).astype(np.uint8),
        quality=rng.integers(0, 101, count).astype(np.uint8),
        width_px=side,
        height_px=side,
        field=RidgeField(
            orientation=rng.integers(0, 256, cells).astype(np.uint8),
            coherence=rng.integers(0, 256, cells).astype(np.uint8),
            foreground=rng.random(cells) < 0.8,
        )
        if field
        else None,
    )


def anything() -> st.SearchStrategy[Template]:
    """Any legal template: from none to the most minutiae, crowded or wide, with a field or without."""
    return st.builds(
        scattered,
        seed=st.integers(0, 2**32 - 1),
        count=st.one_of(st.integers(0, 12), st.integers(0, MAX_MINUTIAE)),
        side=st.sampled_from([1, 20, 300, 900]),
        field=st.booleans(),
    )


def prints() -> st.SearchStrategy[Template]:
    """A capture of a finger of somebody who does not exist."""
    return st.builds(
        lambda number, finger: person(31, number).capture(finger),
        st.integers(0, 500),
        st.sampled_from(FINGERS),
    )


def motions() -> st.SearchStrategy[Motion]:
    """Turn in radians, shift in pixels."""
    return st.tuples(
        st.floats(0.0, 2.0 * math.pi, allow_nan=False), st.integers(-40, 40), st.integers(-40, 40)
    )


def turned(template: Template, motion: Motion) -> Template:
    """The minutiae turned about the middle and shifted, in a frame that holds them; without a field."""
    angle, right, down = motion
    middle = 1000
    dx = template.x - template.width_px / 2.0
    dy = -(template.y - template.height_px / 2.0)
    cos, sin = math.cos(angle), math.sin(angle)
    directions = np.mod(template.angle.astype(np.float64) + angle, 2.0 * math.pi)
    return dataclasses.replace(
        template,
        x=np.rint(middle + right + cos * dx - sin * dy).astype(np.int16),
        y=np.rint(middle + down - (sin * dx + cos * dy)).astype(np.int16),
        angle=directions.astype(np.float32),
        width_px=2 * middle,
        height_px=2 * middle,
        field=None,
    )


def chosen(template: Template, rows: np.ndarray) -> Template:
    """The template with only these minutiae, in this order."""
    return dataclasses.replace(
        template,
        x=template.x[rows],
        y=template.y[rows],
        angle=template.angle[rows],
        kind=template.kind[rows],
        quality=template.quality[rows],
    )


def spoiled(template: Template, seed: int, *, dropped: float, spurious: int) -> Template:
    """The template with some minutiae missed and some that are none."""
    rng = np.random.default_rng(seed)
    kept = chosen(template, np.flatnonzero(rng.random(len(template)) >= dropped))
    added = scattered(seed, spurious, side=min(template.width_px, template.height_px), field=False)
    columns = {
        name: np.concatenate([getattr(kept, name), getattr(added, name)])
        for name in ("x", "y", "angle", "kind", "quality")
    }
    return dataclasses.replace(template, **columns)
