"""Every refusal has one answer, and no answer tells more than it should."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator

import pytest

import enrollment
import workflow
from api.errors import INTERNAL, PROBLEMS, NotAuthenticated, NotReady, TooManyRequests, problem_of
from api.problems import problem_response
from enrollment.errors import UnknownResolution
from matcher.errors import FingerprintError


def _leaves(kind: type[FingerprintError]) -> Iterator[type[FingerprintError]]:
    yield kind
    for leaf in kind.__subclasses__():
        yield from _leaves(leaf)


def _all_refusals() -> list[type[FingerprintError]]:
    for package in (enrollment, workflow):
        for module in pkgutil.iter_modules(package.__path__):
            if module.name.endswith("errors"):
                importlib.import_module(f"{package.__name__}.{module.name}")
    # Synthetic people have refusals of their own, which no request meets.
    return [
        kind
        for kind in _leaves(FingerprintError)
        if not kind.__name__.startswith("_") and not kind.__module__.startswith("fixtures.")
    ]


@pytest.mark.parametrize("kind", _all_refusals(), ids=lambda kind: kind.__name__)
def test_every_refusal_has_its_own_answer(kind: type[FingerprintError]) -> None:
    """A new leaf without a line in the table fails here, not in front of a user."""
    assert kind.code in PROBLEMS
    assert problem_of(kind("words")) is PROBLEMS[kind.code]


def test_numbers_are_unique() -> None:
    """OSIA clients tell problems apart by number."""
    numbers = [problem.number for problem in PROBLEMS.values()]
    assert len(set(numbers)) == len(numbers)


def test_unexpected_exception_tells_nothing() -> None:
    """What went wrong inside stays inside."""
    response = problem_response(ValueError("the password is 1234"), {"path": "/desk/encounters"})
    assert response.status_code == 500
    assert b"1234" not in bytes(response.body)
    assert json.loads(bytes(response.body))["code"] == INTERNAL


def test_house_style_answer() -> None:
    """The stable string is `code`, and `type` leads to its explanation."""
    response = problem_response(UnknownResolution("pass ppi"), {"path": "/desk/encounters"})
    body = json.loads(bytes(response.body))
    assert response.status_code == body["status"] == 422
    assert response.media_type == "application/problem+json"
    assert (body["code"], body["detail"]) == ("unknown_resolution", "pass ppi")
    assert body["type"].endswith("#unknown_resolution")


def test_osia_answer_has_number_and_message() -> None:
    """Under /v1 `code` is an int32 and `message` is there; OSIA has no 422."""
    response = problem_response(UnknownResolution("pass ppi"), {"path": "/v1/persons", "headers": []})
    body = json.loads(bytes(response.body))
    assert response.status_code == body["status"] == 400
    assert body["code"] == PROBLEMS["unknown_resolution"].number
    assert body["message"] == "pass ppi"


def test_strict_osia_client_gets_the_bare_error() -> None:
    """A generated client that accepts only application/json finds exactly OSIA's `Error`."""
    scope = {"path": "/v1/persons", "headers": [(b"accept", b"application/json")]}
    response = problem_response(UnknownResolution("pass ppi"), scope)
    assert response.media_type == "application/json"
    assert set(json.loads(bytes(response.body))) == {"code", "message"}


def test_headers_say_how_to_go_on() -> None:
    """401 names the scheme, 503 and 429 say when to come back."""
    assert problem_response(TooManyRequests("slowly", 7), {}).headers["retry-after"] == "7"
    assert "Bearer" in problem_response(NotAuthenticated("key"), {}).headers["www-authenticate"]
    assert problem_response(NotReady("later"), {}).headers["retry-after"]
