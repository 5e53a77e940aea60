"""A colour."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.characters import clean

_HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})", re.ASCII | re.IGNORECASE)


class ColorType(FieldType[Properties]):
    """A colour as screens have it, such as #1a7f37."""

    name: ClassVar[str] = "color"

    def expression_type(self, p: Properties) -> Type:
        return Type("text")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: Properties) -> str | None:
        text = clean(value, 50)
        if text is None:
            return None
        match = _HEX.fullmatch(text)
        if match is None:
            raise BadValue("color", "\"{value}\" is not a colour, such as #1a7f37.", value=text[:40])
        digits = match[1].lower()
        return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))

    def parse(self, text: str, p: Properties, locale: Locale) -> str | None:
        return self.validate(text, p)

    def format(self, value: str | None, p: Properties, locale: Locale) -> str:
        return value or ""
