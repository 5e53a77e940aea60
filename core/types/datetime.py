"""A moment, kept in UTC and written in the reader's time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.date import check_year, date_from_text, written

_WIRE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_CLOCK = re.compile(r"(?P<date>.+?)[ T]+(?P<h>\d{1,2}):(?P<m>\d\d)(:(?P<s>\d\d)(\.(?P<f>\d{1,6}))?)?",
                    re.ASCII)
_LONGEST = 100                  # characters that somebody types for a moment; longer ones are not even looked at


class DatetimeType(FieldType[Properties]):
    """A moment between 1900 and 2200."""

    name: ClassVar[str] = "datetime"

    def expression_type(self, p: Properties) -> Type:
        return Type("datetime")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "timestamptz"),)

    def validate(self, value: Any, p: Properties) -> datetime | None:
        if value is None or value == "":
            return None
        if not isinstance(value, datetime):
            raise BadValue("type", "This must be a date and time.")
        if value.tzinfo is None:
            raise BadValue("zone", "This date and time needs a time zone.")
        return _utc(value)

    def parse(self, text: str, p: Properties, locale: Locale) -> datetime | None:
        plain = text.strip()
        if not plain:
            return None
        if _WIRE.fullmatch(exact := plain.replace(" ", "T", 1)):
            return self.from_wire(exact, p)
        match = _CLOCK.fullmatch(plain) if len(plain) <= _LONGEST else None
        day = date_from_text(match["date"] if match else plain, locale)
        try:
            clock = _clock(match) if match else time()
        except ValueError:
            raise BadValue("datetime", "\"{value}\" is not a date and time.", value=plain[:40]) from None
        return _utc(datetime.combine(day, clock, ZoneInfo(locale.zone)))

    def from_wire(self, value: Any, p: Properties) -> datetime | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise BadValue("type", "Send this moment as \"YYYY-MM-DDTHH:MM:SSZ\".")
        try:
            if _WIRE.fullmatch(value):
                return _utc(datetime.fromisoformat(value))
        except ValueError:
            pass
        raise BadValue("datetime", "\"{value}\" is not a date and time.", value=value[:40])

    def to_wire(self, value: datetime | None, p: Properties) -> str | None:
        return None if value is None else in_utc(value)

    def from_columns(self, values: tuple[Any, ...], p: Properties) -> datetime | None:
        return None if values[0] is None else values[0].astimezone(UTC)

    def format(self, value: datetime | None, p: Properties, locale: Locale) -> str:
        if value is None:
            return ""
        local = value.astimezone(ZoneInfo(locale.zone))
        return f"{written(local.date(), locale.language)} {local:%H:%M}"

    def plain(self, value: datetime | None, p: Properties) -> datetime | None:
        return value


def in_utc(value: datetime) -> str:
    """A moment as programs read it: in UTC, with Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _clock(match: re.Match[str]) -> time:
    microseconds = int((match["f"] or "0").ljust(6, "0"))
    return time(int(match["h"]), int(match["m"]), int(match["s"] or 0), microseconds)


def _utc(value: datetime) -> datetime:
    check_year(value.year)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise BadValue("range", "This date and time is out of range.") from None
