"""The Type-2 record of profile BE-EUD-STYLE/1: which field holds what, and where it comes from.

Numbers below 200 carry the meaning INTERPOL's INT-I gives them (names, birth, sex, nationality); from 2.200
on they are ours. Letters are those of Article 17(1) of Regulation (EU) 2024/1358. A field is written when the
encounter holds its value, and left out otherwise; nothing is guessed. `docs/eurodac-style.md` is this table
in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from enrollment.encounter import Encounter
from workflow.eurodac_profile import LABEL, PROFILE, Profile

_ITEMS, _SUBFIELDS = "\x1f", "\x1e"
_SEPARATORS = dict.fromkeys(map(ord, "\x1c\x1d\x1e\x1f"), " ")
#: OSIA's free words for sex, as INT-I's letters.
_SEX = {"M": "M", "MALE": "M", "F": "F", "FEMALE": "F"}


@dataclass(frozen=True, slots=True)
class Dataset:
    """One encounter on its way out."""

    encounter: Encounter
    reference_number: str
    category: str
    transmitted_on: date
    profile: Profile


@dataclass(frozen=True, slots=True)
class Tag:
    """A field 2.number: mnemonic, letter of Article 17(1) or "-", meaning; its value, "" if not held."""

    number: int
    mnemonic: str
    letter: str
    meaning: str
    value: Callable[[Dataset], str]


def _text(*keys: str) -> Callable[[Dataset], str]:
    """The first of these biographic entries that is there, as one line of text."""

    def value(dataset: Dataset) -> str:
        held = (dataset.encounter.biographic.get(key) for key in keys)
        return next((_line(each) for each in held if each not in (None, "")), "")

    return value


def _list(*keys: str) -> Callable[[Dataset], str]:
    """One biographic entry, or several in a list, as subfields."""

    def value(dataset: Dataset) -> str:
        found = (dataset.encounter.biographic.get(key) for key in keys)
        held = next((each for each in found if each), None)
        rows = held if isinstance(held, list) else [held or ""]
        return _SUBFIELDS.join(_line(row) for row in rows)

    return value


def _name(dataset: Dataset) -> str:
    surname, forename = _text("lastName", "familyName")(dataset), _text("firstName", "givenName")(dataset)
    return f"{surname}{_ITEMS}{forename}" if surname or forename else ""


def _document(dataset: Dataset) -> str:
    held = dataset.encounter.biographic.get("document")
    if not isinstance(held, Mapping):
        return ""
    return _ITEMS.join(_line(held.get(key) or "") for key in ("type", "number", "country", "expiryDate"))


def _birth(dataset: Dataset) -> str:
    born = birth_date(dataset.encounter.biographic)
    return f"{born:%Y%m%d}" if born else ""


def _operator(dataset: Dataset) -> str:
    return _line(dataset.encounter.contextual.get("operatorId") or "")


#: Every field we write, in the order we write it.
TAGS: tuple[Tag, ...] = (
    Tag(7, "CNO", "k", "reference number", lambda d: d.reference_number),
    Tag(30, "NAM", "c", "surname, forename", _name),
    Tag(34, "AKA", "c", "aliases, previous names", _list("aliases")),
    Tag(35, "DOB", "e", "date of birth, CCYYMMDD", _birth),
    Tag(37, "POB", "f", "place of birth", _text("placeOfBirth")),
    Tag(38, "NAT", "d", "nationalities, ISO 3166 three letters", _list("nationality", "nationalities")),
    Tag(39, "SEX", "h", "sex: M, F or U", lambda d: _SEX.get(_text("gender", "sex")(d).upper(), "U")),
    Tag(201, "PRF", "-", "profile and version", lambda _: PROFILE),
    Tag(202, "LBL", "-", "what this file is not", lambda _: LABEL),
    Tag(203, "CAT", "k", "category digit, Article 37(4)", lambda d: d.category),
    Tag(204, "MSO", "g", "Member State of origin", lambda d: d.profile.member_state),
    Tag(205, "PEV", "g", "place of the event", lambda d: _line(_place(d))),
    Tag(206, "DEV", "g", "date of the event, CCYYMMDD", lambda d: _day(d.encounter.captured_at)),
    Tag(207, "DBT", "l", "date biometrics were taken, CCYYMMDD", lambda d: _day(d.encounter.captured_at)),
    Tag(208, "DTX", "m", "date transmitted, CCYYMMDD", lambda d: f"{d.transmitted_on:%Y%m%d}"),
    Tag(209, "OPR", "n", "operator user id", _operator),
    Tag(210, "DOC", "i", "travel document: type, number, country, expiry", _document),
    Tag(211, "BNM", "c", "birth name", _text("birthName", "maidenName")),
    Tag(212, "PUR", "-", "purpose of the capture", lambda d: _line(d.encounter.purpose)),
)


def type_2_fields(dataset: Dataset) -> tuple[tuple[int, str], ...]:
    """(number, text) of every field the dataset has a value for."""
    values = ((tag.number, tag.value(dataset)) for tag in TAGS)
    return tuple((number, text) for number, text in values if text)


def birth_date(biographic: Mapping[str, Any]) -> date | None:
    """The date of birth, where it is held as YYYY-MM-DD."""
    held = biographic.get("dateOfBirth")
    try:
        return date.fromisoformat(held) if isinstance(held, str) else None
    except ValueError:
        return None


def _place(dataset: Dataset) -> str:
    return dataset.encounter.contextual.get("place") or dataset.profile.place


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d}"


def _line(value: Any) -> str:
    """Text without the four bytes that structure a record."""
    return str(value).translate(_SEPARATORS).strip()
