"""From bytes to fingers: the sandboxed decoder and the extraction workers, held together. Needs no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from api.settings import Settings
from enrollment.capture import Capture, FailureToAcquire, Finger
from enrollment.limits import ImageLimits
from enrollment.nfiq2 import Nfiq2Sandbox
from enrollment.sandbox import DecoderSandbox
from enrollment.workers import ExtractionPool


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """What turns pictures into templates; safe to use from many threads."""

    settings: Settings
    decoder: DecoderSandbox
    pool: ExtractionPool

    def extract(self, captures: Sequence[Capture]) -> list[Finger | FailureToAcquire]:
        """All captures at the same time, at most as many as there are extraction workers."""
        return self.pool.extract(captures)


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """Start the decoders and the extraction, which loads its network meanwhile, and stop both at the end."""
    limits = ImageLimits(max_bytes=settings.max_image_bytes)
    with (
        DecoderSandbox(workers=settings.decoder_workers, limits=limits) as decoder,
        _nfiq2(settings, limits) as nfiq2,
        ExtractionPool(workers=settings.extraction_workers, nfiq2=nfiq2) as pool,
    ):
        yield Engine(settings, decoder, pool)


def _nfiq2(settings: Settings, limits: ImageLimits) -> AbstractContextManager[Nfiq2Sandbox | None]:
    """Its workers, as many as there are extractions at a time, where the office wants the number."""
    return (
        Nfiq2Sandbox(workers=settings.extraction_workers, limits=limits) if settings.nfiq2 else nullcontext()
    )
