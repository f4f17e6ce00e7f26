"""Which refusals each kind of route documents: every 4xx and 5xx is in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from api import osia_schemas as osia
from api.problems import MEDIA_TYPE


class ProblemDocument(BaseModel):
    """A refusal. `detail` says what to do; `code` is stable; `type` leads to its line in `/problems`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str


_MEANINGS = {
    400: "The request cannot be understood.",
    401: "No valid API key.",
    403: "The key's role may not do this. The refusal is in the audit log.",
    404: "There is no such person, encounter, link or address.",
    408: "The body did not arrive in time.",
    409: "The id or the idempotency key is taken, or a legal hold forbids it.",
    413: "The body, an image or the number of images is over the limit.",
    422: "A field, an image or a rule of the office refuses the request; `detail` says which and what to do.",
    429: "This key, or this address without a valid key, asks too often. `Retry-After` says when to go on.",
    500: "Something unexpected went wrong; the log has it under the request's id.",
    503: "The service starts, is at its limit, or cannot use its store, audit log or keys. Nothing was done.",
    507: "The disk of the store is full. Nothing was stored; reading goes on.",
}
_ALWAYS = (401, 403, 408, 413, 422, 429, 500, 503, 507)


def refusals(*more: int) -> dict[int | str, dict[str, Any]]:
    """What a route of ours may refuse with, for its `responses=`."""
    return {status: _documented(status, ProblemDocument) for status in sorted({*_ALWAYS, *more})}


def osia_refusals(*more: int) -> dict[int | str, dict[str, Any]]:
    """What a route under `/v1` may refuse with: OSIA's list, and what HTTP itself needs."""
    statuses = sorted({400, 401, 403, 408, 413, 429, 500, 503, 507, *more})
    return {status: _documented(status, osia.Error) for status in statuses}


def _documented(status: int, model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
