"""Who may do what: one table, role by action. Everything not listed is refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workflow.audit import Actor


class Role(StrEnum):
    """What a key is for. One key has one role; one person may hold several keys."""

    DESK = "desk"
    POLICE = "police"
    EXAMINER = "examiner"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Action(StrEnum):
    """What can be asked of the service. The `abis.…` ones are OSIA's scopes, unchanged."""

    ENCOUNTER_WRITE = "abis.encounter.write"
    ENCOUNTER_READ = "abis.encounter.read"
    IDENTIFY = "abis.identify"
    VERIFY = "abis.verify"
    GALLERY_READ = "abis.gallery.read"
    DESK_ENROLL = "desk.enroll"
    POLICE_VERIFY = "police.verify"
    POLICE_IDENTIFY = "police.identify"
    LINK_READ = "link.read"
    LINK_DECIDE = "link.decide"
    LINK_IMAGE = "link.image"
    EXPORT_READ = "eurodac.read"
    EXPORT_WRITE = "eurodac.export"
    AUDIT_READ = "audit.read"


#: The table. The desk enrols and searches, police ask about one file number, examiners judge, operators
#: export, auditors read the log, administrators erase: no key does another's work.
PERMISSIONS: dict[Role, frozenset[Action]] = {
    Role.DESK: frozenset(
        {
            Action.ENCOUNTER_WRITE,
            Action.ENCOUNTER_READ,
            Action.IDENTIFY,
            Action.VERIFY,
            Action.GALLERY_READ,
            Action.DESK_ENROLL,
        }
    ),
    Role.POLICE: frozenset({Action.POLICE_VERIFY, Action.POLICE_IDENTIFY}),
    Role.EXAMINER: frozenset({Action.LINK_READ, Action.LINK_DECIDE, Action.LINK_IMAGE}),
    Role.OPERATOR: frozenset({Action.EXPORT_READ, Action.EXPORT_WRITE, Action.GALLERY_READ}),
    Role.AUDITOR: frozenset({Action.AUDIT_READ}),
    # OSIA has one scope for creating and erasing. An administrator reads and searches nothing.
    Role.ADMIN: frozenset({Action.ENCOUNTER_WRITE, Action.GALLERY_READ}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. name: the person or machine the key was made for; prefix: the public part of the key."""

    name: str
    prefix: str
    role: Role

    @property
    def actor(self) -> str:
        """What the audit log and the ledger call the caller: readable, and exactly one key."""
        return f"{self.name} ({self.prefix})"

    @property
    def as_actor(self) -> Actor:
        """The caller as the office knows it."""
        return Actor(self.actor, self.role.value)

    def may(self, action: Action) -> bool:
        """Say whether the table allows it."""
        return action in PERMISSIONS[self.role]
