"""A measured number: as many digits as measuring gives, and no fixed place of the point."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.numbers import LIMIT, check_range, from_text, plain, readable, rounded

DIGITS = 15                     # that a double keeps for certain, and the most places after the point
_SIGNIFICANT = Context(prec=DIGITS)
_SCIENTIFIC = re.compile(r"[+-]?\d{1,20}(\.\d{1,40})?[eE][+-]?\d{1,2}", re.ASCII)


class FloatProperties(Properties):
    """The properties of a measured number."""

    min: Decimal | None = Field(None, description="The least number that is allowed.")
    max: Decimal | None = Field(None, description="The greatest number that is allowed.")
    unit: str = Field("", max_length=20, description="What is measured in, such as kg: shown behind the number.")


class FloatType(FieldType[FloatProperties]):
    """A measured number, kept with 15 digits; kept in decimal, so that sums are what the digits say."""

    name: ClassVar[str] = "float"
    properties: ClassVar = FloatProperties

    def expression_type(self, p: FloatProperties) -> Type:
        return Type("decimal")

    def parts(self, p: FloatProperties) -> tuple[Part, ...]:
        return (Part("", "numeric"),)

    def validate(self, value: Any, p: FloatProperties) -> Decimal | None:
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise BadValue("type", "This must be a number.")
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not number.is_finite():
            raise BadValue("number", "\"{value}\" is not a number.", value=str(value)[:40])
        if abs(number) >= LIMIT:
            raise BadValue("range", "This number is too large.")
        kept = plain(rounded(_SIGNIFICANT.plus(number), DIGITS))
        if abs(kept) >= LIMIT:
            raise BadValue("range", "This number is too large.")
        check_range(kept, p.min, p.max)
        return kept

    def parse(self, text: str, p: FloatProperties, locale: Locale) -> Decimal | None:
        typed = text.strip()
        if p.unit and typed.endswith(p.unit):
            typed = typed.removesuffix(p.unit).strip()
        if _SCIENTIFIC.fullmatch(typed):
            return self.validate(Decimal(typed), p)
        return self.validate(from_text(typed, locale), p)

    def from_wire(self, value: Any, p: FloatProperties) -> Decimal | None:
        if isinstance(value, str) and value:
            return self.parse(value, p, Locale())
        return self.validate(value, p)

    def to_wire(self, value: Decimal | None, p: FloatProperties) -> float | None:
        return None if value is None else float(value)

    def from_columns(self, values: tuple[Any, ...], p: FloatProperties) -> Decimal | None:
        return None if values[0] is None else plain(Decimal(values[0]))

    def format(self, value: Decimal | None, p: FloatProperties, locale: Locale) -> str:
        if value is None:
            return ""
        return readable(value, locale) + (f"\u202f{p.unit}" if p.unit else "")

    def plain(self, value: Decimal | None, p: FloatProperties) -> Decimal | None:
        return value
