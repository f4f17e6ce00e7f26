"""What is logged of everything a person is asked to trust: no audit row, no answer.

One row per act, written in the transaction of the act, or before the answer leaves where nothing else is
written. It holds ids, positions, thresholds and bands: never a print, a template or a name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Connection

from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from matcher.template import Tenprint

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Action(StrEnum):
    """What was done or asked for."""

    REGISTER = "register"
    SEARCH = "search"
    VERIFY = "verify"
    IDENTIFY = "identify"
    READ = "read"
    DECIDE = "decide"
    WITHDRAW = "withdraw"
    EXPORT = "export"
    ERASE = "erase"
    HOLD = "hold"
    CAPTURE = "capture"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the id of a person or an API key, and the role it acts as."""

    name: str
    role: str


class Ground(Protocol):
    """The legal ground of an act, where the law asks for one; see `workflow.police.LegalGround`."""

    @property
    def authority(self) -> str:
        """The authority that asks."""

    @property
    def purpose(self) -> str:
        """What the answer is for."""

    @property
    def legal_basis(self) -> str:
        """The article that allows the question."""

    @property
    def file_number(self) -> str:
        """The authority's own file."""


def record(
    tx: Connection,
    actor: Actor,
    action: Action,
    outcome: str,
    *,
    at: datetime,
    ground: Ground | None = None,
    asked: Mapping[str, Any] = _NOTHING,
    returned: Collection[str] = (),
) -> int:
    """Write one row; gives its sequence. `returned` are the ids that leave with the answer."""
    entry = AuditEntry(
        actor=actor.name,
        role=actor.role,
        action=action,
        outcome=outcome,
        authority=ground.authority if ground else None,
        purpose=ground.purpose if ground else None,
        legal_basis=ground.legal_basis if ground else None,
        file_number=ground.file_number if ground else None,
        asked=asked,
        returned=tuple(returned),
        at=at,
    )
    return audit_log.append(tx, entry)


def probe_facts(probe: Tenprint) -> dict[str, Any]:
    """What the log says of a probe: its positions, and a digest that recognises the same probe again."""
    digest = hashlib.sha256()
    for position, template in sorted(probe.items()):
        digest.update(bytes([position]))
        for column in (template.x, template.y, template.angle):
            digest.update(column.tobytes())
    return {"positions": [int(position) for position in sorted(probe)], "probe_sha256": digest.hexdigest()}
