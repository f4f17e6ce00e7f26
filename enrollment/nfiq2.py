"""NFIQ 2, the quality number that European systems ask for, computed behind the wall by NIST's own code.

ISO/IEC 29794-4:2017, reference implementation 2.3.0: 0-100, higher is better. Each picture is scored by a
child process that lives for it only, as in `enrollment.sandbox`; nothing native runs in the service.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from enrollment.capture import FingerprintImage, Measure
from enrollment.decoder_protocol import NFIQ2_NONE, Operation, Outcome, Toolbox
from enrollment.errors import DecoderUnavailable
from enrollment.image import normalise
from enrollment.limits import DEFAULT_LIMITS, ImageLimits
from enrollment.polarity import with_dark_ridges
from enrollment.segmentation import gradients, segment
from enrollment.worker_pool import WorkerPool

#: Name and version stored with every score.
ALGORITHM: Final = "NFIQ2/2.3.0"
#: The largest picture NFIQ 2 takes, white borders apart; its `FingerprintImageData`.
_WIDEST_PX, _TALLEST_PX = 800, 1000
#: Its own marks of an empty picture: standard deviation below, mean above (`ImgProcROI`, actionable quality).
_UNIFORM_GREY, _WHITE_GREY = 1.0, 250.0
_MOST = 100


class Nfiq2Failure(StrEnum):
    """Why a picture has no NFIQ 2 score: a name instead of a number."""

    BLANK = "blank"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    STOPPED = "stopped"
    UNAVAILABLE = "unavailable"


class Nfiq2Sandbox(WorkerPool):
    """A pool of NFIQ 2 workers; a worker takes a second to start and 90 MB."""

    def __init__(self, *, workers: int = 1, limits: ImageLimits = DEFAULT_LIMITS) -> None:
        # A rolled print takes 0.8 s of computing time, a damaged one may take more.
        super().__init__(Toolbox.NFIQ2, workers, replace(limits, cpu_s=10.0, wall_s=20.0))

    def score(self, image: FingerprintImage) -> Measure:
        """The NFIQ 2 score at 500 ppi, or the name of why there is none; raises what `normalise` refuses.

        stopped: the child crashed or ran out of its limits. unavailable: no worker can be had, see the log.
        """
        pixels = normalise(image, self.limits).pixels
        pixels = with_dark_ridges(pixels, segment(gradients(pixels)))
        height, width = pixels.shape
        grey = np.ascontiguousarray(pixels, np.uint8).tobytes()
        try:
            reply = self._ask(Operation.SCORE_NFIQ2, (width, height), grey)
        except DecoderUnavailable:
            return Measure(ALGORITHM, None, Nfiq2Failure.UNAVAILABLE.value)
        if reply is None or reply.outcome is not Outcome.DONE or len(reply.payload) != 1:
            self._count("crashed")
            return Measure(ALGORITHM, None, Nfiq2Failure.STOPPED.value)
        self._count("done")
        value = reply.payload[0]
        if value <= _MOST:
            return Measure(ALGORITHM, value)
        failure = _why_none(pixels) if value == NFIQ2_NONE else Nfiq2Failure.STOPPED
        return Measure(ALGORITHM, None, failure.value)


def _why_none(pixels: NDArray[np.uint8]) -> Nfiq2Failure:
    """NFIQ 2 refuses without saying why; these are its rules, the last for lack of a finger's area."""
    height, width = pixels.shape
    if float(pixels.std()) < _UNIFORM_GREY or float(pixels.mean()) > _WHITE_GREY:
        return Nfiq2Failure.BLANK
    if width > _WIDEST_PX or height > _TALLEST_PX:
        return Nfiq2Failure.TOO_LARGE
    return Nfiq2Failure.TOO_SMALL
