"""A whole number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.numbers import LIMIT, check_range, from_text, readable


class IntegerProperties(Properties):
    """The properties of a whole number."""

    min: int | None = Field(None, description="The least number that is allowed.")
    max: int | None = Field(None, description="The greatest number that is allowed.")
    group: bool = Field(True, description="False: written without separators, as a year is.")


class IntegerType(FieldType[IntegerProperties]):
    """A whole number below 10^15."""

    name: ClassVar[str] = "integer"
    properties: ClassVar = IntegerProperties

    def expression_type(self, p: IntegerProperties) -> Type:
        return Type("integer")

    def parts(self, p: IntegerProperties) -> tuple[Part, ...]:
        return (Part("", "bigint"),)

    def validate(self, value: Any, p: IntegerProperties) -> int | None:
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadValue("type", "This must be a whole number.")
        if abs(value) >= LIMIT:
            raise BadValue("range", "This number is too large.")
        check_range(value, p.min, p.max)
        return value

    def parse(self, text: str, p: IntegerProperties, locale: Locale) -> int | None:
        number = from_text(text, locale)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise BadValue("whole", "This must be a whole number.")
        return self.validate(int(number), p)

    def format(self, value: int | None, p: IntegerProperties, locale: Locale) -> str:
        if value is None:
            return ""
        return readable(Decimal(value), locale, 0) if p.group else str(value)

    def plain(self, value: int | None, p: IntegerProperties) -> int | None:
        return value
