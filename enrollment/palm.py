"""Whether the ridges run as on a palm, which fills the glass with one even bend; on a fingertip they turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enrollment.parameters import (
    ARCH_FLOW,
    ARCHING,
    EVEN_COHERENCE,
    EVEN_REST,
    GRAIN_COHERENCE,
    JUDGED_AREA_PX2,
    JUDGED_FILL,
    SLIP,
    STRAIGHT_FLOW,
)
from enrollment.ridge_spectrum import ridge_spectrum
from enrollment.upright import uprightness
from matcher.template import RidgeField


def is_palm(field: RidgeField, foreground: NDArray[np.bool_], pixels: NDArray[np.uint8]) -> bool:
    """Whether what fills a picture (bool[h, w], uint8[h, w]) has ridges that run one way, or bend evenly.

    Asked only where ridges are clear enough to tell and glass is covered: a fingertip is round. A finger that
    slid leaves streaks that run one way too, less clear ones; that is another defect.
    """
    if int(foreground.sum()) < JUDGED_AREA_PX2 or foreground.mean() < JUDGED_FILL:
        return False
    weight = field.coherence[field.foreground] / 255
    clear = float(weight.mean())
    if clear < GRAIN_COHERENCE:
        return False
    flow = np.exp(1j * (2 * np.pi / 256) * field.orientation[field.foreground])
    if clear > EVEN_COHERENCE and _rest(flow, weight, field) < EVEN_REST:
        return True
    if _length_of_mean(flow, weight) <= _straightest(field):
        return False
    spectrum = ridge_spectrum(pixels, foreground)
    return spectrum is None or spectrum.one_way <= SLIP


def _length_of_mean(flow: NDArray[np.complex128], weight: NDArray[np.float64]) -> float:
    """Length of the mean direction, 0-1; 1: all ridges run the same way."""
    return float(abs((weight * flow).sum()) / max(float(weight.sum()), 1e-6))


def _straightest(field: RidgeField) -> float:
    """Length of the mean direction that a fingertip can have; an arch lies level almost all over."""
    return ARCH_FLOW if (uprightness(field) or 0.0) > ARCHING else STRAIGHT_FLOW


def _rest(flow: NDArray[np.complex128], weight: NDArray[np.float64], field: RidgeField) -> float:
    """What a plane through the direction, doubled and as a complex number, leaves of its energy, 0-1."""
    rows, columns = np.nonzero(field.foreground)
    root = np.sqrt(weight)
    plane = root[:, None] * np.stack(
        [np.ones(len(rows)), rows - rows.mean(), columns - columns.mean()], axis=1
    )
    found = np.linalg.lstsq(plane, root * flow, rcond=None)[0]
    rest = root * flow - plane @ found
    return float((np.abs(rest) ** 2).sum() / weight.sum())
