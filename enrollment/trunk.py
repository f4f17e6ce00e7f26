"""The network from the picture to the features that its heads read: graphs and compiled loops in turn.

Where the mixers are not asked, far from the foreground, the network sees what it sees beyond the picture:
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from enrollment.head_kernels import MARGIN
from enrollment.mixers import Mixer
from enrollment.network_kernels import STEM_MARGIN, stem
from enrollment.network_parts import Parts
from enrollment.parameters import MIXED_MARGIN_PX
from enrollment.sessions import session

#: Picture pixels to a side of one pixel of each mixer's level.
MIXER_STEPS = (2, 8, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What the heads read: at half resolution 24 channels of the coarse pixel, then 32 of the fine one.

    coarse: float32[h/4, w/4, 24]. framed: float32[h/2 + 8, w/2 + 8, 56], zeros around. wanted:
    bool[h/4, w/4], where they are true.
    """

    coarse: NDArray[np.float32]
    framed: NDArray[np.float32]
    wanted: NDArray[np.bool_]


class Trunk:
    """Loaded graphs; `run` may be called from several threads at once."""

    def __init__(self, parts: Parts, threads: int) -> None:
        stages = len(MIXER_STEPS)
        self._stages = [session(parts[f"stage_{number}"], threads) for number in range(stages)]
        read = [{node.name for node in stage.get_inputs()} for stage in self._stages]
        read.append({"fine", "mixed", f"short_{stages - 1}"})
        self._read_after = [set().union(*read[number + 1 :]) for number in range(stages)]
        self._mixers = [Mixer(parts, number, threads) for number in range(stages)]
        self._stems = {
            name: tuple(parts[f"{name}_{array}"] for array in ("filters", "bias", "gamma", "beta"))
            for name in ("stem0", "stem1")
        }

    def run(self, pixels: NDArray[np.uint8], foreground: NDArray[np.bool_] | None = None) -> Features:
        """The features of uint8[h, w], sides multiples of 32.

        foreground: bool[h, w], where results are wanted; everywhere by default.
        """
        values: dict[str, NDArray[np.float32]] = {
            "stem0": self._run_stem("stem0", pixels, highest=True),
            "stem1": self._run_stem("stem1", pixels, highest=False),
        }
        wanted = np.empty(0, dtype=np.bool_)
        for number, (stage, mixer) in enumerate(zip(self._stages, self._mixers, strict=True)):
            made = _run(stage, values)
            rows = made.pop("rows")[0]
            wanted = _reached(foreground, MIXER_STEPS[number], rows.shape[:2])
            made["mixed"] = _mixed(mixer, rows, wanted)
            values |= made
            del made, rows
            # Each is a hundred times as large as the picture: none is kept that is not read again.
            values = {name: value for name, value in values.items() if name in self._read_after[number]}
        coarse = values.pop("mixed")[0]
        coarse += values.pop(f"short_{len(MIXER_STEPS) - 1}")[0]
        return Features(coarse, _framed(coarse, values.pop("fine")[0]), wanted)

    def _run_stem(self, name: str, pixels: NDArray[np.uint8], *, highest: bool) -> NDArray[np.float32]:
        filters, bias, gamma, beta = self._stems[name]
        height, width = pixels.shape
        result = np.empty((1, len(bias), height // 2, width // 2), dtype=np.float32)
        padded = np.pad(pixels.astype(np.float32), STEM_MARGIN)
        stem(padded, filters, bias, gamma, beta, highest, result[0])
        return result


def _mixed(mixer: Mixer, rows: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """float32[h, w, c] → float32[1, h, w, out], zero where not wanted (bool[h, w])."""
    height, width, channels = rows.shape
    result = np.zeros((height * width, mixer.out), dtype=np.float32)
    mixer.run(rows.reshape(-1, channels), np.flatnonzero(wanted), result)
    return result.reshape(1, height, width, mixer.out)


def _framed(coarse: NDArray[np.float32], fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Both side by side at the resolution of `fine`, a frame of zeros around."""
    channels, (height, width, finest) = coarse.shape[2], fine.shape
    result = np.zeros((height + 2 * MARGIN, width + 2 * MARGIN, channels + finest), dtype=np.float32)
    inner = result[MARGIN:-MARGIN, MARGIN:-MARGIN]
    inner[..., channels:] = fine
    for y, x in np.ndindex(2, 2):
        inner[y::2, x::2, :channels] = coarse
    return result


def _reached(foreground: NDArray[np.bool_] | None, step: int, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Pixels of a level that the foreground and its margin touch."""
    if foreground is None:
        return np.ones(size, dtype=np.bool_)
    side = 2 * MIXED_MARGIN_PX + 1
    near = cv2.dilate(foreground.astype(np.uint8), np.ones((side, side), dtype=np.uint8))
    height, width = foreground.shape
    cells = near.reshape(height // step, step, width // step, step)
    return np.asarray(cells.any(axis=(1, 3)), dtype=np.bool_)


def _run(
    stage: onnxruntime.InferenceSession, values: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    names = [output.name for output in stage.get_outputs()]
    inputs = {node.name: values[node.name] for node in stage.get_inputs()}
    return dict(zip(names, stage.run(None, inputs), strict=True))
