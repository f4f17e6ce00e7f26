"""The documentation page: complete, without scripts, without internet."""

from __future__ import annotations

import re

from running_service import Running

from api.errors import PROBLEMS


def test_page_shows_every_operation(running: Running) -> None:
    """What the machine-readable document has, people can read."""
    document = running.client.get("/openapi.json").json()
    page = running.client.get("/docs").text
    for path, methods in document["paths"].items():
        assert path in page
        for operation in methods.values():
            assert operation["summary"]


def test_page_needs_nothing_from_outside(running: Running) -> None:
    """No script, no address of another host."""
    page = running.client.get("/docs").text
    assert "<script" not in page
    assert not re.search(r'(src|href)="https?:', page)


def test_every_refusal_of_every_operation_is_documented(running: Running) -> None:
    """Each operation that needs a key documents what may go wrong."""
    document = running.client.get("/openapi.json").json()
    for methods in document["paths"].values():
        for operation in methods.values():
            if operation.get("security"):
                assert {"401", "403", "503"} <= set(operation["responses"])


def test_every_problem_code_is_on_the_problems_page(running: Running) -> None:
    """`type` leads to a line that exists."""
    page = running.client.get("/problems").text
    for code in PROBLEMS:
        assert f'id="{code}"' in page


def test_front_leads_to_the_documentation(running: Running) -> None:
    """Who opens the address in a browser finds the way."""
    assert running.client.get("/").headers["location"] == "docs"
