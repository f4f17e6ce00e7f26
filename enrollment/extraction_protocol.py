"""What the service and its extraction workers say to each other: fixed layouts, nothing serialised.

A worker sees grey pixels and numbers only, and what it answers is read as numbers and short texts: a worker
that went wrong can send a wrong template, and no more than that.
"""

from __future__ import annotations

import json
from enum import IntEnum
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enrollment.capture import Capture, Defect, FailureToAcquire, Finger, FingerprintImage, Quality, Reason
from matcher.codes import FingerPosition, ImpressionType
from matcher.template import RidgeField, Template

# request: magic 4s | position u8 | impression u8 | ppi u16 | height u32 | width u32 | pixels, uint8[h, w]
REQUEST = Struct("<4sBBHII")
REQUEST_MAGIC = b"TPX1"
# answer: magic 4s | kind u8 | length of the text u32 | length of the columns u32 | text (JSON) | columns
ANSWER = Struct("<4sB3xII")
ANSWER_MAGIC = b"TPY1"
#: More than any template takes.
MOST_ANSWER_BYTES = 1 << 20

_COLUMNS = {"x": "int16", "y": "int16", "angle": "float32", "kind": "uint8", "quality": "uint8"}
_CELLS = {"orientation": "uint8", "coherence": "uint8", "foreground": "bool"}


class Kind(IntEnum):
    """What an answer holds."""

    FINGER = 1
    FAILURE = 2
    FAULT = 3


class WorkerFault(Exception):  # noqa: N818 - not an error of the tree: nobody can mend it but we
    """The extraction raised in its worker; the message names the exception, never what the picture shows."""


def request_of(capture: Capture) -> tuple[bytes, bytes]:
    """Head and pixels."""
    pixels, ppi = capture.image.pixels, capture.image.ppi
    head = REQUEST.pack(REQUEST_MAGIC, capture.position, capture.impression, ppi, *pixels.shape)
    return head, np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()


def capture_of(head: bytes, pixels: bytearray) -> Capture:
    """What `request_of` told; `pixels_in` says how many there are."""
    _, position, impression, ppi, height, width = REQUEST.unpack(head)
    grey = np.frombuffer(pixels, dtype=np.uint8).reshape(height, width)
    return Capture(FingerPosition(position), ImpressionType(impression), FingerprintImage(grey, ppi))


def pixels_in(head: bytes) -> int:
    """How many bytes follow a request's head."""
    magic, *_, height, width = REQUEST.unpack(head)
    if magic != REQUEST_MAGIC:
        raise ValueError("no request")
    return int(height) * int(width)


def answer_of(outcome: Finger | FailureToAcquire | BaseException) -> bytes:
    """A whole answer."""
    if isinstance(outcome, Finger):
        return _finger(outcome)
    if isinstance(outcome, FailureToAcquire):
        return _pack(Kind.FAILURE, {"reason": outcome.reason.value, "advice": outcome.advice})
    return _pack(Kind.FAULT, {"fault": type(outcome).__name__})


def lengths_in(head: bytes) -> tuple[Kind, int, int]:
    """Kind and the lengths of what follows an answer's head; ValueError for what is no answer."""
    magic, kind, text, columns = ANSWER.unpack(head)
    if magic != ANSWER_MAGIC or text + columns > MOST_ANSWER_BYTES:
        raise ValueError("no answer")
    return Kind(kind), text, columns


def outcome_of(kind: Kind, text: bytes, columns: bytes, capture: Capture) -> Finger | FailureToAcquire:
    """What became of `capture`; raises `WorkerFault` for a fault, ValueError for what makes no sense."""
    told = json.loads(text)
    if kind is Kind.FAULT:
        raise WorkerFault(f"the extraction of a picture failed with {told['fault']}")
    if kind is Kind.FAILURE:
        return FailureToAcquire(
            capture.position, capture.impression, Reason(told["reason"]), str(told["advice"])
        )
    defects = tuple(Defect(code) for code in told["defects"])
    quality = Quality(int(told["value"]), str(told["algorithm"]), defects)
    template = _template(told, columns)
    return Finger(capture.position, capture.impression, template, quality, str(told["extractor"]))


def _finger(finger: Finger) -> bytes:
    template, quality = finger.template, finger.quality
    field = template.field
    told = {
        "extractor": finger.extractor,
        "value": quality.value,
        "algorithm": quality.algorithm,
        "defects": [defect.value for defect in quality.defects],
        "size": [template.width_px, template.height_px],
        "count": len(template),
        "cells": None if field is None else list(field.orientation.shape),
    }
    arrays: list[NDArray[Any]] = [getattr(template, name) for name in _COLUMNS]
    if field is not None:
        arrays += [getattr(field, name) for name in _CELLS]
    return _pack(Kind.FINGER, told, b"".join(array.tobytes() for array in arrays))


def _pack(kind: Kind, told: dict[str, Any], columns: bytes = b"") -> bytes:
    text = json.dumps(told).encode()
    return ANSWER.pack(ANSWER_MAGIC, kind, len(text), len(columns)) + text + columns


def _template(told: dict[str, Any], columns: bytes) -> Template:
    count, cells = int(told["count"]), told["cells"]
    start = 0

    def take(dtype: str, size: int) -> NDArray[Any]:
        nonlocal start
        values = np.frombuffer(columns, dtype=dtype, count=size, offset=start).copy()
        start += values.nbytes
        return values

    minutiae = {name: take(dtype, count) for name, dtype in _COLUMNS.items()}
    field = None
    if cells is not None:
        rows, across = (int(side) for side in cells)
        parts = {name: take(dtype, rows * across).reshape(rows, across) for name, dtype in _CELLS.items()}
        field = RidgeField(**parts)
    width, height = (int(side) for side in told["size"])
    return Template(**minutiae, width_px=width, height_px=height, field=field)
