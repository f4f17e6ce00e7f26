"""Native decoders behind a wall: bytes go to another process, grey pixels come back, whatever happens there.

A crafted WSQ file crashes its decoder, a small PNG can ask for gigabytes (platform.md 5.4). So every image is
first judged by `inspect_header` here and then decoded by a child process that lives for that image only
(`enrollment.decoder_worker`). Nothing a child does costs more than its own request.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enrollment.capture import FingerprintImage
from enrollment.decoder_protocol import Operation, Outcome, Toolbox
from enrollment.errors import ImageTooLarge, UndecodableImage
from enrollment.image_header import ImageFormat, check_size, inspect_header
from enrollment.limits import DEFAULT_LIMITS, ImageLimits
from enrollment.resolution import agreed_ppi
from enrollment.worker_pool import WorkerPool
from enrollment.worker_process import Reply

_OPERATIONS = {
    ImageFormat.PNG: Operation.DECODE_PNG,
    ImageFormat.BMP: Operation.DECODE_BMP,
    ImageFormat.TIFF: Operation.DECODE_TIFF,
    ImageFormat.JPEG2000: Operation.DECODE_JPEG2000,
    ImageFormat.WSQ: Operation.DECODE_WSQ,
}
_TIME_SIGNALS = frozenset({signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU})
#: Where the WSQ encoder writes its constant 500: in its first comment, whose length is bytes 4 and 5.
_NISTCOM_PPI = re.compile(rb"\nPPI 500\n")


@dataclass(frozen=True, slots=True)
class RawLayout:
    """How to read bytes without a header: 8-bit grey, row by row from the top, dark ridges low."""

    width_px: int
    height_px: int


class DecoderSandbox(WorkerPool):
    """A pool of decoder workers."""

    def __init__(self, *, workers: int = 2, limits: ImageLimits = DEFAULT_LIMITS) -> None:
        super().__init__(Toolbox.DECODERS, workers, limits)

    def decode(
        self,
        data: bytes,
        *,
        ppi: float | None = None,
        container_ppi: float | None = None,
        raw: RawLayout | None = None,
    ) -> FingerprintImage:
        """The picture in `data` as 8-bit grey at its own resolution (`image.normalise` brings it to 500 ppi).

        container_ppi: what the record around the file says; ppi: what the caller says (see `resolution`).
        Raises leaves of MalformedImage for any bytes, DecoderUnavailable when it is our fault.
        """
        if raw is not None:
            believed = agreed_ppi(container=container_ppi, file=None, file_vertical=None, argument=ppi)
            return FingerprintImage(_raw_pixels(data, raw, self.limits), believed)
        header = inspect_header(data, self.limits)
        believed = agreed_ppi(
            container=container_ppi, file=header.ppi, file_vertical=header.ppi_vertical, argument=ppi
        )
        width, height = header.width_px, header.height_px
        subject = f"The {header.format} image"
        reply = self._judged(self._ask(_OPERATIONS[header.format], (width, height), data), subject)
        answered = (reply.width_px, reply.height_px)  # EXIF rotation may have swapped the sides
        if answered not in {(width, height), (height, width)} or len(reply.payload) != width * height:
            raise UndecodableImage(f"The {header.format} image holds another size than its header claims.")
        pixels = np.frombuffer(reply.payload, np.uint8).reshape(reply.height_px, reply.width_px)
        return FingerprintImage(pixels, believed)

    def encode_wsq(self, image: FingerprintImage) -> bytes:
        """The picture as WSQ (about 12:1) with its ppi in the NISTCOM comment."""
        height, width = image.pixels.shape
        check_size(width, height, self.limits)
        grey = np.ascontiguousarray(image.pixels, np.uint8).tobytes()
        answer = self._ask(Operation.ENCODE_WSQ, (width, height), grey)
        reply = self._judged(answer, "The picture to write as WSQ")
        return _with_ppi(bytes(reply.payload), image.ppi)

    def _judged(self, reply: Reply | None, subject: str) -> Reply:
        if reply is None:
            raise UndecodableImage(f"{subject} {_SAYS[Outcome.CRASHED]}")
        if reply.outcome is Outcome.DONE:
            self._count("done")
            return reply
        if reply.signal_number in _TIME_SIGNALS:
            self._count("timed_out")
            raise UndecodableImage(
                f"{subject} takes longer than {self.limits.cpu_s:g} s to decode: send the original file."
            )
        self._count("refused" if reply.outcome is Outcome.REFUSED else "crashed")
        raise UndecodableImage(f"{subject} {_SAYS[reply.outcome]}")


# One sentence for both: where the heap lies decides whether the WSQ decoder refuses a file or dies of it.
_DAMAGED = "is damaged: its decoder cannot read it. Send the complete, original file."
_SAYS = {
    Outcome.REFUSED: _DAMAGED,
    Outcome.OUT_OF_MEMORY: "needs more memory than any print: send the original file, or crop it.",
    Outcome.CRASHED: _DAMAGED,
}


def _raw_pixels(data: bytes, layout: RawLayout, limits: ImageLimits) -> NDArray[np.uint8]:
    """Bytes without a header; no native code is involved."""
    if len(data) > limits.max_bytes:
        raise ImageTooLarge(f"The raw image has {len(data)} bytes; at most {limits.max_bytes} are read.")
    width, height = layout.width_px, layout.height_px
    if width <= 0 or height <= 0 or width * height != len(data):
        raise UndecodableImage(
            f"A raw image of {width} x {height} pixels takes {width * height} bytes, one each, but "
            f"{len(data)} came: correct width and height, or leave them out if the file has a header."
        )
    check_size(width, height, limits)
    return np.frombuffer(bytearray(data), np.uint8).reshape(height, width)


def _with_ppi(wsq: bytes, ppi: int) -> bytes:
    """Put the true resolution where the encoder always writes 500, and mend the comment's length."""
    if ppi == 500:
        return wsq
    length = int.from_bytes(wsq[4:6], "big")
    comment = _NISTCOM_PPI.sub(b"\nPPI %d\n" % ppi, wsq[6 : 4 + length])
    return wsq[:4] + (len(comment) + 2).to_bytes(2, "big") + comment + wsq[4 + length :]
