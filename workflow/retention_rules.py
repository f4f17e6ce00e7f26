"""How long prints are kept: one dated rule a category, and the last day they may be there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

_FEBRUARY = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """category: of the encounter. years: from the day of transmission, else capture. source: the article."""

    category: str
    years: int
    source: str


_ARTICLE_29 = "Regulation (EU) 2024/1358, Article 29"
#: Categories 4 to 6 are never stored; 0 runs from a Council decision and not from the encounter, so somebody
#: has to set an end by hand. 7 is taken as admitted: a refused or discontinued case is erased by hand after
#: three years. What has no category is the office's own and has no rule here.
RULES: tuple[Rule, ...] = (
    Rule("1", 10, f"{_ARTICLE_29}(1)"),
    *(Rule(category, 5, _ARTICLE_29) for category in ("2", "3", "7", "8", "9")),
)


def last_day(rule: Rule, moment: datetime) -> date:
    """The last day on which what was transmitted (or taken) at a moment may be kept; it goes on the next.

    Regulation (EEC, Euratom) No 1182/71, Article 3(2)(c): a period in years ends with the day of the same
    date; where that year has no such day, with the last day of the month. Days are UTC's.
    """
    begin = moment.astimezone(UTC).date()
    try:
        return begin.replace(year=begin.year + rule.years)
    except ValueError:  # the 29th of February
        return date(begin.year + rule.years, _FEBRUARY, 28)
