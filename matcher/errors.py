"""The root of the one exception tree.

FingerprintError                 anything this project refuses, with a stable code and a sentence
├── InvalidTemplate              arrays that are no legal template
├── ShardUnavailable             a part of a gallery does not answer: the search is incomplete
├── GalleryUnavailable           no part of it does: there is no answer, least of all an empty one
└── SearchQueueFull              too many searches wait: ask again later

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


class ShardUnavailable(FingerprintError):  # noqa: N818 - the same
    """A part of a gallery cannot be reached, or did not answer in time."""

    code = "shard_unavailable"


class GalleryUnavailable(FingerprintError):  # noqa: N818 - the same
    """Nothing was searched. Not the same as nothing found."""

    code = "gallery_unavailable"


class SearchQueueFull(FingerprintError):  # noqa: N818 - the same
    """Too many searches of this priority wait already; `retry_after_s` is when to ask again."""

    code = "search_queue_full"

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
