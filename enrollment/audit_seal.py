"""What the keys of the audit log do: hide ids from readers of the log, and chain its rows."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: How a keyed hash begins, so that readers of the log can tell it from an id.
MARK = "hmac:"
_HEX_DIGITS = 32
#: Keys of `asked` whose values name a person, an encounter or a probe.
_IDENTIFYING = frozenset({"person_id", "encounter_id", "encounter", "probe_sha256", "failed"})


@dataclass(frozen=True, slots=True)
class AuditSeal:
    """key: 32 bytes, kept outside the database. software: what is logged as the version that acted."""

    key: bytes
    software: str = "tenprint"

    def __repr__(self) -> str:
        return f"AuditSeal({self.software!r})"  # a key is never printed

    def pseudonym(self, identifier: str) -> str:
        """A keyed hash: the same id is recognised again, nobody without the key can try ids out."""
        if identifier.startswith(MARK):
            return identifier
        digest = hmac.digest(self.key, b"identifier\0" + identifier.encode(), hashlib.sha256)
        return MARK + digest.hex()[:_HEX_DIGITS]

    def hidden(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked, with every identifier as its keyed hash, at any depth."""
        return {name: self._hidden(name, value) for name, value in asked.items()}

    def chain(self, previous: str, row: bytes) -> str:
        """The hex MAC of a `canonical` row that follows the row with MAC `previous`; the first follows ""."""
        return hmac.digest(self.key, previous.encode() + b"\0" + row, hashlib.sha256).hex()

    def _hidden(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self.hidden(value)
        if name in _IDENTIFYING and isinstance(value, str):
            return self.pseudonym(value)
        if name in _IDENTIFYING and isinstance(value, list | tuple):
            return [self._hidden(name, each) for each in value]
        return value


def canonical(row: Mapping[str, Any]) -> bytes:
    """A row of the log as bytes that are the same on both databases: sorted JSON, times in UTC."""
    return _ENCODER.encode(row).encode()


def as_text(moment: datetime) -> str:
    """A time as it stands in a `canonical` row: in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return as_text(value)
    raise TypeError(f"{type(value).__name__} has no place in the audit log")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain, allow_nan=False
)
