"""What an NFIQ 2 worker runs: NIST's NFIQ 2 2.3.0 with its forest, as PyPI nbis-py links it.

Imported by the worker process only, like `enrollment.decoders`: native code that reads pictures. The forest
is unpacked once, in `load`; the forked children share its pages.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from enrollment.decoder_protocol import NFIQ2_NONE, Operation

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLE_PX = (260, 300)
_extractor: list[Any] = []


def load(max_pixels: int) -> list[tuple[Operation, tuple[int, int], bytes]]:
    """Unpack the forest, score one picture so that a child needs no file any more; gives that picture."""
    import nbis  # noqa: PLC0415 - loaded in the worker only

    settings = nbis.NbisExtractorSettings(
        min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=True, ppi=500.0
    )
    _extractor.append(nbis.new_nbis_extractor(settings))
    width, height = _SAMPLE_PX
    stripes = b"".join(_stripe(width, y) for y in range(height))
    sample = (Operation.SCORE_NFIQ2, _SAMPLE_PX, stripes[:max_pixels])
    work(*sample)
    return [sample]


def work(
    operation: Operation, size: tuple[int, int], payload: bytes | bytearray
) -> tuple[tuple[int, int], bytes]:
    """Size, and in one byte the NFIQ 2 score 0-100 of grey pixels at 500 ppi, or 255 where it gives none."""
    import nbis  # noqa: PLC0415 - loaded in the worker only

    width, height = size
    if operation is not Operation.SCORE_NFIQ2 or len(payload) != width * height:
        raise ValueError(operation, size)
    try:
        score = int(_extractor[0].extract_minutiae(_png(size, payload)).quality().score)
    except nbis.NbisError.Nfiq2ComputeFailed:  # too small, too large or blank: it does not say which
        score = NFIQ2_NONE
    return size, bytes([score])


def _png(size: tuple[int, int], pixels: bytes | bytearray) -> bytes:
    """The library takes files only: an uncompressed PNG of grey pixels."""
    width, height = size
    rows = b"".join(b"\0" + pixels[start : start + width] for start in range(0, width * height, width))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    return _PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _stripe(width: int, y: int) -> bytes:
    """One row of slanted ridges of nine pixels."""
    return bytes(40 if (x + y // 2) % 9 < 4 else 220 for x in range(width))
