"""How much an image may ask of us: one place for every limit of image intake."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits of one image, its decoder process and the pool. Origin: platform.md 5.4, card formats.

    max_bytes: the file as received. max_pixels: width x height, as received and again at 500 ppi;
    4 Mpx hold a rolled finger at 1000 ppi (1.6 x 1.5 in = 2.4 Mpx) and a four-finger slap at 500.
    min_side_px: shorter side, as received and again at 500 ppi, where 90 px are 4.6 mm.
    max_pixels_per_byte: a blank page in the best codec stays below; only forged headers exceed it.
    memory_bytes, cpu_s, wall_s: address space, computing time and wall clock of one decoding process. The
    computing time decides, so that a busy machine gives the same answer as an idle one (4 Mpx lossless
    JPEG 2000 take 0.5 s, measured); the wall clock only ends a process that waits.
    grace_s: what a reply may take beyond wall_s before the worker is killed from outside.
    start_s, queue_s: longest wait for a fresh worker to report, and for a free one.
    """

    max_bytes: int = 8 * 1024 * 1024
    max_pixels: int = 4_000_000
    min_side_px: int = 90
    max_pixels_per_byte: int = 4_000
    memory_bytes: int = 512 * 1024 * 1024
    cpu_s: float = 2.0
    wall_s: float = 5.0
    grace_s: float = 1.0
    start_s: float = 20.0
    queue_s: float = 30.0


#: What the service uses unless its settings say otherwise.
DEFAULT_LIMITS = ImageLimits()
