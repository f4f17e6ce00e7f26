"""The position head: how likely a minutia lies at each pixel, computed where one can be."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from enrollment.depthwise import DepthwiseAt
from enrollment.head_kernels import finish_at, probability_at
from enrollment.mixers import Mixer
from enrollment.network_parts import Parts
from enrollment.trunk import MIXER_STEPS, Features


class PositionHead:
    """Loaded weights; `run` may be called from several threads at once."""

    def __init__(self, parts: Parts, threads: int) -> None:
        self._mixer = Mixer(parts, len(MIXER_STEPS), threads)
        self._kernel = parts["position_depthwise"]
        self._short = (parts["position_short"], parts["position_short_bias"])
        self._mix = (parts["position_mix"], parts["position_mix_bias"])
        self._last = (parts["position_last"], parts["position_last_bias"])

    def run(self, features: Features, cells: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """float32[h, w], the probability of a minutia at each pixel.

        cells: bool[h/4, w/4], where it is wanted, zero elsewhere; everywhere by default.
        """
        height, width = 2 * features.wanted.shape[0], 2 * features.wanted.shape[1]
        asked = np.ones((height, width), dtype=np.uint8)
        if cells is not None:
            asked = cv2.resize(cells.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        # The last convolution sees one pixel further.
        seen = np.flatnonzero(cv2.dilate(asked, np.ones((3, 3), dtype=np.uint8)))
        mixed = self._mixer.run(DepthwiseAt(features.framed, self._kernel), seen)
        head = np.zeros((height + 2, width + 2, self._mixer.out), dtype=np.float32)
        finish_at(features.framed, seen, mixed, *self._short, *self._mix, head)
        position = np.zeros((2 * height, 2 * width), dtype=np.float32)
        probability_at(head, np.flatnonzero(asked), *self._last, position)
        return position
