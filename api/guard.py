"""The door: who may come in, and how much they may carry, decided before a byte of the body is believed.

Order: a place in the service (else 503), a key (else 401), not too many requests (else 429), a body within
its limits (else 413 or 408). Only then does FastAPI see the request. The body is held in memory, never in a
temporary file: it may be prints.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLarge, BodyTooSlow, NotAuthenticated, NotReady
from api.problems import problem_response
from api.rates import Rates
from api.roles import Principal
from api.settings import Settings
from enrollment.encounter import new_id
from matcher.errors import FingerprintError

#: Addresses that need no key: health for the supervisor, counters without ids, and the documentation.
PUBLIC = frozenset({"/", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/problems"})

_SECURITY_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


class Guard:
    """ASGI middleware; `authenticate` gives the principal of an Authorization header or raises."""

    def __init__(
        self, app: ASGIApp, settings: Settings, authenticate: Callable[[str | None], Principal]
    ) -> None:
        self._app = app
        self._settings = settings
        self._authenticate = authenticate
        self._inside = 0
        self._rates = Rates(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer the refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = new_id()
        send = _with_headers(send, state["request_id"])
        if scope["path"] in PUBLIC:
            await self._app(scope, _replay(b""), send)
            return
        self._inside += 1
        try:
            body = await self._admit(scope, receive)
        except FingerprintError as refusal:
            await problem_response(refusal, scope)(scope, receive, send)
        else:
            await self._app(scope, _replay(body), send)
        finally:
            self._inside -= 1

    async def _admit(self, scope: Scope, receive: Receive) -> bytes:
        if self._inside > self._settings.max_concurrent_requests:
            raise NotReady("The service works at its limit. Send the request again in a few seconds.")
        scope["state"]["principal"] = principal = await self._known(scope)
        self._rates.count_request(principal.prefix)
        try:
            async with asyncio.timeout(self._settings.max_body_seconds):
                return await self._body(receive)
        except TimeoutError as late:
            limit = self._settings.max_body_seconds
            raise BodyTooSlow(f"The body took longer than {limit:g} s. Send it again, faster.") from late

    async def _known(self, scope: Scope) -> Principal:
        """Who asks. An address that keeps coming without a good key is not even looked up."""
        address = (scope.get("client") or ("unknown", 0))[0]
        self._rates.check_refusals(address)
        try:
            authorization = Headers(scope=scope).get("authorization")
            return await run_in_threadpool(self._authenticate, authorization)
        except NotAuthenticated:
            self._rates.count_refusal(address)
            raise

    async def _body(self, receive: Receive) -> bytes:
        """Read the whole body; what Content-Length promises is not looked at."""
        chunks: list[bytes] = []
        total = 0
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                break  # the client left: what it sent is answered, and the answer goes nowhere
            chunk = message.get("body", b"")
            total += len(chunk)
            if total > self._settings.max_body_bytes:
                limit = self._settings.max_body_bytes
                raise BodyTooLarge(f"The body is larger than {limit} bytes. Send fewer or compressed images.")
            chunks.append(chunk)
            more = message.get("more_body", False)
        return b"".join(chunks)


def _replay(body: bytes) -> Receive:
    """Hand the body that was read to the application as one message."""
    waiting = [body]

    async def receive() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        await asyncio.Event().wait()  # a plain route never asks again; a stream would wait for the end
        return {"type": "http.disconnect"}

    return receive


def _with_headers(send: Send, request_id: str) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            extra = [item for item in _SECURITY_HEADERS.items() if item[0] not in present]
            message["headers"] = [*message["headers"], *extra, (b"x-request-id", request_id.encode())]
        await send(message)

    return send_with_headers
