"""An e-mail address."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.characters import clean

_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}")
_LABEL = re.compile(r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?", re.UNICODE)


class EmailType(FieldType[Properties]):
    """One e-mail address; its domain is kept in lower case."""

    name: ClassVar[str] = "email"
    searchable: ClassVar[bool] = True

    def expression_type(self, p: Properties) -> Type:
        return Type("text")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: Properties) -> str | None:
        text = clean(value, 254)
        if text is None:
            return None
        local, at, domain = text.removeprefix("mailto:").rpartition("@")
        labels = domain.split(".")
        dotted = local.startswith(".") or local.endswith(".") or ".." in local
        if (not at or dotted or len(labels) < 2 or not _LOCAL.fullmatch(local)
                or not all(_LABEL.fullmatch(label) for label in labels)):
            raise BadValue("email", "\"{value}\" is not an e-mail address.", value=text[:80])
        return f"{local}@{domain.lower()}"

    def parse(self, text: str, p: Properties, locale: Locale) -> str | None:
        return self.validate(text, p)

    def format(self, value: str | None, p: Properties, locale: Locale) -> str:
        return value or ""
