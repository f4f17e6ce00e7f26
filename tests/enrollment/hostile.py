"""Image files that nobody should send: mutants of real files, bombs, and files under a false name.

All of it is made here, from drawn ridges and a seed; nothing is stored.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enrollment.decoders import encode_wsq

#: Numbers that have broken parsers before.
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
#: Where headers live.
_HEAD_BYTES = 220


def ridges(height: int = 200, width: int = 160, seed: int = 0) -> NDArray[np.uint8]:
    """Grey arcs with a ridge period of nine pixels, a little noise: not a print, but coded like one."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.cos(2 * np.pi / 9 * np.hypot(x - width / 2, (y - height) * 0.8))
    return np.clip(128 + 90 * waves + rng.normal(0, 6, (height, width)), 0, 255).astype(np.uint8)


def encoded(pixels: NDArray[np.uint8], name: str, **options: object) -> bytes:
    """A file in a Pillow format, or WSQ."""
    if name == "WSQ":
        return encode_wsq((pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, name, **options)
    return file.getvalue()


def seeds() -> dict[str, bytes]:
    """One sound file per format and coding that we read."""
    grey = ridges()
    palette = io.BytesIO()
    Image.fromarray(grey).convert("P").save(palette, "TIFF", compression="tiff_lzw", dpi=(500, 500))
    return {
        "png": encoded(grey, "PNG", dpi=(500, 500)),
        "bmp": encoded(grey, "BMP", dpi=(500, 500)),
        "tiff": encoded(grey, "TIFF", dpi=(500, 500)),
        "tiff-deflate": encoded(grey, "TIFF", dpi=(500, 500), compression="tiff_adobe_deflate"),
        "tiff-lzw-palette": palette.getvalue(),
        "jp2": encoded(grey, "JPEG2000"),
        "j2k": encoded(grey, "JPEG2000", no_jp2=True),
        "jp2-lossy": encoded(grey, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[10]),
        "wsq": encoded(grey, "WSQ"),
    }


def mutants(seed: bytes, count: int, rng: np.random.Generator) -> Iterator[bytes]:
    """Files near a sound one: cut, flipped, overwritten, spliced, in the header or anywhere."""
    makers = (_cut, _flipped, _flipped_head, _extreme, _extreme_head, _repeated, _removed)
    for index in range(count):
        mutant = makers[index % len(makers)](seed, rng)
        yield repaired_png(mutant) if mutant.startswith(b"\x89PNG") and rng.random() < 0.8 else mutant


def repaired_png(data: bytes) -> bytes:
    """The same PNG with true checksums, so that damage reaches the decoder."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 8 + length]
        out += struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out)


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(1, len(data)))]


def _flipped(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 12))):
        out[at] ^= 1 << int(rng.integers(0, 8))
    return bytes(out)


def _flipped_head(data: bytes, rng: np.random.Generator) -> bytes:
    return _flipped(data[:_HEAD_BYTES], rng) + data[_HEAD_BYTES:]


def _extreme(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for at in rng.integers(0, len(data), int(rng.integers(1, 4))):
        value = int(rng.choice(_EXTREMES))
        size = max(1, (value.bit_length() + 7) // 8)
        out[at : at + size] = value.to_bytes(size, "big" if rng.random() < 0.5 else "little")
    return bytes(out)


def _extreme_head(data: bytes, rng: np.random.Generator) -> bytes:
    return _extreme(data[:_HEAD_BYTES], rng) + data[_HEAD_BYTES:]


def _repeated(data: bytes, rng: np.random.Generator) -> bytes:
    start, to = (int(at) for at in rng.integers(0, len(data), 2))
    piece = data[start : start + int(rng.integers(1, 400))]
    return data[:to] + piece + data[to:]


def _removed(data: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(2, len(data)))
    return data[:start] + data[start + int(rng.integers(1, 400)) :]
