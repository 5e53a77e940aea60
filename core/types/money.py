"""An amount in the record's currency, and beside it the same in the base currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.numbers import bounded, from_json, from_text, readable, rounded


class MoneyProperties(Properties):
    """The properties of an amount."""

    scale: int = Field(2, ge=0, le=6, description="The decimals it has; more are refused.")
    min: Decimal | None = Field(None, description="The least amount that is allowed.")
    max: Decimal | None = Field(None, description="The greatest amount that is allowed.")


class MoneyType(FieldType[MoneyProperties]):
    """An amount of money with a fixed number of decimals; never silently rounded.

    Its part "base" (amount times the record's rate) is filled by the record service, which knows the rate.
    """

    name: ClassVar[str] = "money"
    properties: ClassVar = MoneyProperties

    def expression_type(self, p: MoneyProperties) -> Type:
        return Type("money")

    def parts(self, p: MoneyProperties) -> tuple[Part, ...]:
        return (Part("", "numeric"), Part("base", "numeric"))

    def validate(self, value: Any, p: MoneyProperties) -> Decimal | None:
        amount = bounded(value, p.scale, p.min, p.max)
        return None if amount is None else rounded(amount, p.scale)      # only adds zeros: 5 becomes 5.00

    def parse(self, text: str, p: MoneyProperties, locale: Locale) -> Decimal | None:
        return self.validate(from_text(text, locale), p)

    def from_wire(self, value: Any, p: MoneyProperties) -> Decimal | None:
        return self.validate(from_json(value), p)

    def to_wire(self, value: Decimal | None, p: MoneyProperties) -> str | None:
        return None if value is None else f"{value:f}"

    def to_columns(self, value: Decimal | None, p: MoneyProperties) -> tuple[Any, ...]:
        return (value, None)

    def from_columns(self, values: tuple[Any, ...], p: MoneyProperties) -> Decimal | None:
        return None if values[0] is None else rounded(Decimal(values[0]), p.scale)

    def format(self, value: Decimal | None, p: MoneyProperties, locale: Locale) -> str:
        return "" if value is None else readable(rounded(value, p.scale), locale, p.scale)

    def plain(self, value: Decimal | None, p: MoneyProperties) -> Decimal | None:
        return value
