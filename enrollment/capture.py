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
    """What is wrong with a capture, in a stable code; `enrollment.advice` has the sentences."""

    FEW_MINUTIAE = "few_minutiae"
    TOO_SMALL = "too_small"
    OFF_CENTRE = "off_centre"
    LOW_CONTRAST = "low_contrast"
    TOO_DRY = "too_dry"
    TOO_WET = "too_wet"
    SMEARED = "smeared"
    SEVERAL_FINGERS = "several_fingers"
    UPSIDE_DOWN = "upside_down"
    WRONG_RESOLUTION = "wrong_resolution"

    @classmethod
    def _missing_(cls, value: object) -> Defect | None:
        """What release 0.1 stored under another code."""
        return cls.TOO_SMALL if value == "small_area" else None


class Reason(StrEnum):
    """Why no template was made of a capture."""

    NO_FINGERPRINT = "no_fingerprint"
    NO_FINGERTIP = "no_fingertip"
    TOO_SMALL = "too_small"
    TOO_FEW_MINUTIAE = "too_few_minutiae"
    TOO_FEW_FINGERS = "too_few_fingers"
    TOO_MANY_FINGERS = "too_many_fingers"
    NO_HAND = "no_hand"


@dataclass(frozen=True, slots=True)
class Measure:
    """Another quality value, 0-100, by `algorithm` (name/version); None with a `failure` that says why."""

    algorithm: str
    value: int | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """value: 0-100, higher is better, made by `algorithm` (name/version); defects: what to act on.

    measures: what others make of the same picture, NFIQ 2 for one; empty where they were not asked.
    """

    value: int
    algorithm: str
    defects: tuple[Defect, ...] = ()
    measures: tuple[Measure, ...] = ()


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
