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
    return np.asarray(np.clip(128 + 90 * waves + rng.normal(0, 6, (height, width)), 0, 255), np.uint8)


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
    first = int(rng.integers(len(makers)))  # who asks for one gets any kind
    for index in range(first, first + count):
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
    return data[: int(rng.integers(min(1, len(data) - 1), len(data)))]


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
    start = int(rng.integers(min(2, len(data) - 1), len(data)))
    return data[:start] + data[start + int(rng.integers(1, 400)) :]


def _png(width: int, height: int, compressed: bytes, *extra: bytes, colour: int = 0, bits: int = 8) -> bytes:
    """A PNG of our own writing; extra: whole chunks (type and payload) before the pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = (header, b"pHYs" + struct.pack(">IIB", 19685, 19685, 1), *extra, b"IDAT" + compressed, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def _zeros(rows: int, row_bytes: int) -> bytes:
    """That many zero bytes in a zlib stream, made piece by piece."""
    packer = zlib.compressobj(9)
    start = packer.compress(bytes(row_bytes * (rows // 100))) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(row_bytes * (rows // 100))) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + piece * 99 + packer.flush(zlib.Z_FINISH)


def _tiff(*entries: tuple[int, int, int, int], tail: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF with one directory of (tag, type, count, value) and bytes after it."""
    directory = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\x00" + struct.pack("<IH", 8, len(entries)) + directory + struct.pack("<I", following) + tail


def _codestream(width: int, height: int, tile: int, *, layers: int = 1, precincts: bytes = b"") -> bytes:
    """A JPEG 2000 main header with one empty tile-part."""
    size = struct.pack(">HIIIIIIIIHBBB", 0, width, height, 0, 0, tile, tile, 0, 0, 1, 7, 1, 1)
    style = struct.pack(">BBHBBBBBB", bool(precincts), 0, layers, 0, 5, 4, 4, 0, 1) + precincts
    part = struct.pack(">HHHIBB", 0xFF90, 10, 0, 14, 0, 1) + b"\xff\x93" + b"\xff\xd9"
    return (
        b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size
        + b"\xff\x52" + struct.pack(">H", len(style) + 2) + style
        + b"\xff\x5c\x00\x13\x40" + b"\x40" * 16
        + part
    )  # fmt: skip


def _wsq(width: int, height: int) -> bytes:
    frame = struct.pack(">HHBBHHBHBHBH", 0xFFA2, 17, 0, 255, height, width, 0, 0, 0, 0, 0, 0)
    block = struct.pack(">HHB", 0xFFA3, 3, 0)
    return b"\xff\xa0" + frame + block + b"\x00" * 16 + b"\xff\xa1"


def bombs() -> dict[str, bytes]:
    """Small or clever files that ask a decoder for gigabytes or minutes."""
    long_text = b"zTXtComment\x00\x00" + zlib.compress(bytes(40_000_000), 9)
    info = struct.pack("<IiiHHIIii", 40, 2_000, 1_900, 1, 8, 1, 0, 19685, 19685)
    size = ((256, 4, 1, 2_000), (257, 4, 1, 2_000), (258, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1))
    huge = ((256, 4, 1, 100_000), (257, 4, 1, 100_000), (258, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1))
    strip = ((259, 3, 1, 8), (273, 4, 1, 200), (279, 4, 1, 40))
    return {
        "png-30000x30000": _png(30_000, 30_000, _zeros(30_000, 30_001)),
        "png-30000x30000-1-bit": _png(30_000, 30_000, _zeros(30_000, 3_751), bits=1),
        "png-2000x2000-in-40-bytes": _png(2_000, 2_000, zlib.compress(b"")),
        "png-text-40-MB": _png(300, 300, zlib.compress(bytes(301 * 300)), long_text),
        "png-profile-40-MB": _png(
            300, 300, zlib.compress(bytes(301 * 300)), b"iCCPx\x00\x00" + zlib.compress(bytes(40_000_000), 9)
        ),
        "png-500000-chunks": _png(300, 300, zlib.compress(bytes(301 * 300)), *([b"abCd"] * 500_000)),
        "png-overflow": _png(0x7FFFFFFF, 0x7FFFFFFF, b""),
        "bmp-65000x65000": b"BM"
        + struct.pack("<IIIIiiHHIIii", 0, 0, 54, 40, 65_000, 65_000, 1, 8, 0, 0, 0, 0),
        "bmp-run-lengths": b"BM" + struct.pack("<III", 0, 0, 54) + info + b"\xff\x00" * 20_000,
        "tiff-100000x100000": _tiff(*huge, *strip, tail=bytes(4_000)),
        "tiff-empty-deflate": _tiff(*size, *strip, tail=zlib.compress(bytes(1_000)) + bytes(3_000)),
        "tiff-huge-tile": _tiff(
            *size,
            (259, 3, 1, 8),
            (322, 4, 1, 1 << 30),
            (323, 4, 1, 1 << 30),
            (324, 4, 1, 200),
            (325, 4, 1, 40),
            tail=bytes(4_000),
        ),
        "tiff-million-strips": _tiff(
            *size, (259, 3, 1, 8), (273, 4, 1_000_000, 200), (279, 4, 1_000_000, 200), tail=bytes(5_000_000)
        ),
        "tiff-tags-of-gigabytes": _tiff(
            *size, *strip, *((50_000 + n, 4, 0x3FFFFFFF, 8) for n in range(200)), tail=bytes(4_000)
        ),
        "tiff-page-loop": _tiff(*size, *strip, following=8, tail=bytes(4_000)),
        "j2k-4-billion-tiles": _codestream(60_000, 60_000, 1),
        "j2k-tiny-tiles": _codestream(2_000, 2_000, 4),
        "j2k-huge": _codestream(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        "j2k-65535-layers": _codestream(2_000, 2_000, 2_000, layers=65_535),
        "j2k-tiny-precincts": _codestream(2_000, 2_000, 2_000, precincts=b"\x00" * 6),
        "j2k-nothing-inside": _codestream(2_000, 1_990, 2_000),
        "wsq-65535x65535": _wsq(65_535, 65_535),
        "wsq-nothing-inside": _wsq(2_000, 2_000),
        "wsq-stuffing": _wsq(400, 400)[:-2] + b"\xff\x00" * 4_000_000 + b"\xff\xa1",
        "wsq-comments": b"\xff\xa0" + b"\xff\xa8\x00\x04ab" * 400_000 + _wsq(400, 400)[2:],
        "zip": b"PK\x03\x04" + bytes(1_000),
        "just-zeros": bytes(8_000_000),
        "nine-megabytes": _png(300, 300, bytes(9 * 1024 * 1024)),
    }


def mislabelled() -> dict[str, bytes]:
    """Contents that are no image of ours, whatever the name says."""
    grey = ridges()
    return {
        "jpeg": encoded(grey, "JPEG"),
        "gif": encoded(grey, "GIF"),
        "webp": encoded(grey, "WEBP"),
        "pdf": encoded(grey, "PDF"),
        "pgm": encoded(grey, "PPM"),
        "bigtiff": b"II+\x00" + bytes(300),
        "itl": b"1.001:345\x1d1.002:0502\x1d",
        "template": b"FMR\x00 20\x00" + bytes(40),
        "html": b"<!doctype html><p>404",
        "json": b'{"image": "..."}',
        "base64": b"iVBORw0KGgoAAAANSUhEUgAA",
        "text": "no image at all, sorry".encode("utf-16"),
        "empty": b"",
        "one-byte": b"\xff",
        "png-signature-only": b"\x89PNG\r\n\x1a\n",
        "bmp-signature-only": b"BM",
        "tiff-signature-only": b"MM\x00*",
        "wsq-signature-only": b"\xff\xa0",
        "jp2-signature-only": b"\x00\x00\x00\x0cjP  \r\n\x87\n",
    }
