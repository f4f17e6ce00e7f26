"""How far apart the ridges lie and whether the finger slid, from the spectra of windows inside the print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

#: Side of a window, in pixels: some seven ridges.
_WINDOW_PX: Final = 64
#: Windows looked at, spread over the print; fewer than the second number tell nothing of a slip.
_MOST_WINDOWS: Final = 16
_FEWEST_WINDOWS: Final = 3
_STEP_PX: Final = 16
_INSIDE: Final = 0.9
#: Cycles a window that are no ridges but shading.
_SHADING: Final = 2
#: The peak and this many steps of the spectrum on either side.
_PEAK: Final = 2
#: Cycles a pixel that ridges and their edges are made of, and those of ridges alone.
_PATTERN: Final = (0.06, 0.30)
_RIDGES: Final = (0.06, 0.16)
#: Directions that the pattern is divided into, and energy that counts as none, in grey levels².
_SECTORS: Final = 16
_NO_ENERGY: Final = 30.0
#: Difference between rows and columns that a scanner makes.
_SCANNER_BLUR: Final = 0.2
#: Where all ridges run alike nobody can tell their direction's share from the picture's; then it is theirs.
_DOUBT: Final = 0.1
_HALF_TURN: Final = np.pi

_down = np.fft.fftfreq(_WINDOW_PX)[:, None]
_across = np.fft.rfftfreq(_WINDOW_PX)[None, :]
_frequency = np.hypot(_down, _across).ravel()
_heading = np.mod(np.arctan2(_down, _across), _HALF_TURN).ravel()
_taper = np.outer(np.hanning(_WINDOW_PX), np.hanning(_WINDOW_PX)).astype(np.float32)


def _parts(index: NDArray[np.intp], chosen: NDArray[np.bool_], count: int) -> NDArray[np.float32]:
    """float32[frequencies, count]: which part each frequency belongs to."""
    parts = np.zeros((len(index), count), dtype=np.float32)
    parts[np.flatnonzero(chosen), index[chosen]] = 1.0
    return parts


_half_window = _WINDOW_PX // 2
_rings = _parts(
    np.minimum(np.rint(_WINDOW_PX * _frequency).astype(np.intp), _half_window),
    np.ones_like(_frequency, dtype=np.bool_),
    _half_window + 1,
)
_cycles = np.arange(_half_window + 1)
_two_sided = np.broadcast_to(_across > 0, (_WINDOW_PX, _half_window + 1)).ravel()
_sectors = _parts(
    np.minimum((_heading * (_SECTORS / _HALF_TURN)).astype(np.intp), _SECTORS - 1),
    (_frequency >= _PATTERN[0]) & (_frequency < _PATTERN[1]) & _two_sided,
    _SECTORS,
)
_sectors /= _sectors.sum(axis=0)
_double_heading = np.where(
    (_frequency >= _RIDGES[0]) & (_frequency < _RIDGES[1]) & _two_sided, np.exp(2j * _heading), 0.0
)
_sector_heading = (np.arange(_SECTORS) + 0.5) * _HALF_TURN / _SECTORS


@dataclass(frozen=True, slots=True)
class RidgeSpectrum:
    """What the windows have in common.

    period_px: ridge to ridge. share: how much of the pattern has it, 0-1; little in an unclear one.
    one_way: by how much the pattern's ln energy depends on its direction in the picture, whichever way the
    ridges run: a finger that slides wipes out everywhere what lies across its path.
    """

    period_px: float
    share: float
    one_way: float


def ridge_spectrum(pixels: NDArray[np.uint8], foreground: NDArray[np.bool_]) -> RidgeSpectrum | None:
    """Measure a print; None where no window fits inside it."""
    half = _half_window
    rows, columns = np.mgrid[
        half : pixels.shape[0] - half + 1 : _STEP_PX, half : pixels.shape[1] - half + 1 : _STEP_PX
    ]
    counts = np.asarray(cv2.integral(foreground.astype(np.uint8)))
    below = counts[rows + half, columns + half] - counts[rows + half, columns - half]
    above = counts[rows - half, columns + half] - counts[rows - half, columns - half]
    inside = below - above > _INSIDE * _WINDOW_PX**2
    places = np.column_stack([rows[inside], columns[inside]])
    if not len(places):
        return None
    chosen = np.unique(np.linspace(0, len(places) - 1, _MOST_WINDOWS).astype(int))
    windows = np.stack([pixels[y - half : y + half, x - half : x + half] for y, x in places[chosen]])
    grey = (windows - windows.mean(axis=(1, 2), keepdims=True, dtype=np.float32)) * _taper
    energy = (np.abs(np.fft.rfft2(grey)) ** 2).reshape(len(chosen), -1).astype(np.float32)
    period, clear = _period(energy)
    return RidgeSpectrum(period, clear, _one_way(energy) if len(chosen) >= _FEWEST_WINDOWS else 0.0)


def _period(energy: NDArray[np.float32]) -> tuple[float, float]:
    """Period in pixels and its share, medians over the windows: a slip can wipe out the ridges of some."""
    rings = energy @ _rings
    rings /= np.maximum(rings[:, _SHADING:].sum(axis=1, keepdims=True), 1e-6)
    peaks = _SHADING + np.argmax(rings[:, _SHADING:_half_window], axis=1)
    near = np.abs(_cycles - peaks[:, None]) <= _PEAK
    share = np.where(near & (_cycles > 0), rings, 0.0)
    found = share.sum(axis=1)
    periods = _WINDOW_PX * found / np.maximum((share * _cycles).sum(axis=1), 1e-6)
    return float(np.median(periods)), min(float(np.median(found)), 1.0)


def _one_way(energy: NDArray[np.float32]) -> float:
    """Amplitude of the second harmonic over the picture's directions, that over the ridges' taken out.

    Between rows and columns a scanner's own blur is forgiven, as in FVC2000 DB1 and FVC2002 DB2.
    """
    level = np.log(energy @ _sectors + _NO_ENERGY)
    level -= level.mean(axis=1, keepdims=True)
    ridges = np.angle(energy @ _double_heading)
    from_ridges = 2.0 * _sector_heading - ridges[:, None]
    in_picture = np.broadcast_to(2.0 * _sector_heading, from_ridges.shape)
    waves = [np.cos(n * from_ridges) for n in (1, 2, 3)] + [np.cos(in_picture), np.sin(in_picture)]
    columns = np.stack([wave.ravel() for wave in waves], axis=1)
    squares = columns.T @ columns + np.diag([1e-6, 1e-6, 1e-6, _DOUBT, _DOUBT]) * len(columns)
    found = np.linalg.solve(squares, columns.T @ level.ravel())
    beyond = max(abs(float(found[3])) - _SCANNER_BLUR, 0.0)
    return float(np.hypot(beyond, found[4]))
