"""The root of the one exception tree.

FingerprintError                 anything this project refuses, with a stable code and a sentence
└── InvalidTemplate              arrays that are no legal template

`enrollment.errors`, `workflow.errors` and `api.errors` add their leaves.
"""

from __future__ import annotations

from typing import ClassVar


class FingerprintError(Exception):
    """A refusal with a reason.

    `code` is stable and documented; the message is a sentence that says what to do.
    """

    code: ClassVar[str] = "fingerprint_error"


class InvalidTemplate(FingerprintError):  # noqa: N818 - named for what it is, as the whole tree
    """The arrays do not form a legal template."""

    code = "invalid_template"
