"""An exact number with decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.numbers import bounded, from_json, from_text, plain, readable, rounded


class DecimalProperties(Properties):
    """The properties of an exact number."""

    scale: int = Field(6, ge=0, le=10, description="The most decimals; more are refused.")
    min: Decimal | None = Field(None, description="The least number that is allowed.")
    max: Decimal | None = Field(None, description="The greatest number that is allowed.")


class DecimalType(FieldType[DecimalProperties]):
    """An exact number; never silently rounded."""

    name: ClassVar[str] = "decimal"
    properties: ClassVar = DecimalProperties

    def expression_type(self, p: DecimalProperties) -> Type:
        return Type("decimal")

    def parts(self, p: DecimalProperties) -> tuple[Part, ...]:
        return (Part("", "numeric"),)

    def validate(self, value: Any, p: DecimalProperties) -> Decimal | None:
        return bounded(value, p.scale, p.min, p.max)

    def parse(self, text: str, p: DecimalProperties, locale: Locale) -> Decimal | None:
        return self.validate(from_text(text, locale), p)

    def from_wire(self, value: Any, p: DecimalProperties) -> Decimal | None:
        return self.validate(from_json(value), p)

    def to_wire(self, value: Decimal | None, p: DecimalProperties) -> str | None:
        return None if value is None else f"{value:f}"

    def from_columns(self, values: tuple[Any, ...], p: DecimalProperties) -> Decimal | None:
        return None if values[0] is None else plain(rounded(Decimal(values[0]), p.scale))

    def format(self, value: Decimal | None, p: DecimalProperties, locale: Locale) -> str:
        return "" if value is None else readable(value, locale)

    def plain(self, value: Decimal | None, p: DecimalProperties) -> Decimal | None:
        return value
