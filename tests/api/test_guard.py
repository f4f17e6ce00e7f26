"""The door: what is refused before a byte is believed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.errors import NotAuthenticated, TooManyRequests
from api.guard import Guard
from api.rates import Rates
from api.roles import Principal, Role
from api.settings import load_settings

_CALLER = Principal("desk 3", "abcdefgh", Role.DESK)


async def _application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body, the way a route would see it."""
    message = await receive()
    length = str(len(message.get("body", b""))).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": length})


def _guard(authenticate: Callable[[str | None], Principal] | None = None, **settings: Any) -> Guard:
    return Guard(_application, load_settings(**settings), authenticate or (lambda _header: _CALLER))


async def _ask(
    guard: Guard, receive: Callable[[], Awaitable[Message]], path: str = "/desk/encounters"
) -> tuple[int, bytes]:
    answer: list[Message] = []

    async def send(message: Message) -> None:
        answer.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": []}
    await guard(scope, receive, send)
    return answer[0]["status"], b"".join(message.get("body", b"") for message in answer[1:])


def _sending(*chunks: bytes) -> Callable[[], Awaitable[Message]]:
    waiting = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return receive


def test_body_reaches_the_application_whole() -> None:
    """Chunks are put together."""
    assert asyncio.run(_ask(_guard(), _sending(b"12", b"345"))) == (200, b"5")


def test_body_over_the_limit_stops_where_the_limit_is() -> None:
    """The rest is never asked for."""
    receive = _sending(b"x" * 9_000, b"x" * 9_000, b"never asked for")
    status, body = asyncio.run(_ask(_guard(max_body_bytes=10_000), receive))
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")
    assert asyncio.run(receive())["body"] == b"never asked for"


def test_body_that_trickles_is_cut_off() -> None:
    """A client that sends a byte a minute holds no place."""

    async def receive() -> Message:
        await asyncio.sleep(30)
        raise AssertionError

    status, body = asyncio.run(_ask(_guard(max_body_seconds=0.05), receive))
    assert (status, json.loads(body)["code"]) == (408, "body_too_slow")


def test_one_request_too_many_is_sent_away_and_the_place_is_given_back() -> None:
    """503 while both places are taken, served again afterwards."""
    guard = _guard(max_concurrent_requests=2)

    async def crowd() -> list[int]:
        arrived = asyncio.Event()

        async def waiting() -> Message:
            await arrived.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        inside = [asyncio.create_task(_ask(guard, waiting)) for _ in range(2)]
        await asyncio.sleep(0.05)
        refused = await _ask(guard, _sending(b""))
        arrived.set()
        served = await asyncio.gather(*inside)
        again = await _ask(guard, _sending(b""))
        return [refused[0], *(status for status, _ in served), again[0]]

    assert asyncio.run(crowd()) == [503, 200, 200, 200]


def test_body_of_an_unknown_caller_is_not_read() -> None:
    """Who has no key cannot make us hold anything."""

    def refuse(_header: str | None) -> Principal:
        raise NotAuthenticated("no key")

    async def receive() -> Message:
        raise AssertionError

    status, _ = asyncio.run(_ask(_guard(refuse), receive))
    assert status == 401


def test_key_that_asks_too_often_waits_and_others_do_not() -> None:
    """429 says how long; another key is served meanwhile."""
    callers = iter([_CALLER] * 4 + [Principal("desk 4", "ijklmnop", Role.DESK)])
    guard = _guard(lambda _header: next(callers), max_requests_per_minute=3)
    answers = [asyncio.run(_ask(guard, _sending(b"1"))) for _ in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 200]
    assert json.loads(answers[3][1])["code"] == "too_many_requests"
    free = _guard(max_requests_per_minute=0)
    assert {asyncio.run(_ask(free, _sending(b"1")))[0] for _ in range(5)} == {200}


def test_address_without_a_good_key_is_not_looked_up_for_ever() -> None:
    """After its refusals of a minute even a good key waits there; another address is served."""
    looked_up = []

    def refuse(header: str | None) -> Principal:
        looked_up.append(header)
        raise NotAuthenticated("no key")

    guard = _guard(refuse, max_refusals_per_minute=2)
    assert [asyncio.run(_ask(guard, _sending(b"1")))[0] for _ in range(4)] == [401, 401, 429, 429]
    assert len(looked_up) == 2
    free = _guard(refuse, max_refusals_per_minute=0)
    assert {asyncio.run(_ask(free, _sending(b"1")))[0] for _ in range(4)} == {401}


def test_waiting_time_is_told_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most a minute, never nothing; afterwards there is room."""
    rates, now = Rates(load_settings(max_requests_per_minute=2, max_refusals_per_minute=1)), time.time()
    rates.count_request("a key")
    rates.count_request("a key")
    with pytest.raises(TooManyRequests, match="2 requests a minute") as refusal:
        rates.count_request("a key")
    assert 1 <= refusal.value.retry_after_s <= 60
    rates.check_refusals("here")
    rates.count_refusal("here")
    with pytest.raises(TooManyRequests, match="your address"):
        rates.check_refusals("here")
    rates.check_refusals("there")
    monkeypatch.setattr(time, "time", lambda: now + 121)
    rates.count_request("a key")
    rates.check_refusals("here")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/problems"])
def test_public_addresses_need_no_key(path: str) -> None:
    """And their bodies, if any, are not read."""

    def refuse(_header: str | None) -> Principal:
        raise AssertionError

    assert asyncio.run(_ask(_guard(refuse), _sending(b"ignored"), path)) == (200, b"0")
