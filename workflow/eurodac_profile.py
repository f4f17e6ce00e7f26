"""Who sends what under which name: EURODAC categories, and the profile of our files.

EURODAC-style, simulated endpoint, not conformant to the non-public interface document. The categories are
those of Regulation (EU) 2024/1358 (applies from 12 June 2026); names of transactions and agencies are
configuration, because no public source gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from workflow.errors import InvalidCategory

PROFILE_NAME, PROFILE_VERSION = "BE-EUD-STYLE", "1"
PROFILE = f"{PROFILE_NAME}/{PROFILE_VERSION}"
LABEL = "EURODAC-style ANSI/NIST-ITL, simulated endpoint, not conformant to the non-public interface document"
#: Article 26 applies from this day on (Article 63(2)).
TEMPORARY_PROTECTION_FROM = date(2029, 6, 12)
#: Biometric data are taken from this age on (Articles 15, 18, 20, 22-24, 26).
MINIMUM_AGE = 6
_SERIAL_DIGITS = 10


class Category(StrEnum):
    """First digit of a reference number, Article 37(4) of Regulation (EU) 2024/1358."""

    TEMPORARY_PROTECTION = "0"
    APPLICANT = "1"
    IRREGULAR_CROSSING = "2"
    ILLEGAL_STAY = "3"
    LAW_ENFORCEMENT = "4"
    EUROPOL = "5"
    DATA_SUBJECT = "6"
    UNION_RESETTLEMENT = "7"
    NATIONAL_RESETTLEMENT = "8"
    DISEMBARKED = "9"


#: Searches: nothing of them is stored, so nothing of them is queued.
_SEARCH_ONLY = frozenset({Category.LAW_ENFORCEMENT, Category.EUROPOL, Category.DATA_SUBJECT})


@dataclass(frozen=True, slots=True)
class Profile:
    """What is configured of the files. Agencies are 1.007 (DAI) and 1.008 (ORI); source is 14.004 (SRC)."""

    member_state: str = "BE"
    transaction_type: str = "EUDS"
    destination: str = "EUD/SIMULATED"
    origin: str = "BE/SIMULATED"
    source: str = "BE/SIMULATED"
    place: str = ""


def storable_category(code: str, *, on: date) -> Category:
    """The category under which prints taken on a day are stored and sent, or `InvalidCategory`."""
    try:
        category = Category(code)
    except ValueError:
        raise InvalidCategory(f"{code!r} is no EURODAC category: give one digit, 0 to 9") from None
    if category in _SEARCH_ONLY:
        raise InvalidCategory(f"category {code} is a search: its prints are never stored")
    if category is Category.TEMPORARY_PROTECTION and on < TEMPORARY_PROTECTION_FROM:
        raise InvalidCategory(f"category 0 begins on {TEMPORARY_PROTECTION_FROM}: it cannot be used before")
    return category


def reference_number(member_state: str, category: Category, serial: int) -> str:
    """Member State, category digit, ten digits. Length and serial are ours: no public source fixes them."""
    return f"{member_state}{category}{serial:0{_SERIAL_DIGITS}d}"


def old_enough(born: date | None, on: date) -> bool:
    """Whether prints taken on a day may be sent. An unknown birth date is the desk's to judge (Art. 14)."""
    if born is None:
        return True
    had_birthday = (on.month, on.day) >= (born.month, born.day)
    return on.year - born.year - (not had_birthday) >= MINIMUM_AGE
