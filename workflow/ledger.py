"""Who is the same: pure rules over the ledger's rows.

Rows are only ever added. A decision counts until a later row withdraws it, so withdrawing one restores
exactly what held before it. Nothing here reads a score: machines suggest, examiners decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflow.links import Standing


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A pair of encounters with what examiners say of it."""

    left: str
    right: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Identity:
    """The encounters that are one person with the one asked about, itself included.

    `contradictions` are refused pairs inside the component. Where there is one nothing is derived: the
    identity is the encounter alone, and the component is a case for an examiner.
    """

    encounters: frozenset[str]
    contradictions: tuple[Edge, ...] = ()


class CaseKind(StrEnum):
    """Why an examiner has to look."""

    CONTRADICTION = "contradiction"
    SEVERAL_FILES = "several_files"
    MIXED_FILE = "mixed_file"


@dataclass(frozen=True, slots=True)
class Case:
    """Encounters whose links or files do not agree; ids sorted.

    CONTRADICTION: confirmed links connect two encounters that an examiner called different.
    SEVERAL_FILES: confirmed links connect encounters of more than one person file.
    MIXED_FILE: one person file holds encounters that an examiner called different.
    """

    kind: CaseKind
    encounters: tuple[str, ...]
    persons: tuple[str, ...]


def components(edges: Iterable[Edge]) -> dict[str, frozenset[str]]:
    """Encounter → all encounters that confirmed links connect to it, itself included."""
    groups: dict[str, set[str]] = {}
    for edge in edges:
        left = groups.setdefault(edge.left, {edge.left})
        right = groups.setdefault(edge.right, {edge.right})
        if edge.standing is Standing.CONFIRMED and left is not right:
            small, large = sorted((left, right), key=len)
            large |= small
            groups.update(dict.fromkeys(small, large))
    frozen = {id(group): frozenset(group) for group in groups.values()}
    return {encounter: frozen[id(group)] for encounter, group in groups.items()}


def identity_of(encounter: str, edges: Collection[Edge]) -> Identity:
    """Who the encounter is, by the confirmed links that no refused one contradicts."""
    members = components(edges).get(encounter, frozenset((encounter,)))
    against = tuple(sorted(edge for edge in edges if _refuses(edge, members, members)))
    return Identity(frozenset((encounter,)), against) if against else Identity(members)


def standing_between(one: Collection[str], other: Collection[str], edges: Collection[Edge]) -> Standing:
    """What the ledger says of two groups of encounters, each taken as one person's.

    INCONCLUSIVE also stands for examiners who contradict each other.
    """
    linked = components(edges)
    mine, theirs = _derived(one, edges), _derived(other, edges)
    same = bool(mine & theirs)
    different = any(_refuses(edge, mine, theirs) for edge in edges)
    connected = bool(_reached(one, linked) & _reached(other, linked))
    if connected and (different or not same):
        return Standing.INCONCLUSIVE
    if same or different:
        return Standing.CONFIRMED if same else Standing.REFUSED
    open_questions = {edge.standing for edge in edges if _joins(edge, mine, theirs)}
    return Standing.INCONCLUSIVE if Standing.INCONCLUSIVE in open_questions else Standing.UNDECIDED


def cases(edges: Collection[Edge], person_of: Mapping[str, str]) -> tuple[Case, ...]:
    """Everything the ledger and the person files disagree on, in a stable order."""
    found: set[tuple[CaseKind, tuple[str, ...]]] = set()
    groups = components(edges)
    for members in set(groups.values()):
        if len({person_of[encounter] for encounter in members}) > 1:
            found.add((CaseKind.SEVERAL_FILES, tuple(sorted(members))))
    for edge in edges:
        if edge.standing is not Standing.REFUSED:
            continue
        if groups[edge.left] is groups[edge.right]:
            found.add((CaseKind.CONTRADICTION, tuple(sorted(groups[edge.left]))))
        if person_of[edge.left] == person_of[edge.right]:
            found.add((CaseKind.MIXED_FILE, tuple(sorted((edge.left, edge.right)))))
    return tuple(
        Case(kind, encounters, tuple(sorted({person_of[encounter] for encounter in encounters})))
        for kind, encounters in sorted(found)
    )


def _derived(group: Collection[str], edges: Collection[Edge]) -> frozenset[str]:
    return frozenset().union(*(identity_of(encounter, edges).encounters for encounter in group))


def _reached(group: Collection[str], linked: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(linked.get(encounter, frozenset((encounter,))) for encounter in group))


def _joins(edge: Edge, one: frozenset[str], other: frozenset[str]) -> bool:
    return (edge.left in one and edge.right in other) or (edge.left in other and edge.right in one)


def _refuses(edge: Edge, one: frozenset[str], other: frozenset[str]) -> bool:
    return edge.standing is Standing.REFUSED and _joins(edge, one, other)
