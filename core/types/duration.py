"""A span of time: an effort, a length, a delay; also what expressions give for the time between two moments."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

from babel.units import format_unit
from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.numbers import from_text

DAY = 86_400
MOST_DAYS = 100_000
SECONDS = {"weeks": 7 * DAY, "days": DAY, "hours": 3600, "minutes": 60, "seconds": 1}
_WORDS = {
    "weeks": "w wk wks week weeks 周 星期", "days": "d day days 天 日",
    "hours": "h hr hrs hour hours 时 小时 个小时", "minutes": "m min mins minute minutes 分 分钟",
    "seconds": "s sec secs second seconds 秒 秒钟"}
_UNITS = {word: unit for unit, several in _WORDS.items() for word in several.split()}
_PIECE = re.compile(r"\s*(\d[\d.,]*)\s*([a-z\u4e00-\u9fff]+)\s*,?", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,7}):(\d\d)(?::(\d\d))?", re.ASCII)
_ISO = re.compile(r"(-)?P(?=.)(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,10})S)?)?",
                  re.ASCII)


class DurationProperties(Properties):
    """The properties of a span of time."""

    unit: Literal["days", "hours", "minutes"] = Field("hours", description="The unit of a number that is typed "
                                                      "without one.")
    negative: bool = Field(False, description="True: it may go back in time.")


class DurationType(FieldType[DurationProperties]):
    """A span of time to the second; a day has 24 hours, and no month or year is one."""

    name: ClassVar[str] = "duration"
    properties: ClassVar = DurationProperties

    def expression_type(self, p: DurationProperties) -> Type:
        return Type("duration")

    def parts(self, p: DurationProperties) -> tuple[Part, ...]:
        return (Part("", "interval"),)

    def validate(self, value: Any, p: DurationProperties) -> timedelta | None:
        if value is None or value == "":
            return None
        if not isinstance(value, timedelta):
            raise BadValue("type", "This must be a span of time.")
        if abs(value) > timedelta(MOST_DAYS):
            raise BadValue("range", "A span of time has at most {most} days.", most=MOST_DAYS)
        if value < timedelta(0) and not p.negative:
            raise BadValue("too_small", "This span of time cannot be negative.")
        return timedelta(value.days, value.seconds)

    def parse(self, text: str, p: DurationProperties, locale: Locale) -> timedelta | None:
        typed = text.strip().replace("\u202f", " ").replace("\u00a0", " ")
        if not typed:
            return None
        if _ISO.fullmatch(typed):
            return self.from_wire(typed, p)
        sign = -1 if typed[0] in "-\u2212" else 1
        seconds = _seconds(typed.lstrip("+-\u2212").lower(), p.unit, locale)
        if seconds is None:
            raise BadValue("duration", "\"{value}\" is not a span of time, such as 1 h 30 min.", value=typed[:40])
        return self._made(sign * seconds, p)

    def from_wire(self, value: Any, p: DurationProperties) -> timedelta | None:
        if value is None or value == "" or isinstance(value, timedelta):
            return self.validate(value, p)
        if not isinstance(value, str):
            raise BadValue("type", "Send this span of time as in \"P1DT2H30M\".")
        match = _ISO.fullmatch(value)
        if match is None:
            raise BadValue("duration", "Send this span of time as in \"P1DT2H30M\".")
        seconds = sum(int(match[number] or 0) * size for number, size in enumerate(SECONDS.values(), 2))
        return self._made(-seconds if match[1] else seconds, p)

    def _made(self, seconds: int, p: DurationProperties) -> timedelta | None:
        return self.validate(timedelta(seconds=max(min(seconds, (MOST_DAYS + 1) * DAY), -(MOST_DAYS + 1) * DAY)), p)

    def to_wire(self, value: timedelta | None, p: DurationProperties) -> str | None:
        """ISO 8601, such as P3DT4H30M."""
        if value is None:
            return None
        sign, days, rest = _split(value)
        hours, minutes, seconds = rest // 3600, rest % 3600 // 60, rest % 60
        clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
        return f"{sign}P" + (f"{days}D" if days or not clock else "") + (f"T{clock}" if clock else "")

    def format(self, value: timedelta | None, p: DurationProperties, locale: Locale) -> str:
        if value is None:
            return ""
        sign, days, rest = _split(value)
        clock = f"{rest // 3600}:{rest % 3600 // 60:02}" + (f":{rest % 60:02}" if rest % 60 else "") if rest else ""
        counted = _counted(days, locale.language) if days or not clock else ""
        return sign + " ".join(part for part in (counted, clock) if part)

    def plain(self, value: timedelta | None, p: DurationProperties) -> str | None:
        return self.to_wire(value, p)


def typed(value: timedelta) -> str:
    """A span of time as people type it in any language: 2 d 3 h 30 min."""
    sign, days, rest = _split(value)
    numbers = ((days, "d"), (rest // 3600, "h"), (rest % 3600 // 60, "min"), (rest % 60, "s"))
    return sign + (" ".join(f"{number} {unit}" for number, unit in numbers if number) or "0 h")


def _counted(days: int, language: str) -> str:
    """A number of days in words; some languages have the unit in its short form only."""
    long = format_unit(days, "duration-day", locale=language)
    return format_unit(days, "duration-day", "short", locale=language) if "duration-" in long else long


def _seconds(text: str, unit: str, locale: Locale) -> int | None:
    """The seconds of what was typed: pieces with units, a clock after a number of days or alone, or a bare number."""
    total = Decimal(0)
    position = 0
    while match := _PIECE.match(text, position):
        named = _UNITS.get(match[2])
        if named is None:
            return None
        total += _number(match[1].rstrip(","), locale) * SECONDS[named]
        position = match.end()
    rest = text[position:].strip()
    if clock := _CLOCK.fullmatch(rest):
        total += int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0)
        if int(clock[2]) > 59 or int(clock[3] or 0) > 59:
            return None
    elif rest and position == 0:
        total = _number(rest, locale) * SECONDS[unit]
    elif rest:
        return None
    return int(total)


def _number(text: str, locale: Locale) -> Decimal:
    number = from_text(text, locale)
    if number is None or number < 0:
        raise BadValue("number", "\"{value}\" is not a number.", value=text[:40])
    return number


def _split(value: timedelta) -> tuple[str, int, int]:
    """Sign, whole days, and seconds beside them."""
    seconds = int(abs(value).total_seconds())
    return "-" if value < timedelta(0) else "", seconds // DAY, seconds % DAY
