"""What enrollment refuses: leaves of the tree in `matcher.errors`.

FingerprintError
├── MalformedImage               bytes that are no acceptable picture
│   ├── UnsupportedFormat        not PNG, BMP, TIFF, JPEG 2000, WSQ or declared raw
│   ├── UnknownResolution        no usable ppi in container, file or argument
│   ├── ImageTooLarge            over the pixel or byte limit
│   ├── ImageTooSmall            no room for a fingertip
│   └── UndecodableImage         the decoder refused, crashed or ran out of its limits
├── NoSlap                       a position, or missing fingers, that no slap has
├── DecoderUnavailable           no decoder process is free or can be started: our fault, try again
├── ExtractionUnavailable        no extraction process can be had, or this picture kills it: try again
├── MalformedRecord              bytes that are no legal template or transaction
├── UnusableWeights              the network's weight file is missing or another one
├── DamagedRecord                stored bytes that are not what was stored
├── UnknownRecord                no such person or encounter
├── ConflictingRecord            an id that exists already, or a key reused for another request
├── HeldRecord                   a legal hold keeps the encounter from being erased
├── AuditUnavailable             the audit log cannot be written: nothing is answered
├── TimeStampRefused             a time-stamp authority gave no answer that holds
├── KeyUnavailable               the keys that open the store are missing or not safe to use
├── FolderInUse                  another process serves this data folder
└── UnsafeFileSystem             the data folder lies on another machine
"""

from __future__ import annotations

from matcher.errors import FingerprintError


class MalformedImage(FingerprintError):  # noqa: N818
    """The bytes are no acceptable picture of a finger."""

    code = "malformed_image"


class UnsupportedFormat(MalformedImage):
    """The bytes are in no format we read."""

    code = "unsupported_format"


class UnknownResolution(MalformedImage):
    """Neither container, file nor argument gives a usable ppi."""

    code = "unknown_resolution"


class ImageTooLarge(MalformedImage):
    """More bytes or pixels than a print needs."""

    code = "image_too_large"


class ImageTooSmall(MalformedImage):
    """Fewer pixels than a fingertip takes."""

    code = "image_too_small"


class UndecodableImage(MalformedImage):
    """The decoder refused the bytes, crashed on them or ran out of its limits."""

    code = "undecodable_image"


class NoSlap(FingerprintError):  # noqa: N818
    """A picture is to be cut up that shows one finger, or whose fingers are all declared missing."""

    code = "no_slap"


class DecoderUnavailable(FingerprintError):  # noqa: N818
    """No decoder process is free or can be started: the image is not to blame (503)."""

    code = "decoder_unavailable"


class ExtractionUnavailable(FingerprintError):  # noqa: N818
    """The process that extracts was lost and cannot be replaced, or twice over the same picture (503)."""

    code = "extraction_unavailable"


class MalformedRecord(FingerprintError):  # noqa: N818
    """The bytes are no legal template or transaction."""

    code = "malformed_record"


class UnusableWeights(FingerprintError):  # noqa: N818
    """The minutiae network's weight file is missing, unreadable or not the pinned one."""

    code = "unusable_weights"


class DamagedRecord(FingerprintError):  # noqa: N818
    """Stored bytes are not what was stored."""

    code = "damaged_record"


class UnknownRecord(FingerprintError):  # noqa: N818
    """There is no such person or encounter."""

    code = "unknown_record"


class ConflictingRecord(FingerprintError):  # noqa: N818
    """The id exists already, or the idempotency key belongs to another request."""

    code = "conflicting_record"


class HeldRecord(FingerprintError):  # noqa: N818
    """A legal hold keeps the encounter from being erased."""

    code = "held_record"


class AuditUnavailable(FingerprintError):  # noqa: N818
    """The audit log cannot be written, so nothing may be answered (503)."""

    code = "audit_unavailable"


class TimeStampRefused(FingerprintError):  # noqa: N818
    """A time-stamp authority gave no answer, or none that holds: the checkpoint stands without it."""

    code = "time_stamp_refused"


class KeyUnavailable(FingerprintError):  # noqa: N818
    """The keys that open the store are missing, destroyed or not safe to use (503)."""

    code = "key_unavailable"


class FolderInUse(FingerprintError):  # noqa: N818
    """Another process serves this data folder."""

    code = "folder_in_use"


class UnsafeFileSystem(FingerprintError):  # noqa: N818
    """The data folder lies on a file system that may lose what it acknowledged."""

    code = "unsafe_file_system"
