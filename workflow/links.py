"""The words of the ledger: links between encounters, and what examiners say of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflow.errors import InvalidDecision

#: Longest reason an examiner may write, and longest name, in characters.
MAX_REASON = 4000
MAX_EXAMINER = 128


class Judgement(StrEnum):
    """What an examiner says of two encounters."""

    SAME = "same"
    DIFFERENT = "different"
    INCONCLUSIVE = "inconclusive"


class Standing(StrEnum):
    """Where a link stands, or what the ledger as a whole says of two encounters."""

    UNDECIDED = "undecided"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


_STANDING_OF = {
    Judgement.SAME: Standing.CONFIRMED,
    Judgement.DIFFERENT: Standing.REFUSED,
    Judgement.INCONCLUSIVE: Standing.INCONCLUSIVE,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger: a decision on a link, or (`withdraws` set, no judgement) a withdrawal.

    sequence: place in the ledger; it orders rows, clocks do not.
    """

    sequence: int
    judgement_id: str
    link_id: str
    judgement: Judgement | None
    withdraws: str | None
    examiner: str
    reason: str
    at: datetime


def standing_of(judgement: Judgement | None) -> Standing:
    """What a link's current judgement makes of it."""
    return Standing.UNDECIDED if judgement is None else _STANDING_OF[judgement]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who decides, why, and when; `InvalidDecision` where one is missing."""

    examiner: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        """Refuse a decision nobody answers for."""
        for name, words, most in (
            ("examiner", self.examiner, MAX_EXAMINER),
            ("reason", self.reason, MAX_REASON),
        ):
            if not words.strip() or len(words) > most:
                raise InvalidDecision(f"a decision needs its {name}: 1 to {most} characters")


class Origin(StrEnum):
    """Who brought two encounters together."""

    SEARCH = "search"
    CLAIM = "claim"
    EXAMINER = "examiner"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pair worth an examiner's look, with what the machine knew at the time.

    score, threshold: −10·log10 FMR, None where no comparison was made. gallery_size: references searched.
    as_of: change-log sequence of that gallery. matcher, extractor: name/version.
    """

    one: str
    other: str
    origin: Origin
    score: float | None = None
    threshold: float | None = None
    gallery_size: int | None = None
    as_of: int | None = None
    matcher: str | None = None
    extractor: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A row of `links` with the decision that counts now; the pair is ordered by id, not by time."""

    link_id: str
    left: str
    right: str
    left_person: str
    right_person: str
    origin: Origin
    score: float | None
    threshold: float | None
    gallery_size: int | None
    as_of: int | None
    matcher: str | None
    extractor: str | None
    suggested_at: datetime
    decision: Entry | None

    @property
    def standing(self) -> Standing:
        """Where the link stands; only examiners move it."""
        return standing_of(self.decision.judgement if self.decision else None)
