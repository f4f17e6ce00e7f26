"""OSIA's filter of a search: what it narrows is left out before anything is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from api.errors import NotOffered
from enrollment.traits import sex_of
from matcher.gallery import Filter

#: Years that a date of birth may have.
_FIRST, _LAST = date.min.year, date.max.year
_BIRTH: Final = {"dateOfBirthMin": (1, 1), "dateOfBirthMax": (12, 31)}


def filter_of(wanted: Mapping[str, Any], gallery: Filter | None) -> Filter | None:
    """The filter of a request and its gallery; `NotOffered` for what is not served.

    A filter that is not applied would be a wrong answer. Served: `gender` (M, F), `dateOfBirthMin` and
    `dateOfBirthMax` at the ends of years, since a gallery knows no more of them, and `biometricType` FINGER.
    References of unknown gender or birth pass.
    """
    years = [_FIRST, _LAST]
    only = gallery or Filter()
    for name, value in wanted.items():
        if name == "gender":
            if (sex := sex_of({"gender": value})) is None:
                raise NotOffered("filter.gender: M and F are served.")
            only = replace(only, sex=sex)
        elif name in _BIRTH:
            years[name == "dateOfBirthMax"] = _year(name, value)
            only = replace(only, birth_years=(years[0], years[1]))
        elif name != "biometricType" or "FINGER" not in (value if isinstance(value, list) else [value]):
            raise NotOffered(
                f"filter.{name[:64]}: only gender, dateOfBirthMin, dateOfBirthMax and biometricType FINGER "
                "are served. Leave it out."
            )
    return None if only == Filter() else only


def _year(name: str, value: object) -> int:
    month, day = _BIRTH[name]
    try:
        asked = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        asked = None
    if asked is None or (asked.month, asked.day) != (month, day):
        raise NotOffered(f"filter.{name}: whole years are served, YYYY-{month:02d}-{day:02d}.")
    return asked.year
