"""Captures made harder: what a worse sensor, a harder press or a worse contact makes of a template.

Synthetic mates are kinder than the worst real ones; training on these teaches the learned parts what to
expect. Every function takes a template and a generator and gives another template of the same finger.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.template import CELL_PX, MAX_MINUTIAE, RidgeField, Template

Floats: TypeAlias = NDArray[np.float64]
Harder: TypeAlias = Callable[[Template, np.random.Generator], Template]

#: Share of the minutiae that a poor contact hides, and of those that it invents.
MISSED: Final = 0.22
SPURIOUS: Final = 0.22
#: Stretch along each axis, at most; a sweeping sensor shows as much.
STRETCH: Final = 0.08
#: Amplitude of the waves that bend the skin, px (standard deviation), and their lengths, px.
BEND_PX: Final = 7.0
WAVES_PX: Final = (260.0, 500.0)


def unchanged(template: Template, _: np.random.Generator) -> Template:
    """The template itself."""
    return template


def noisier(template: Template, rng: np.random.Generator) -> Template:
    """Minutiae missed (doubtful ones sooner), minutiae invented along the ridges, places off by a pixel."""
    keep = rng.random(len(template)) > MISSED * (1.6 - template.quality / 100.0)
    invented = _invented(template, round(SPURIOUS * int(keep.sum())), rng)
    columns = [
        np.concatenate(pair) for pair in zip((c[keep] for c in _columns(template)), invented, strict=True)
    ]
    for axis in (0, 1):
        columns[axis] = columns[axis] + rng.normal(0.0, 1.2, len(columns[axis]))
    return _template(template, columns, template.field)


def bent(template: Template, rng: np.random.Generator) -> Template:
    """Skin and sensor stretched along both axes and bent by two long waves, minutiae and field alike."""
    return _bent(template, rng, BEND_PX)


def strongly_bent(template: Template, rng: np.random.Generator) -> Template:
    """As `bent`, by waves twice as high: further than what is learned was taught."""
    return _bent(template, rng, 2.0 * BEND_PX)


def _bent(template: Template, rng: np.random.Generator, bend_px: float) -> Template:
    stretch = rng.uniform(1.0 - STRETCH, 1.0 + STRETCH, 2)
    wave_number = 2.0 * np.pi / rng.uniform(*WAVES_PX, 2)
    heading, phase = rng.uniform(0.0, 2.0 * np.pi, (2, 2))
    size = rng.normal(0.0, bend_px, (2, 2))
    middle = np.array([template.width_px / 2.0, template.height_px / 2.0])

    def there(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        to_x, to_y = middle[0] + (x - middle[0]) * stretch[0], middle[1] + (y - middle[1]) * stretch[1]
        for wave in range(2):
            along = np.cos(heading[wave]) * (x - middle[0]) + np.sin(heading[wave]) * (y - middle[1])
            swing = np.sin(wave_number[wave] * along + phase[wave])
            to_x, to_y = to_x + size[wave, 0] * swing, to_y + size[wave, 1] * swing
        return to_x, to_y

    x, y, angle, kind, quality = _columns(template)
    to_x, to_y = there(x, y)
    ahead_x, ahead_y = there(x + np.cos(angle), y - np.sin(angle))
    turned = np.arctan2(to_y - ahead_y, ahead_x - to_x)
    field = None if template.field is None else _bent_field(template.field, there)
    return _template(template, [to_x, to_y, turned, kind, quality], field)


def partial(template: Template, rng: np.random.Generator) -> Template:
    """Only a disc of the print touched."""
    x, y, *_ = columns = _columns(template)
    if len(template) == 0:
        return template
    middle = np.array([x.mean(), y.mean()]) + rng.normal(0.0, 0.7, 2) * [x.std(), y.std()]
    radius = rng.uniform(85.0, 140.0)
    keep = (x - middle[0]) ** 2 + (y - middle[1]) ** 2 < radius**2
    field = template.field
    if field is not None:
        row, column = np.indices(field.foreground.shape) * CELL_PX + CELL_PX / 2.0
        touched = (column - middle[0]) ** 2 + (row - middle[1]) ** 2 < radius**2
        field = dataclasses.replace(field, foreground=field.foreground & touched)
    return _template(template, [c[keep] for c in columns], field)


def worst(template: Template, rng: np.random.Generator) -> Template:
    """All of it, the contact partial every other time."""
    template = bent(noisier(template, rng), rng)
    return partial(template, rng) if rng.random() < 0.5 else template


#: All ways, from none to all.
WAYS: Final[tuple[Harder, ...]] = (unchanged, noisier, bent, worst)


def _columns(template: Template) -> list[Floats]:
    """x, y, angle, kind and quality as float64."""
    named = (template.x, template.y, template.angle, template.kind, template.quality)
    return [column.astype(np.float64) for column in named]


def _invented(template: Template, wanted: int, rng: np.random.Generator) -> list[Floats]:
    """Spurious minutiae on the foreground, along its ridges, faint."""
    field = template.field
    cells = np.zeros((0, 2), np.intp) if field is None else np.argwhere(field.foreground)
    if field is None or len(cells) == 0:
        return [np.zeros(0) for _ in range(5)]
    row, column = cells[rng.integers(0, len(cells), wanted)].T
    either_way = np.pi * (rng.random(wanted) < 0.5)
    angle = field.orientation[row, column] * (np.pi / 256.0) + either_way + rng.normal(0.0, 0.12, wanted)
    x, y = (column + rng.random(wanted)) * CELL_PX, (row + rng.random(wanted)) * CELL_PX
    return [x, y, angle, rng.integers(1, 3, wanted) * 1.0, rng.integers(15, 70, wanted) * 1.0]


def _bent_field(field: RidgeField, there: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> RidgeField:
    """Each cell takes the cell that came to lie on it (found by fixed-point steps)."""
    rows, columns = field.foreground.shape
    y, x = np.indices((rows, columns)) * CELL_PX + CELL_PX / 2.0
    from_x, from_y = x.copy(), y.copy()
    for _ in range(3):
        to_x, to_y = there(from_x, from_y)
        from_x, from_y = from_x - (to_x - x), from_y - (to_y - y)
    row, column = np.floor(from_y / CELL_PX).astype(np.intp), np.floor(from_x / CELL_PX).astype(np.intp)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    row, column = row.clip(0, rows - 1), column.clip(0, columns - 1)
    return RidgeField(
        orientation=field.orientation[row, column],
        coherence=field.coherence[row, column],
        foreground=field.foreground[row, column] & inside,
    )


def _template(of: Template, columns: list[Floats], field: RidgeField | None) -> Template:
    """Columns on the frame of another template, by falling quality."""
    x, y, angle, kind, quality = columns
    x, y = np.rint(x), np.rint(y)
    kept = np.flatnonzero((x >= 0) & (x < of.width_px) & (y >= 0) & (y < of.height_px))
    kept = kept[np.argsort(-quality[kept], kind="stable")][:MAX_MINUTIAE]
    turn = np.float32(2.0 * np.pi)
    return Template(
        x=x[kept].astype(np.int16),
        y=y[kept].astype(np.int16),
        angle=np.mod(angle[kept], 2.0 * np.pi).astype(np.float32) % turn,
        kind=kind[kept].astype(np.uint8),
        quality=quality[kept].astype(np.uint8),
        width_px=of.width_px,
        height_px=of.height_px,
        field=field,
    )
