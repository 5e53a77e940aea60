"""The name of a field, or a path of a table's: what a record is about."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.characters import clean

LONGEST = 200


class FieldNameProperties(Properties):
    """The properties of a field's name in a record."""

    on: str = Field("", description="The table whose field is named.")
    table: str = Field("", description="Instead of that: the field of this record, of type `table`, that names the "
                       "table.")
    paths: bool = Field(False, description="True: also paths through links, such as company.city.")


class FieldNameType(FieldType[FieldNameProperties]):
    """A field's name kept as data; the record service, which knows the Model, checks it when it is written."""

    name: ClassVar[str] = "field"
    properties: ClassVar = FieldNameProperties

    def expression_type(self, p: FieldNameProperties) -> Type:
        return Type("text")

    def parts(self, p: FieldNameProperties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: FieldNameProperties) -> str | None:
        return clean(value, LONGEST)

    def parse(self, text: str, p: FieldNameProperties, locale: Locale) -> str | None:
        return clean(text, LONGEST)

    def format(self, value: Any, p: FieldNameProperties, locale: Locale) -> str:
        return value or ""
