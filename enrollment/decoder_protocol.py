"""What the service and its workers say to each other: two fixed layouts, nothing serialised.

The lengths are checked on both sides; a child that decodes never writes to these pipes at all.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from struct import Struct

# request: magic 4s | operation u8 | width u32 | height u32 | payload length u32 | payload
REQUEST = Struct("<4sB3xIII")
REQUEST_MAGIC = b"TPQ1"
# reply: magic 4s | outcome u8 | signal that ended the child u8 | width u32 | height u32 | payload length u32
#        | payload
REPLY = Struct("<4sBB2xIII")
REPLY_MAGIC = b"TPA1"


#: What stands in place of an NFIQ 2 score that could not be computed (as in ISO/IEC 19794).
NFIQ2_NONE = 255


class Toolbox(StrEnum):
    """Which native code a worker loads: image decoders, or NIST's NFIQ 2."""

    DECODERS = "decoders"
    NFIQ2 = "nfiq2"


class Operation(IntEnum):
    """What a request asks for: to decode one format, to encode grey pixels as WSQ, to score them."""

    DECODE_PNG = 1
    DECODE_BMP = 2
    DECODE_TIFF = 3
    DECODE_JPEG2000 = 4
    DECODE_WSQ = 5
    ENCODE_WSQ = 6
    SCORE_NFIQ2 = 7


class Outcome(IntEnum):
    """How a request ended; also the exit codes of a child. READY is said once, before the first request.

    READY_UNFILTERED: ready, but without a filter of system calls on this kernel or machine type.
    """

    READY = 1
    READY_UNFILTERED = 2
    DONE = 40
    REFUSED = 41
    OUT_OF_MEMORY = 42
    CRASHED = 43
