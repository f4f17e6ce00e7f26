"""From a picture to a finger: the types that enrollment hands from step to step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matcher.codes import FingerPosition, ImpressionType
from matcher.template import Template


@dataclass(frozen=True, slots=True, eq=False)
class FingerprintImage:
    """Grey pixels with their resolution: never one without the other.

    pixels: uint8[h, w], dark ridges on light ground. ppi: pixels per inch of the pixels given.
    """

    pixels: NDArray[np.uint8]
    ppi: int


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """One acquisition of one finger."""

    position: FingerPosition
    impression: ImpressionType
    image: FingerprintImage


class Defect(StrEnum):
    """What is wrong with a capture, in a code the desk can translate. More come with NFIQ 2."""

    FEW_MINUTIAE = "few_minutiae"
    SMALL_AREA = "small_area"
    LOW_CONTRAST = "low_contrast"
    TOO_DRY = "too_dry"
    TOO_WET = "too_wet"


class Reason(StrEnum):
    """Why no template was made of a capture."""

    NO_FINGERPRINT = "no_fingerprint"
    TOO_SMALL = "too_small"
    TOO_FEW_MINUTIAE = "too_few_minutiae"


@dataclass(frozen=True, slots=True)
class Quality:
    """value: 0-100, higher is better, made by `algorithm` (name/version); defects: what to act on."""

    value: int
    algorithm: str
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Finger:
    """A capture that became a template; `extractor` is name/version of what made it."""

    position: FingerPosition
    impression: ImpressionType
    template: Template
    quality: Quality
    extractor: str


@dataclass(frozen=True, slots=True)
class FailureToAcquire:
    """A capture that did not become a template: counted, hence no exception.

    `advice` is one English sentence for the operator.
    """

    position: FingerPosition
    impression: ImpressionType
    reason: Reason
    advice: str


#: Receives (stage name, value) after each step of the pipeline.
Trace: TypeAlias = Callable[[str, Any], None]


def no_trace(stage: str, value: Any) -> None:
    """Discard the intermediate values."""
