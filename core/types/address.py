"""What e-mail and web addresses have in common: one text in one normal form."""

from __future__ import annotations

from typing import ClassVar

from core.types.base import FieldType, Locale, Part, Type
from core.types.several import ManyProperties


class AddressType(FieldType[ManyProperties]):
    """One address, shown as it is stored; `validate` brings it to its normal form."""

    properties: ClassVar = ManyProperties
    searchable: ClassVar[bool] = True
    separators: ClassVar[str] = ",;，；\\s"

    def expression_type(self, p: ManyProperties) -> Type:
        return Type("text")

    def parts(self, p: ManyProperties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def parse(self, text: str, p: ManyProperties, locale: Locale) -> str | None:
        found: str | None = self.validate(text, p)
        return found

    def format(self, value: str | None, p: ManyProperties, locale: Locale) -> str:
        return value or ""
