"""The whole matrix: every role at every address, and nobody without a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from running_service import Running

from api.app import create_app
from api.guard import PUBLIC
from api.roles import PERMISSIONS, Action, Role
from api.settings import load_settings

_DOCUMENT: dict[str, Any] = create_app(load_settings()).openapi()


def _operations() -> Iterator[tuple[str, str, frozenset[Action]]]:
    for path, methods in _DOCUMENT["paths"].items():
        for method, operation in methods.items():
            scopes = [
                name for entry in operation.get("security", []) for names in entry.values() for name in names
            ]
            if path not in PUBLIC:
                yield method.upper(), path, frozenset(map(Action, scopes))


OPERATIONS = list(_operations())


def _address(path: str) -> str:
    """A path with its parameters filled in: ids of nobody."""
    return re.sub(r"\{\w+\}", "nobody", path)


@pytest.mark.parametrize(("method", "path", "wanted"), OPERATIONS, ids=lambda value: str(value)[:60])
def test_every_address_asks_for_an_action(method: str, path: str, wanted: frozenset[Action]) -> None:
    """A route that forgets to say who may call it fails here."""
    del method, path
    assert wanted


@pytest.mark.parametrize(
    ("role", "operation"),
    list(product(Role, OPERATIONS)),
    ids=lambda value: value if isinstance(value, Role) else f"{value[0]} {value[1]}",
)
def test_role_may_do_what_the_table_says_and_nothing_else(
    running: Running, role: Role, operation: tuple[str, str, frozenset[Action]]
) -> None:
    """Refused is 403 and nothing else; allowed goes on to look at the (senseless) request."""
    method, path, wanted = operation
    if path == "/operator/eurodac/exports" and wanted <= PERMISSIONS[role]:
        pytest.skip("allowed, and would export; test_operator_routes does it")
    answer = running.ask(role, method, _address(path), params={"transactionId": "t"}, json={})
    if wanted <= PERMISSIONS[role]:
        assert answer.status_code in {200, 400, 404, 422}, answer.text
    else:
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda value: f"{value[0]} {value[1]}")
def test_nobody_comes_in_without_a_key(
    running: Running, operation: tuple[str, str, frozenset[Action]]
) -> None:
    """No key, and a key of nobody, are 401 with a sentence."""
    method, path, _ = operation
    for headers in ({}, {"Authorization": "Bearer tp_aaaaaaaa_wrong"}):
        answer = running.client.request(method, _address(path), headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "tenprint keys create" in answer.json()["detail"]


def test_unknown_address_tells_nothing_without_a_key(running: Running) -> None:
    """Who has no key does not learn which addresses exist."""
    assert running.client.get("/nonesuch").status_code == 401
    answer = running.ask(Role.DESK, "GET", "/nonesuch")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_page")


def test_wrong_method_says_which_are_allowed(running: Running) -> None:
    """405 would be hidden behind a 404 without the header."""
    answer = running.ask(Role.DESK, "GET", "/desk/encounters")
    assert answer.status_code == 404
    assert answer.headers["allow"] == "POST"


def test_denial_is_audited(running: Running) -> None:
    """Who was refused, and what they had no right to."""
    running.ask(Role.POLICE, "GET", "/audit")
    entries = running.ask(Role.AUDITOR, "GET", "/audit", params={"limit": 1000}).json()["entries"]
    denials = [entry for entry in entries if entry["outcome"] == "denied" and entry["role"] == "police"]
    assert {"missing": ["audit.read"]} in [entry["asked"] for entry in denials]


def test_administrator_reads_and_searches_no_print() -> None:
    """Whoever runs the machine needs no look at people."""
    biometric = {
        Action.ENCOUNTER_READ,
        Action.IDENTIFY,
        Action.VERIFY,
        Action.LINK_IMAGE,
        Action.POLICE_IDENTIFY,
    }
    assert not PERMISSIONS[Role.ADMIN] & biometric
