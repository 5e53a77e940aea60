"""A span of time, as expressions give it; fields of records cannot be of this type."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from babel.units import format_unit

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type

DAY = 86_400


class DurationType(FieldType[Properties]):
    """A span of time: days, hours and minutes."""

    name: ClassVar[str] = "duration"
    properties: ClassVar = Properties

    def expression_type(self, p: Properties) -> Type:
        return Type("duration")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "interval"),)

    def validate(self, value: Any, p: Properties) -> timedelta | None:
        if value is None or isinstance(value, timedelta):
            return value
        raise BadValue("type", "This must be a span of time.")

    def parse(self, text: str, p: Properties, locale: Locale) -> timedelta | None:
        if not text.strip():
            return None
        raise BadValue("duration", "A span of time cannot be given as text.")

    def to_wire(self, value: timedelta | None, p: Properties) -> str | None:
        """ISO 8601, such as P3DT4H30M."""
        if value is None:
            return None
        sign, days, rest = _split(value)
        hours, minutes, seconds = rest // 3600, rest % 3600 // 60, rest % 60
        clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
        return f"{sign}P" + (f"{days}D" if days or not clock else "") + (f"T{clock}" if clock else "")

    def format(self, value: timedelta | None, p: Properties, locale: Locale) -> str:
        if value is None:
            return ""
        sign, days, rest = _split(value)
        clock = f"{rest // 3600}:{rest % 3600 // 60:02}" if rest else ""
        counted = format_unit(days, "duration-day", locale=locale.language) if days or not clock else ""
        return sign + " ".join(part for part in (counted, clock) if part)


def _split(value: timedelta) -> tuple[str, int, int]:
    """Sign, whole days, and seconds beside them."""
    seconds = int(abs(value).total_seconds())
    return "-" if value < timedelta(0) else "", seconds // DAY, seconds % DAY
