"""A percentage, from 0 to 100 as it is shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.numbers import bounded, from_json, from_text, plain, readable, rounded


class PercentProperties(Properties):
    """The properties of a percentage."""

    scale: int = Field(2, ge=0, le=6, description="The most decimals; more are refused.")
    min: Decimal = Field(Decimal(0), description="The least percentage that is allowed.")
    max: Decimal = Field(Decimal(100), description="The greatest percentage that is allowed; a growth may be 150.")


class PercentType(FieldType[PercentProperties]):
    """A percentage; half is 50."""

    name: ClassVar[str] = "percent"
    properties: ClassVar = PercentProperties

    def expression_type(self, p: PercentProperties) -> Type:
        return Type("percent")

    def parts(self, p: PercentProperties) -> tuple[Part, ...]:
        return (Part("", "numeric"),)

    def validate(self, value: Any, p: PercentProperties) -> Decimal | None:
        return bounded(value, p.scale, p.min, p.max)

    def parse(self, text: str, p: PercentProperties, locale: Locale) -> Decimal | None:
        return self.validate(from_text(text.strip().removesuffix("%").removesuffix("％"), locale), p)

    def from_wire(self, value: Any, p: PercentProperties) -> Decimal | None:
        return self.validate(from_json(value), p)

    def to_wire(self, value: Decimal | None, p: PercentProperties) -> str | None:
        return None if value is None else f"{value:f}"

    def from_columns(self, values: tuple[Any, ...], p: PercentProperties) -> Decimal | None:
        return None if values[0] is None else plain(rounded(Decimal(values[0]), p.scale))

    def format(self, value: Decimal | None, p: PercentProperties, locale: Locale) -> str:
        return "" if value is None else readable(value, locale) + "%"

    def plain(self, value: Decimal | None, p: PercentProperties) -> Decimal | None:
        return value
