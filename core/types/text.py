"""A single line of text, with a folded key to sort by."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Type
from core.types.characters import LONGEST, clean
from core.types.folding import sort_key
from core.types.several import ManyProperties


class TextProperties(ManyProperties):
    """The properties of a line of text."""

    max: int = Field(200, ge=1, le=LONGEST, description="The most characters it may have.")
    sort: bool = Field(True, description="False: no list is sorted by it, which saves a column.")


class TextType(FieldType[TextProperties]):
    """A single line of text."""

    name: ClassVar[str] = "text"
    properties: ClassVar = TextProperties
    searchable: ClassVar[bool] = True

    def expression_type(self, p: TextProperties) -> Type:
        return Type("text")

    def parts(self, p: TextProperties) -> tuple[Part, ...]:
        return (Part("", "text"), Part("key", "text")) if p.sort else (Part("", "text"),)

    def validate(self, value: Any, p: TextProperties) -> str | None:
        return clean(value, p.max)

    def parse(self, text: str, p: TextProperties, locale: Locale) -> str | None:
        return clean(text, p.max)

    def to_columns(self, value: str | None, p: TextProperties) -> tuple[Any, ...]:
        if not p.sort:
            return (value,)
        return (value, None if value is None else sort_key(value))

    def format(self, value: str | None, p: TextProperties, locale: Locale) -> str:
        return value or ""
