"""The demo as its users: what a desk, a police officer, an examiner and an operator send to the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from api.roles import Role
from matcher.codes import FingerPosition
from matcher.errors import FingerprintError

#: What the demo's police officer gives for every question.
GROUND = {
    "authority": "Demo police zone",
    "purpose": "identity check on the street",
    "legal_basis": "demonstration, synthetic people only",
    "file_number": "DEMO-2026-1",
}


class DemoFailed(FingerprintError):  # noqa: N818 - named for what it is, as the whole tree
    """The service did not answer the demo as it should; the message holds its answer."""

    code = "demo_failed"


class DemoClient:
    """Plain HTTP requests with one key per role, as any client would make them."""

    def __init__(self, address: str, keys: Mapping[Role, str]) -> None:
        self._http = httpx.Client(base_url=address, timeout=120.0, trust_env=False)
        self._keys = keys

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def enroll(self, pictures: Mapping[FingerPosition, Path], fields: Mapping[str, str]) -> dict[str, Any]:
        """Post a capture to the desk."""
        return self._post(Role.DESK, "/desk/encounters", pictures, fields)

    def verify(self, pictures: Mapping[FingerPosition, Path], person_id: str) -> dict[str, Any]:
        """Ask as the police whether it is this person."""
        return self._post(Role.POLICE, "/police/verify", pictures, {**GROUND, "person_id": person_id})

    def decide(self, link_id: str, judgement: str, reason: str) -> dict[str, Any]:
        """Decide as an examiner."""
        body = {"judgement": judgement, "reason": reason}
        return self._checked(
            self._http.post(
                f"/examiner/links/{link_id}/decisions", json=body, headers=self._headers(Role.EXAMINER)
            )
        )

    def export(self) -> dict[str, Any]:
        """Write the waiting batch as an operator."""
        return self._checked(
            self._http.post("/operator/eurodac/exports", headers=self._headers(Role.OPERATOR))
        )

    def _post(
        self,
        role: Role,
        address: str,
        pictures: Mapping[FingerPosition, Path],
        fields: Mapping[str, str],
    ) -> dict[str, Any]:
        files = [
            (position.name.lower(), (path.name, path.read_bytes(), "image/png"))
            for position, path in pictures.items()
        ]
        return self._checked(
            self._http.post(address, files=files, data=dict(fields), headers=self._headers(role))
        )

    def _headers(self, role: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._keys[role]}"}

    @staticmethod
    def _checked(answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            raise DemoFailed(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
        body: dict[str, Any] = answer.json()
        return body


def curl_lines(address: str, keys: Mapping[Role, str], probe: Path, person_id: str) -> Sequence[str]:
    """Three commands to try by hand."""
    picture = f"-F right_index=@{probe}"
    fields = {"person_id": person_id, **GROUND}
    ground = " ".join(f'-F {name}="{value}"' for name, value in fields.items())
    return (
        f"curl -s {address}/readyz",
        f'curl -s -H "Authorization: Bearer {keys[Role.DESK]}" {picture} {address}/desk/encounters',
        f'curl -s -H "Authorization: Bearer {keys[Role.POLICE]}" {picture} {ground} {address}/police/verify',
    )
