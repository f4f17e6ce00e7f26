"""What the police are told: a decision, a band and person ids."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workflow.links import Standing


class Decision(StrEnum):
    """What the machine says of a claim. No examiner has seen it."""

    MATCH = "match"
    NO_MATCH = "no_match"
    INCONCLUSIVE = "inconclusive"


class Band(StrEnum):
    """A score without its digits: enough to act on, too little to climb by."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    VERY_HIGH = "very_high"


#: Lowest score of each band, −10·log10 FMR: one false match in 10 million, 100 thousand, one thousand.
_BANDS = ((70.0, Band.VERY_HIGH), (50.0, Band.HIGH), (30.0, Band.MEDIUM))


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer to a claim.

    threshold, claimed_fmr: the score from which it is a match, and the share of non-mated comparisons that
    reach it. standing: undecided, always; no examiner has compared this probe. audit_sequence: its log row.
    """

    decision: Decision
    band: Band
    threshold: float
    claimed_fmr: float
    standing: Standing
    advice: str
    audit_sequence: int


@dataclass(frozen=True, slots=True)
class PoliceCandidate:
    """A person file at or above the threshold.

    standing: what examiners have said of this file and the others of this answer: confirmed where it is the
    same person as one of them (`same_as`), refused where it was told apart from one, undecided where none has
    looked. Of the probe itself examiners know nothing.
    """

    person_id: str
    rank: int
    band: Band
    standing: Standing
    same_as: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer to "who is this". complete: False when a part of the gallery did not answer."""

    candidates: tuple[PoliceCandidate, ...]
    threshold: float
    gallery_size: int
    as_of: int
    complete: bool
    audit_sequence: int


def band_of(score: float) -> Band:
    """The band of a score."""
    return next((band for lowest, band in _BANDS if score >= lowest), Band.LOW)
