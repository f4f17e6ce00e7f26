"""Every refusal as `application/problem+json` (RFC 9457), in the house style and in OSIA's.

House style: `type`, `title`, `status`, `detail`, `code` (a stable string). Under `/v1` OSIA 1.6.0 rules:
its `Error` has an int32 `code` and a `message`, so there `code` is the number, `message` repeats `detail`,
and the stable string is the fragment of `type`. A client that accepts only `application/json` gets OSIA's
`Error` and nothing more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Scope

from api.errors import (
    INTERNAL,
    InvalidRequest,
    NoSuchPage,
    NotAuthenticated,
    NotReady,
    StoreFull,
    TooManyRequests,
    problem_of,
)
from enrollment.database import is_disk_full
from enrollment.errors import DecoderUnavailable, ExtractionUnavailable
from matcher.errors import FingerprintError, SearchQueueFull

logger = logging.getLogger("tenprint.api")

MEDIA_TYPE = "application/problem+json"
_UNEXPECTED = (
    "The request was not completed. Try again; if it happens again, give the operator this request's id."
)


def problem_response(refusal: BaseException, scope: Scope) -> JSONResponse:
    """The answer to a refusal; of an unexpected exception it tells nothing but that it happened."""
    problem = problem_of(refusal)
    expected = isinstance(refusal, FingerprintError)
    code = refusal.code if isinstance(refusal, FingerprintError) else INTERNAL
    detail = str(refusal) if expected else _UNEXPECTED
    osia = str(scope.get("path", "")).startswith("/v1/")
    # OSIA lists no 422: a request it cannot accept is a 400 there.
    status = 400 if osia and problem.status == 422 else problem.status
    body: dict[str, Any] = {
        "type": f"/problems#{code}",
        "title": problem.title,
        "status": status,
        "detail": detail,
        "code": problem.number if osia else code,
        "request_id": scope.get("state", {}).get("request_id", ""),
    }
    if osia:
        body["message"] = detail
    media_type = MEDIA_TYPE
    if osia and _wants_plain_json(scope):
        body, media_type = {"code": problem.number, "message": detail}, "application/json"
    return JSONResponse(body, status, _headers(refusal), media_type)


def add_handlers(app: FastAPI) -> None:
    """Routes raise and never catch: these handlers answer for all of them."""

    @app.exception_handler(FingerprintError)
    def refused(request: Request, refusal: Exception) -> JSONResponse:
        return problem_response(refusal, request.scope)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, refusal: Exception) -> JSONResponse:
        assert isinstance(refusal, RequestValidationError)  # noqa: S101 - narrows for the type checker
        return problem_response(InvalidRequest(_faults(refusal)), request.scope)

    @app.exception_handler(HTTPException)
    def refused_by_framework(request: Request, refusal: Exception) -> JSONResponse:
        assert isinstance(refusal, HTTPException)  # noqa: S101 - narrows for the type checker
        answer: FingerprintError = InvalidRequest(
            f"{refusal.detail}. See /docs for what this address expects."
        )
        if refusal.status_code in (404, 405):
            answer = NoSuchPage(
                f"There is no {request.method} {request.url.path}. See /docs for the addresses."
            )
        response = problem_response(answer, request.scope)
        response.headers.update(refusal.headers or {})
        return response

    @app.exception_handler(OSError)
    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeout)
    def store_refuses(request: Request, fault: Exception) -> JSONResponse:
        # Full disk, lock time-out, server gone: nothing was acknowledged, so the caller may simply repeat.
        logger.error("the store refuses: %s", type(fault).__name__)
        return problem_response(_store_refusal(fault), request.scope)

    @app.exception_handler(Exception)
    def unexpected(request: Request, fault: Exception) -> JSONResponse:
        # The route's template, not its address: an address may carry a person's id.
        route = getattr(request.scope.get("route"), "path", "unknown route")
        logger.error("unexpected %s in %s %s", type(fault).__name__, request.method, route)
        response = problem_response(fault, request.scope)
        response.headers["connection"] = "close"  # as the server does: no next request here
        return response


def _store_refusal(fault: Exception) -> FingerprintError:
    """Whether the disk is full, which an operator mends, or something else, which may pass."""
    if is_disk_full(fault):
        return StoreFull("The disk of the store is full; nothing was stored. Tell the operator to make room.")
    return NotReady("The store cannot be read or written just now; nothing was done. Try again later.")


def _faults(refusal: RequestValidationError) -> str:
    """Which fields are wrong and why, without repeating what was sent: it may be a print or a name."""
    faults = refusal.errors()
    told = "; ".join(
        f"{'.'.join(str(step) for step in fault['loc'])}: {fault['msg']}" for fault in faults[:5]
    )
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    return f"Correct the request: {told}{more}."


def _headers(refusal: BaseException) -> Mapping[str, str] | None:
    if isinstance(refusal, NotAuthenticated):
        return {"WWW-Authenticate": 'Bearer realm="tenprint"'}
    if isinstance(refusal, NotReady | DecoderUnavailable | ExtractionUnavailable):
        return {"Retry-After": "2"}
    if isinstance(refusal, SearchQueueFull | TooManyRequests):
        return {"Retry-After": str(refusal.retry_after_s)}
    return None


def _wants_plain_json(scope: Scope) -> bool:
    accepted = dict(scope.get("headers", [])).get(b"accept", b"*/*")
    return bytes(accepted).split(b";")[0].strip() == b"application/json"
