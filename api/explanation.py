"""A picture of what the extraction saw: the print's mask, its flow, its minutiae, cores and deltas."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.singular_points import singular_points
from matcher.codes import MinutiaKind
from matcher.template import CELL_PX, RidgeField, Template

#: Blue, green, red: OpenCV's order.
Colour: TypeAlias = tuple[int, int, int]
_GROUND: Final[Colour] = (150, 120, 90)
_FLOW: Final[Colour] = (200, 160, 60)
_ENDING: Final[Colour] = (30, 30, 220)
_BIFURCATION: Final[Colour] = (20, 140, 20)
_OTHER: Final[Colour] = (160, 20, 160)
_CORE: Final[Colour] = (0, 120, 255)
_COLOURS: Final = {MinutiaKind.ENDING: _ENDING, MinutiaKind.BIFURCATION: _BIFURCATION}
#: The picture is drawn this many times as large, so that the print stays readable below the drawing.
_SCALE: Final = 2
_RADIUS_PX, _TAIL_PX, _MARK_PX = 5, 14, 12
_LEGEND: Final = (
    "red: ending  green: bifurcation  tail: direction  number: probability %  orange: core o, delta ^"
)
_LEGEND_PX: Final = 34
#: Coherence, 0-255, from which a cell's flow is drawn.
_LEAST_COHERENCE: Final = 60


def draw(stages: Mapping[str, Any]) -> NDArray[np.uint8]:
    """uint8[2h + 34, 2w, 3] of the stages that `pipeline.extract` traced, as far as it came."""
    pixels: NDArray[np.uint8] = stages["normalised"]
    large = cv2.resize(pixels, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_CUBIC)
    # Paler, so that the drawing stands out.
    pale = cv2.cvtColor((large // 2 + 127).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    canvas = np.array(pale, dtype=np.uint8)
    if "foreground" in stages:
        _draw_mask(canvas, stages["foreground"])
    if "field" in stages:
        _draw_flow(canvas, stages["field"])
    if "template" in stages:
        _draw_minutiae(canvas, stages["template"])
    legend = np.full((_LEGEND_PX, canvas.shape[1], 3), 255, dtype=np.uint8)
    size = min(0.45, canvas.shape[1] / 1500)
    cv2.putText(legend, _LEGEND, (6, 22), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([canvas, legend])


def _draw_mask(canvas: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> None:
    """What is no print is tinted; a line runs around the print."""
    large = cv2.resize(
        foreground.astype(np.uint8), None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_NEAREST
    )
    outside = large == 0
    canvas[outside] = canvas[outside] // 2 + np.array(_GROUND, dtype=np.uint8) // 2
    outlines, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, _GROUND, 2)


def _draw_flow(canvas: NDArray[np.uint8], field: RidgeField) -> None:
    for row, column in np.argwhere(field.foreground & (field.coherence >= _LEAST_COHERENCE)):
        angle = float(field.orientation[row, column]) * math.pi / 256
        middle = ((column + 0.5) * CELL_PX, (row + 0.5) * CELL_PX)
        reach = 0.35 * CELL_PX
        ends = [
            (middle[0] + way * reach * math.cos(angle), middle[1] - way * reach * math.sin(angle))
            for way in (-1, 1)
        ]
        cv2.line(canvas, _place(*ends[0]), _place(*ends[1]), _FLOW, 1, cv2.LINE_AA)
    for point in singular_points(field):
        if point.is_core:
            cv2.circle(canvas, _place(point.x, point.y), _MARK_PX, _CORE, 2, cv2.LINE_AA)
        else:
            cv2.drawMarker(
                canvas, _place(point.x, point.y), _CORE, cv2.MARKER_TRIANGLE_UP, 2 * _MARK_PX, 2, cv2.LINE_AA
            )


def _draw_minutiae(canvas: NDArray[np.uint8], template: Template) -> None:
    columns = zip(template.x, template.y, template.angle, template.kind, template.quality, strict=True)
    for x, y, angle, kind, quality in columns:
        colour = _COLOURS.get(MinutiaKind(int(kind)), _OTHER)
        centre = _place(float(x), float(y))
        tail = (
            round(centre[0] + _TAIL_PX * math.cos(float(angle))),
            round(centre[1] - _TAIL_PX * math.sin(float(angle))),
        )
        cv2.circle(canvas, centre, _RADIUS_PX, colour, 1, cv2.LINE_AA)
        cv2.line(canvas, centre, tail, colour, 2, cv2.LINE_AA)
        beside = (centre[0] + _RADIUS_PX + 1, centre[1] + 2 * _RADIUS_PX)
        cv2.putText(canvas, str(int(quality)), beside, cv2.FONT_HERSHEY_SIMPLEX, 0.3, colour, 1, cv2.LINE_AA)


def _place(x: float, y: float) -> tuple[int, int]:
    """A pixel at 500 ppi on the canvas: its centre stays its centre."""
    return round((x + 0.5) * _SCALE - 0.5), round((y + 0.5) * _SCALE - 0.5)
