"""What the service refuses at its door, and the one table from refusal to status and code.

FingerprintError
└── RequestRefused               leaves of this package
    ├── InvalidRequest           a missing or wrong field, parameter or part
    ├── NoSuchPage               an address or method the service does not have
    ├── NoUsablePrint            no image of a search gave a template
    ├── BodyTooLarge             more bytes or images than the limits allow
    ├── BodyTooSlow              the body did not arrive in time
    ├── NotAuthenticated         no key, or one that is unknown, expired or revoked
    ├── NotAllowed               the key's role may not do this
    ├── NotOffered               part of a standard this version does not serve yet
    ├── TooManyRequests          a key, or an address without one, asks more often than allowed
    ├── NotReady                 starting, stopping, too busy, or the store cannot be written
    ├── StoreFull                the disk has no room for what is to be stored
    └── InvalidSettings          a setting that cannot be used (start-up only)
"""

from __future__ import annotations

from dataclasses import dataclass

from matcher.errors import FingerprintError


class RequestRefused(FingerprintError):  # noqa: N818 - named for what it is, as the whole tree
    """The request is refused before any work is done."""

    code = "request_refused"


class InvalidRequest(RequestRefused):
    """A field, parameter or part is missing or wrong."""

    code = "invalid_request"


class NoSuchPage(RequestRefused):
    """The service has no such address, or not with this method."""

    code = "no_such_page"


class NoUsablePrint(RequestRefused):
    """No image of a search gave a template; an empty candidate list would be a wrong answer."""

    code = "no_usable_print"


class BodyTooLarge(RequestRefused):
    """The body, one part of it, or the number of images is over the limit."""

    code = "body_too_large"


class BodyTooSlow(RequestRefused):
    """The body did not arrive in time."""

    code = "body_too_slow"


class NotAuthenticated(RequestRefused):
    """No usable API key came with the request."""

    code = "not_authenticated"


class NotAllowed(RequestRefused):
    """The key is good, but its role may not do this."""

    code = "not_allowed"


class NotOffered(RequestRefused):
    """The interface defines it; this version does not serve it yet."""

    code = "not_offered"


class TooManyRequests(RequestRefused):
    """A key, or an address without a good key, asks more often than the settings allow."""

    code = "too_many_requests"

    def __init__(self, message: str, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotReady(RequestRefused):
    """The service starts, stops, is too busy, or cannot write its store."""

    code = "not_ready"


class StoreFull(RequestRefused):
    """The disk is full: nothing was stored, reading goes on."""

    code = "store_full"


class InvalidSettings(RequestRefused):
    """A setting that cannot be used."""

    code = "invalid_settings"


@dataclass(frozen=True, slots=True)
class Problem:
    """How one code is answered.

    status: HTTP status. title: what this kind of problem is. number: the int32 that OSIA calls `code`.
    None of the three changes once published.
    """

    status: int
    title: str
    number: int


#: Unexpected faults: the answer names no internals, the log has them.
INTERNAL = "internal_error"

#: Stable code → answer. A code that is missing here fails a test.
PROBLEMS: dict[str, Problem] = {
    "fingerprint_error": Problem(422, "The request was refused", 4000),
    "request_refused": Problem(400, "The request was refused", 4001),
    "invalid_request": Problem(422, "A field, parameter or part is missing or wrong", 4002),
    "no_such_page": Problem(404, "There is nothing at this address", 4003),
    "no_usable_print": Problem(422, "No image gave a template to search with", 4009),
    "body_too_large": Problem(413, "The request is larger than allowed", 4004),
    "body_too_slow": Problem(408, "The request did not arrive in time", 4005),
    "not_authenticated": Problem(401, "A valid API key is needed", 4006),
    "not_allowed": Problem(403, "The key's role may not do this", 4007),
    "too_many_requests": Problem(429, "More requests than allowed in this time", 4010),
    "not_offered": Problem(400, "This version does not offer this part of the interface", 4008),
    "invalid_settings": Problem(500, "A setting cannot be used", 5001),
    "not_ready": Problem(503, "The service cannot answer now", 5002),
    "store_full": Problem(507, "The disk of the store is full", 5006),
    "audit_unavailable": Problem(503, "The audit log cannot be written", 5007),
    "time_stamp_refused": Problem(503, "A checkpoint of the audit log got no time-stamp", 5015),
    "key_unavailable": Problem(503, "The keys of the store cannot be used", 5008),
    "folder_in_use": Problem(503, "Another process serves the data folder", 5009),
    "unsafe_file_system": Problem(500, "The data folder lies on another machine", 5010),
    "shard_unavailable": Problem(503, "A part of the gallery does not answer", 5011),
    "gallery_unavailable": Problem(503, "The gallery does not answer", 5012),
    "search_queue_full": Problem(503, "Too many searches wait", 5013),
    INTERNAL: Problem(500, "Something unexpected went wrong", 5000),
    "malformed_image": Problem(422, "The image cannot be used", 4100),
    "unsupported_format": Problem(422, "The image format is not supported", 4101),
    "unknown_resolution": Problem(422, "The resolution (ppi) of the image is not known", 4102),
    "image_too_large": Problem(413, "The image is larger than allowed", 4103),
    "image_too_small": Problem(422, "The image is smaller than a fingertip", 4109),
    "decoder_unavailable": Problem(503, "No image decoder is free", 5005),
    "extraction_unavailable": Problem(503, "The extraction was cut off", 5014),
    "no_slap": Problem(422, "The image is not one to cut into fingers", 4110),
    "undecodable_image": Problem(422, "The image cannot be decoded", 4104),
    "invalid_template": Problem(422, "The template is not legal", 4105),
    "malformed_record": Problem(422, "The record or transaction is malformed", 4106),
    "unknown_record": Problem(404, "There is no such person, encounter or link", 4107),
    "damaged_record": Problem(500, "Stored bytes are not what was stored", 5003),
    "unusable_weights": Problem(500, "The minutiae network cannot be loaded", 5004),
    "workflow_refused": Problem(422, "A rule of the office refuses this", 4200),
    "invalid_decision": Problem(422, "The decision is incomplete", 4201),
    "unknown_link": Problem(404, "There is no such link or decision", 4202),
    "already_withdrawn": Problem(409, "There is no standing decision to withdraw", 4203),
    "failure_to_enroll": Problem(422, "No finger gave a template", 4204),
    "missing_legal_ground": Problem(422, "Authority, purpose, legal basis or file number is missing", 4205),
    "invalid_category": Problem(422, "The category is not one to store under", 4206),
    "invalid_session": Problem(422, "The attempts of a capture session cannot be judged", 4208),
    "export_refused": Problem(409, "The export folder is not as it was left", 4207),
    "held_record": Problem(409, "A legal hold keeps the encounter from being erased", 4111),
    "conflicting_record": Problem(409, "The id or the idempotency key is taken", 4108),
}


def problem_of(refusal: BaseException) -> Problem:
    """The answer to an exception; everything unforeseen is an internal error."""
    if not isinstance(refusal, FingerprintError):
        return PROBLEMS[INTERNAL]
    for kind in type(refusal).__mro__:
        code = kind.__dict__.get("code")
        if code in PROBLEMS:
            return PROBLEMS[code]
    return PROBLEMS[INTERNAL]
