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

from enrollment.depthwise import MARGIN, DepthwiseAt
from enrollment.feature_kernels import add_at, gate, halve, join
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
        stages = range(len(MIXER_STEPS))
        self._stages = [session(parts[f"stage_{number}"], threads) for number in stages]
        self._mixers = [Mixer(parts, number, threads) for number in stages]
        self._short, self._kernel = session(parts["short_0"], threads), parts["depthwise_0"]
        self._stems = {
            name: tuple(parts[f"{name}_{array}"] for array in ("filters", "bias", "gamma", "beta"))
            for name in ("stem0", "stem1")
        }

    def run(self, pixels: NDArray[np.uint8], foreground: NDArray[np.bool_] | None = None) -> Features:
        """The features of uint8[h, w], sides multiples of 32.

        foreground: bool[h, w], where results are wanted; everywhere by default.
        """
        if foreground is None:
            foreground = np.ones(pixels.shape, dtype=np.bool_)
        first, second, third = reached(foreground)
        fine = self._fine(self._seen(pixels), first)
        halved = np.empty((1, *third.shape, fine.shape[2]), dtype=np.float32)
        halve(fine, halved[0])
        made = _run(self._stages[1], {"halved": halved})
        mixed = _mixed(self._mixers[1], made["rows"][0], made["short_1"], second)
        made = _run(self._stages[2], {"mixed_1": mixed, "skip_1": made["skip_1"]})
        coarse = _mixed(self._mixers[2], made["rows"][0], made["short_2"], third)[0]
        return Features(coarse, _framed(coarse, fine), third)

    def _seen(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the first mixer's block reads, framed: the gated context, then the second stem."""
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        padded = np.pad(pixels.astype(np.float32), STEM_MARGIN)
        filters, bias, gamma, beta = self._stems["stem0"]
        opening = np.empty((1, len(bias), height, width), dtype=np.float32)
        stem(padded, filters, bias, gamma, beta, True, opening[0])
        made = _run(self._stages[0], {"stem0": opening})
        del opening
        filters, bias, gamma, beta = self._stems["stem1"]
        first = made["gate"].shape[1]
        result, inner = _in_frame(height, width, first + len(bias))
        gate(made["context"][0], made["gate"][0], result)
        del made
        stem(padded, filters, bias, gamma, beta, False, inner[..., first:].transpose(2, 0, 1))
        return result

    def _fine(self, seen: NDArray[np.float32], wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The first mixer's block, framed: float32[h/2 + 8, w/2 + 8, 32]; the frame holds anything."""
        height, width, channels = seen.shape
        (short,) = self._short.run(None, {"seen": seen.reshape(-1, channels)})
        result = np.asarray(short.reshape(height, width, -1), dtype=np.float32)
        places = np.flatnonzero(wanted)
        add_at(result, places, self._mixers[0].run(DepthwiseAt(seen, self._kernel), places))
        return result


def _mixed(
    mixer: Mixer, rows: NDArray[np.float32], short: NDArray[np.float32], wanted: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Add what float32[h, w, c] gives, where wanted (bool[h, w]), to `short`, float32[1, h, w, out]."""
    places, flat = np.flatnonzero(wanted), rows.reshape(-1, rows.shape[2])
    short.reshape(-1, mixer.out)[places] += mixer.run(flat.__getitem__, places)
    return short


def _framed(coarse: NDArray[np.float32], fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Both side by side at the resolution of `fine`, a frame of zeros around."""
    height, width, finest = fine.shape
    result, _ = _in_frame(height - 2 * MARGIN, width - 2 * MARGIN, coarse.shape[2] + finest)
    join(coarse, fine, result)
    return result


def _in_frame(height: int, width: int, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A new float32[height + 8, width + 8, channels], zero in its frame, and what lies inside it."""
    result = np.empty((height + 2 * MARGIN, width + 2 * MARGIN, channels), dtype=np.float32)
    result[:MARGIN] = result[-MARGIN:] = 0
    result[:, :MARGIN] = result[:, -MARGIN:] = 0
    return result, result[MARGIN:-MARGIN, MARGIN:-MARGIN]


def reached(foreground: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Pixels of each mixer's level that the foreground and its margin touch."""
    found, cells, step = {}, foreground, 1
    while step < max(MIXER_STEPS):
        cells = cells[::2] | cells[1::2]
        cells, step = cells[:, ::2] | cells[:, 1::2], 2 * step
        # The margin is whole pixels of every level, so it may be added here.
        side = 2 * (MIXED_MARGIN_PX // step) + 1
        near = cv2.dilate(np.asarray(cells, dtype=np.uint8), np.ones((side, side), dtype=np.uint8))
        found[step] = np.asarray(near, dtype=np.bool_)
    return [found[step] for step in MIXER_STEPS]


def _run(
    stage: onnxruntime.InferenceSession, values: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    names = [output.name for output in stage.get_outputs()]
    inputs = {node.name: values[node.name] for node in stage.get_inputs()}
    return dict(zip(names, stage.run(None, inputs), strict=True))
