"""How far apart the ridges lie, from the spectrum of windows inside the print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

#: Side of a window, in pixels: some seven ridges.
_WINDOW_PX: Final = 64
#: Windows looked at, spread over the print.
_MOST_WINDOWS: Final = 9
_STEP_PX: Final = 24
_INSIDE: Final = 0.95
#: Cycles a window that are no ridges but shading.
_SHADING: Final = 2
#: The peak and this many steps of the spectrum on either side.
_PEAK: Final = 2

_taper = np.outer(np.hanning(_WINDOW_PX), np.hanning(_WINDOW_PX)).astype(np.float32)
_cycles = np.rint(
    _WINDOW_PX * np.hypot(np.fft.fftfreq(_WINDOW_PX)[:, None], np.fft.rfftfreq(_WINDOW_PX)[None, :])
).astype(np.intp)
_bins = np.minimum(_cycles, _WINDOW_PX // 2).ravel()


@dataclass(frozen=True, slots=True)
class RidgePeriod:
    """period_px: ridge to ridge. share: how much of the pattern has it, 0-1; little in an unclear one."""

    period_px: float
    share: float


def ridge_period(pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> RidgePeriod | None:
    """The period of most of the print; None where no window fits inside it."""
    half = _WINDOW_PX // 2
    rows, columns = np.mgrid[
        half : pixels.shape[0] - half + 1 : _STEP_PX, half : pixels.shape[1] - half + 1 : _STEP_PX
    ]
    inside = (
        cv2.boxFilter(foreground.astype(np.float32), -1, (_WINDOW_PX, _WINDOW_PX))[rows, columns] > _INSIDE
    )
    places = np.column_stack([rows[inside], columns[inside]])
    if not len(places):
        return None
    chosen = np.unique(np.linspace(0, len(places) - 1, _MOST_WINDOWS).astype(int))
    windows = [pixels[y - half : y + half, x - half : x + half] for y, x in places[chosen]]
    spectrum = np.mean([_spectrum(window) for window in windows], axis=0)
    peak = _SHADING + int(np.argmax(spectrum[_SHADING:half]))
    near = np.arange(max(peak - _PEAK, 1), min(peak + _PEAK + 1, half + 1))
    share = float(spectrum[near].sum())
    return RidgePeriod(_WINDOW_PX * share / float((near * spectrum[near]).sum()), min(share, 1.0))


def _spectrum(window: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Energy by cycles a window, whatever the direction; the ridges' part adds up to one."""
    grey = (window - window.mean(dtype=np.float32)) * _taper
    energy = np.abs(np.fft.rfft2(grey)) ** 2
    rings = np.bincount(_bins, energy.ravel(), _WINDOW_PX // 2 + 1)
    return np.asarray(rings / max(rings[_SHADING:].sum(), 1e-6))
