"""A calendar day."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar

from babel.dates import format_date

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type

FIRST_YEAR, LAST_YEAR = 1900, 2200
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
# What a language's people type besides ISO; the groups are named y, m, d, or b for the name of a month.
_SPOKEN = {
    "en": (re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})", re.ASCII),
           re.compile(r"(?P<b>[A-Za-z]{3,9})\.? (?P<d>\d{1,2}),? (?P<y>\d{4})", re.ASCII),
           re.compile(r"(?P<d>\d{1,2}) (?P<b>[A-Za-z]{3,9})\.? (?P<y>\d{4})", re.ASCII)),
    "zh": (re.compile(r"(?P<y>\d{4})\s*年\s*(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*日?", re.ASCII),
           re.compile(r"(?P<y>\d{4})[/.](?P<m>\d{1,2})[/.](?P<d>\d{1,2})", re.ASCII)),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class DateType(FieldType[Properties]):
    """A calendar day between 1900 and 2200."""

    name: ClassVar[str] = "date"

    def expression_type(self, p: Properties) -> Type:
        return Type("date")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "date"),)

    def validate(self, value: Any, p: Properties) -> date | None:
        if value is None or value == "":
            return None
        if isinstance(value, datetime) or not isinstance(value, date):
            raise BadValue("type", "This must be a date.")
        check_year(value.year)
        return value

    def parse(self, text: str, p: Properties, locale: Locale) -> date | None:
        return date_from_text(text, locale) if text.strip() else None

    def from_wire(self, value: Any, p: Properties) -> date | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise BadValue("type", "Send this date as \"YYYY-MM-DD\".")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            raise _not_a_date(value)
        return date_from_text(value, Locale())

    def to_wire(self, value: date | None, p: Properties) -> str | None:
        return None if value is None else value.isoformat()

    def format(self, value: date | None, p: Properties, locale: Locale) -> str:
        return "" if value is None else written(value, locale.language)

    def plain(self, value: date | None, p: Properties) -> date | None:
        return value


@lru_cache(maxsize=8192)
def written(day: date, language: str) -> str:
    """A day as a language writes it; kept, for Babel takes as long for one as a list does for a row."""
    return str(format_date(day, "medium", locale=language))


def date_from_text(text: str, locale: Locale) -> date:
    """Read a day written in ISO form or as the language writes it. Raises BadValue."""
    plain = text.strip()
    iso = _ISO.fullmatch(plain)
    if iso:
        return _date(int(iso[1]), int(iso[2]), int(iso[3]), plain)
    for pattern in _SPOKEN.get(locale.language[:2], ()):
        match = pattern.fullmatch(plain)
        if match:
            return _date(int(match["y"]), _month(match, plain), int(match["d"]), plain)
    raise _not_a_date(plain)


def check_year(year: int) -> None:
    """Check that a year is one that a record may hold. Raises BadValue."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadValue("range", "The year must be between {first} and {last}.", first=FIRST_YEAR,
                       last=LAST_YEAR)


def _month(match: re.Match[str], text: str) -> int:
    named = match.groupdict().get("b")
    if named is None:
        return int(match["m"])
    try:
        return _MONTHS.index(named[:3].lower()) + 1
    except ValueError:
        raise _not_a_date(text) from None


def _date(year: int, month: int, day: int, text: str) -> date:
    try:
        value = date(year, month, day)
    except ValueError:
        raise _not_a_date(text) from None
    check_year(year)
    return value


def _not_a_date(text: str) -> BadValue:
    return BadValue("date", "\"{value}\" is not a date.", value=text[:40])
