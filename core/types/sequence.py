"""A code that the system gives out, one after the other."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.characters import clean


class SequenceProperties(Properties):
    """The properties of a code."""

    sequence: str = Field(description="The sequence that codes are drawn from; fields may share one.")


class SequenceType(FieldType[SequenceProperties]):
    """A code drawn from a sequence when the record is created."""

    name: ClassVar[str] = "sequence"
    properties: ClassVar = SequenceProperties
    searchable: ClassVar[bool] = True
    is_drawn: ClassVar[bool] = True

    def expression_type(self, p: SequenceProperties) -> Type:
        return Type("text")

    def parts(self, p: SequenceProperties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: SequenceProperties) -> str | None:
        return clean(value, 100)

    def parse(self, text: str, p: SequenceProperties, locale: Locale) -> str | None:
        return clean(text, 100)

    def format(self, value: str | None, p: SequenceProperties, locale: Locale) -> str:
        return value or ""
