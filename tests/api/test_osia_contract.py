"""Our OpenAPI document against the standard's own file, where that lies beside the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.settings import load_settings

_STANDARD = Path(__file__).parents[3] / "shared" / "spec" / "osia" / "abis.yaml"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not _STANDARD.is_file(), reason="the OSIA specification is not beside the checkout"),
]


@pytest.fixture(scope="module")
def standard() -> dict[str, Any]:
    """The specification as published."""
    yaml = pytest.importorskip("yaml")
    document: dict[str, Any] = yaml.safe_load(_STANDARD.read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    """What the service says of itself."""
    return create_app(load_settings()).openapi()


def _osia(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, methods in document["paths"].items()
        if path.startswith("/v1/")
        for method, operation in methods.items()
    }


def test_every_address_of_ours_is_the_standards(standard: dict[str, Any], ours: dict[str, Any]) -> None:
    """Nothing of our own lives under /v1, and operation ids are unchanged."""
    theirs = _osia(standard)
    for address, operation in _osia(ours).items():
        assert address in theirs
        assert operation["operationId"] == theirs[address]["operationId"]


def test_scopes_and_required_parameters_are_the_standards(
    standard: dict[str, Any], ours: dict[str, Any]
) -> None:
    """The same scope opens the same door; what must be sent is what must be sent there."""
    theirs = _osia(standard)
    for address, operation in _osia(ours).items():
        assert operation["security"] == theirs[address]["security"]
        assert _required(operation) == _required(theirs[address])
        assert {each["name"] for each in theirs[address]["parameters"]} == {
            each["name"] for each in operation["parameters"]
        }


def test_successful_answers_have_the_standards_status(standard: dict[str, Any], ours: dict[str, Any]) -> None:
    """200 or 204 as there."""
    theirs = _osia(standard)
    for address, operation in _osia(ours).items():
        assert _successes(operation) == _successes(theirs[address]) - {"202"}


@pytest.mark.parametrize(
    "name",
    [
        "Encounter",
        "BiometricData",
        "Candidate",
        "ScoreDetail",
        "ExtendablePersonIds",
        "IdentifyRequest",
        "VerifyFromIdRequest",
        "VerifyFromBioRequest",
    ],
)
def test_bodies_have_the_standards_members(standard: dict[str, Any], ours: dict[str, Any], name: str) -> None:
    """Every member by name, and no other; `encounterId` is required by the standard and read-only at once."""
    theirs, own = standard["components"]["schemas"][name], ours["components"]["schemas"][name]
    assert set(own["properties"]) == set(theirs["properties"])
    assert set(own["required"]) == set(theirs["required"]) - {"encounterId" if name == "Encounter" else ""}
    assert own["additionalProperties"] is False


def _required(operation: dict[str, Any]) -> set[str]:
    return {each["name"] for each in operation["parameters"] if each.get("required")}


def _successes(operation: dict[str, Any]) -> set[str]:
    return {status for status in operation["responses"] if status.startswith("2")}
