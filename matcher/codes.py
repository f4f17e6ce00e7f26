"""Code tables of ANSI/NIST-ITL that every layer shares."""

from __future__ import annotations

from enum import IntEnum


class FingerPosition(IntEnum):
    """Friction ridge position, ANSI/NIST-ITL table of finger positions (0-15)."""

    UNKNOWN = 0
    RIGHT_THUMB = 1
    RIGHT_INDEX = 2
    RIGHT_MIDDLE = 3
    RIGHT_RING = 4
    RIGHT_LITTLE = 5
    LEFT_THUMB = 6
    LEFT_INDEX = 7
    LEFT_MIDDLE = 8
    LEFT_RING = 9
    LEFT_LITTLE = 10
    PLAIN_RIGHT_THUMB = 11
    PLAIN_LEFT_THUMB = 12
    PLAIN_RIGHT_FOUR = 13
    PLAIN_LEFT_FOUR = 14
    PLAIN_THUMBS = 15


#: The ten single fingers, in ANSI/NIST-ITL order.
FINGERS: tuple[FingerPosition, ...] = tuple(FingerPosition(code) for code in range(1, 11))


class ImpressionType(IntEnum):
    """How the print was made, ANSI/NIST-ITL table of impression types."""

    LIVE_PLAIN = 0
    LIVE_ROLLED = 1
    NONLIVE_PLAIN = 2
    NONLIVE_ROLLED = 3
    LATENT = 4
    SWIPE = 8
    CONTACTLESS_PLAIN = 24
    UNKNOWN = 29


class MinutiaKind(IntEnum):
    """Minutia type, ISO/IEC 19794-2 coding."""

    OTHER = 0
    ENDING = 1
    BIFURCATION = 2
