"""A phone number, kept as typed and, beside it, in the international form that finds it."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.characters import clean

_ALLOWED = re.compile(r"[\d\s+()./x#*,;ext-]+", re.IGNORECASE)


class PhoneProperties(Properties):
    """The properties of a phone number."""

    region: str | None = Field(None, pattern="^[A-Z]{2}$", description="The country (ISO code, such as DE) of "
                               "numbers written without one.")


class PhoneType(FieldType[PhoneProperties]):
    """A phone number."""

    name: ClassVar[str] = "phone"
    properties: ClassVar = PhoneProperties
    searchable: ClassVar[bool] = True

    def expression_type(self, p: PhoneProperties) -> Type:
        return Type("text")

    def parts(self, p: PhoneProperties) -> tuple[Part, ...]:
        return (Part("", "text"), Part("normal", "text"))

    def validate(self, value: Any, p: PhoneProperties) -> str | None:
        text = clean(value, 50)
        if text is None:
            return None
        digits = sum(c.isdigit() for c in text)
        if not _ALLOWED.fullmatch(text) or digits < 3 or digits > 25:
            raise BadValue("phone", "\"{value}\" is not a phone number.", value=text)
        return text

    def parse(self, text: str, p: PhoneProperties, locale: Locale) -> str | None:
        return self.validate(text, p)

    def to_columns(self, value: str | None, p: PhoneProperties) -> tuple[Any, ...]:
        return (value, None if value is None else normal(value, p.region))

    def format(self, value: str | None, p: PhoneProperties, locale: Locale) -> str:
        return value or ""


def normal(number: str, region: str | None) -> str:
    """Give a number as E.164 ("+4930123456") if its country is known, else its digits."""
    import phonenumbers  # 60 ms to import

    try:
        parsed = phonenumbers.parse(number, region)
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        pass
    return "".join(str(int(c)) for c in number if c.isdecimal())
