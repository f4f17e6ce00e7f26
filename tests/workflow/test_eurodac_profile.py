"""Categories, reference numbers, ages and tags of the EURODAC-style profile."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from stored_people import random_encounter

from enrollment.encounter import Encounter
from matcher.codes import FingerPosition
from workflow.errors import InvalidCategory
from workflow.eurodac_profile import (
    LABEL,
    PROFILE,
    Category,
    Profile,
    old_enough,
    reference_number,
    storable_category,
)
from workflow.eurodac_tags import TAGS, Dataset, birth_date, type_2_fields

TODAY = date(2026, 11, 23)
DOCUMENT = Path(__file__).parents[2] / "docs" / "eurodac-style.md"


def encounter(biographic: dict[str, Any], contextual: dict[str, Any] | None = None) -> Encounter:
    """One finger of somebody of whom this is known."""
    base = random_encounter(1, positions=(FingerPosition.RIGHT_INDEX,))
    return Encounter(
        encounter_id=base.encounter_id,
        person_id=base.person_id,
        captured_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
        purpose="international protection",
        category="1",
        fingers=base.fingers,
        biographic=biographic,
        contextual=contextual or {},
    )


def fields(biographic: dict[str, Any], contextual: dict[str, Any] | None = None) -> dict[int, str]:
    """The Type-2 of such an encounter."""
    dataset = Dataset(encounter(biographic, contextual), "BE10000000042", "1", TODAY, Profile())
    return dict(type_2_fields(dataset))


@pytest.mark.parametrize("code", "123789")
def test_categories_of_stored_datasets_are_accepted(code: str) -> None:
    """Articles 15, 18, 20, 22, 23 and 24."""
    assert storable_category(code, on=TODAY) is Category(code)


@pytest.mark.parametrize("code", ["4", "5", "6", "", "10", "x", "٣"])
def test_searches_and_unknown_categories_are_refused(code: str) -> None:
    """Nothing of a search is stored; nothing else is a category."""
    with pytest.raises(InvalidCategory):
        storable_category(code, on=TODAY)


def test_temporary_protection_waits_for_its_day() -> None:
    """Article 26 applies from 12 June 2029."""
    with pytest.raises(InvalidCategory):
        storable_category("0", on=date(2029, 6, 11))
    assert storable_category("0", on=date(2029, 6, 12)) is Category.TEMPORARY_PROTECTION


def test_reference_number_is_state_digit_serial() -> None:
    """Article 37(4): letters of the State, then the category digit."""
    assert reference_number("BE", Category.DISEMBARKED, 42) == "BE90000000042"


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (None, True),
        (date(2020, 11, 23), True),
        (date(2020, 11, 24), False),
        (date(2026, 1, 1), False),
        (date(1980, 2, 29), True),
    ],
)
def test_prints_are_sent_from_the_sixth_birthday_on(born: date | None, expected: bool) -> None:  # noqa: FBT001
    """Under six is not sent; unknown is the desk's to judge."""
    assert old_enough(born, TODAY) is expected


def test_fields_hold_what_is_known() -> None:
    """Names, birth, nationality and sex go where INT-I has them, the rest into our own range."""
    found = fields(
        {
            "lastName": "Dupont",
            "firstName": "Zoé",
            "dateOfBirth": "1990-05-17",
            "nationality": ["SYR", "LBN"],
            "gender": "female",
            "aliases": "Zozo",
            "document": {"type": "P", "number": "X1", "country": "SYR"},
        },
        {"operatorId": "op-7", "place": "Pacheco"},
    )
    assert found == {
        7: "BE10000000042",
        30: "Dupont\x1fZoé",
        34: "Zozo",
        35: "19900517",
        38: "SYR\x1eLBN",
        39: "F",
        201: PROFILE,
        202: LABEL,
        203: "1",
        204: "BE",
        205: "Pacheco",
        206: "20261122",
        207: "20261122",
        208: "20261123",
        209: "op-7",
        210: "P\x1fX1\x1fSYR\x1f",
        212: "international protection",
    }


def test_nothing_is_guessed() -> None:
    """Of somebody of whom nothing is known, only the event is written."""
    assert sorted(fields({})) == [7, 39, 201, 202, 203, 204, 206, 207, 208, 212]
    assert fields({})[39] == "U"


def test_separators_in_names_cannot_forge_fields() -> None:
    """A name with the bytes that structure a record stays one name."""
    found = fields({"lastName": "A\x1d2.203:4\x1cB", "nationality": "S\x1eY\x1fR"})
    assert found[30] == "A 2.203:4 B\x1f"
    assert found[38] == "S Y R"


@pytest.mark.parametrize("held", [None, "", "17.05.1990", 19900517, "1990-13-01"])
def test_unreadable_birth_dates_are_unknown(held: Any) -> None:
    """Only YYYY-MM-DD is a date."""
    assert birth_date({"dateOfBirth": held}) is None


def test_the_document_names_every_tag() -> None:
    """docs/eurodac-style.md is the tag table in words."""
    words = DOCUMENT.read_text(encoding="utf-8")
    assert all(f"2.{tag.number:03d} | {tag.mnemonic} |" in words for tag in TAGS)
    assert PROFILE in words
    assert LABEL in words
