"""Our minutiae in the form that the peer nbis-py loads."""

from __future__ import annotations

import math
import struct
from typing import Final

import numpy as np

from matcher.template import Template

#: The form counts its minutiae in one byte.
_MOST: Final = 255


def minutiae_record(template: Template) -> bytes:
    """One print's best 255 minutiae, as nbis-py 0.1.3 writes and reads them.

    It calls the form ISO/IEC 19794-2:2005, yet leaves out the resolutions, most of the view's
    header and the extended data: a true record of the standard loads as a print without minutiae.
    """
    # magic "FMR\0" | version " 20\0" | length u32 | 0 u16 | width u16 | height u16 | 7 zeros | minutiae u8
    # | each: kind (2 bits) and x (14 bits) u16 | y u16 | angle u8 in 360/256° | quality u8
    chosen = np.argsort(-template.quality.astype(np.int64), kind="stable")[:_MOST]
    turns = np.round(template.angle.astype(np.float64) * (128.0 / math.pi)).astype(np.int64) % 256
    rows = b"".join(
        struct.pack(
            ">HHBB",
            int(template.kind[row]) << 14 | int(template.x[row]),
            int(template.y[row]),
            int(turns[row]),
            min(int(template.quality[row]), 100),
        )
        for row in chosen
    )
    size = (template.width_px, template.height_px)
    return struct.pack(">4s4sIHHH7xB", b"FMR\0", b" 20\0", 26 + len(rows), 0, *size, len(chosen)) + rows
