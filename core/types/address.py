"""What e-mail and web addresses have in common: one text in one normal form."""

from __future__ import annotations

from typing import ClassVar

from core.types.base import FieldType, Locale, Part, Properties, Type


class AddressType(FieldType[Properties]):
    """One address, shown as it is stored; `validate` brings it to its normal form."""

    searchable: ClassVar[bool] = True

    def expression_type(self, p: Properties) -> Type:
        return Type("text")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def parse(self, text: str, p: Properties, locale: Locale) -> str | None:
        found: str | None = self.validate(text, p)
        return found

    def format(self, value: str | None, p: Properties, locale: Locale) -> str:
        return value or ""
