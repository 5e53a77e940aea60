"""A time of day."""

from __future__ import annotations

import re
from datetime import time
from typing import Any, ClassVar

from babel.dates import format_time

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type

_WIRE = re.compile(r"(\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
_TYPED = re.compile(r"(?P<before>上午|下午|中午|晚上|早上|凌晨)?\s*(?P<h>\d{1,2})(?:[:.：时点](?P<m>\d\d))?"
                    r"(?:[:：分](?P<s>\d\d))?[时点分秒]?\s*(?P<after>[ap]\.?m\.?)?", re.ASCII | re.IGNORECASE)
_AFTERNOON = frozenset({"下午", "晚上", "中午"})


class TimeType(FieldType[Properties]):
    """A time of day, to the second; of no day and no zone."""

    name: ClassVar[str] = "time"

    def expression_type(self, p: Properties) -> Type:
        return Type("time")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "time"),)

    def validate(self, value: Any, p: Properties) -> time | None:
        if value is None or value == "":
            return None
        if not isinstance(value, time):
            raise BadValue("type", "This must be a time of day.")
        if value.tzinfo is not None:
            raise BadValue("zone", "A time of day has no time zone.")
        return value.replace(microsecond=0, fold=0)

    def parse(self, text: str, p: Properties, locale: Locale) -> time | None:
        plain = text.strip()
        if not plain:
            return None
        match = _TYPED.fullmatch(plain)
        if match is None or (match["m"] is None and not (match["before"] or match["after"] or plain[-1] in "时点")):
            raise _not_a_time(plain)
        hour, half = int(match["h"]), _half(match)
        if half is not None:
            if not 1 <= hour <= 12:
                raise _not_a_time(plain)
            hour = hour % 12 + 12 * half
        return _time(hour, int(match["m"] or 0), int(match["s"] or 0), plain)

    def from_wire(self, value: Any, p: Properties) -> time | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise BadValue("type", "Send this time as \"HH:MM\" or \"HH:MM:SS\".")
        return read_time(value)

    def to_wire(self, value: time | None, p: Properties) -> str | None:
        return None if value is None else shown(value)

    def format(self, value: time | None, p: Properties, locale: Locale) -> str:
        if value is None:
            return ""
        return str(format_time(value, "medium" if value.second else "short", locale=locale.language))

    def plain(self, value: time | None, p: Properties) -> str | None:
        return None if value is None else shown(value)


def shown(value: time) -> str:
    """A time as programs write it: 09:30, or 09:30:15."""
    return value.isoformat("seconds" if value.second else "minutes")


def read_time(text: str) -> time:
    """A time written as 09:30 or 09:30:15. Raises BadValue."""
    match = _WIRE.fullmatch(text)
    if match is None:
        raise _not_a_time(text)
    return _time(int(match[1]), int(match[2]), int(match[3] or 0), text)


def _half(match: re.Match[str]) -> int | None:
    """0 before noon, 1 after it; None where the text does not say."""
    if match["after"]:
        return int(match["after"][0].lower() == "p")
    return int(match["before"] in _AFTERNOON) if match["before"] and int(match["h"]) <= 12 else None


def _time(hour: int, minute: int, second: int, text: str) -> time:
    try:
        return time(hour, minute, second)
    except ValueError:
        raise _not_a_time(text) from None


def _not_a_time(text: str) -> BadValue:
    return BadValue("time", "\"{value}\" is not a time of day.", value=text[:40])
