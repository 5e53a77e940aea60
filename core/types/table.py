"""The name of a table under a base: what kind of record a person wants."""

from __future__ import annotations

from typing import Any, ClassVar

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.characters import clean


class TableProperties(Properties):
    """`of`: the base; it and all tables under it may be chosen."""

    of: str


class TableType(FieldType[TableProperties]):
    """A table's name, where people choose what kind of record to make; fields of records cannot be of this type."""

    name: ClassVar[str] = "table"
    properties: ClassVar = TableProperties

    def expression_type(self, p: TableProperties) -> Type:
        return Type("table", p.of)

    def parts(self, p: TableProperties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: TableProperties) -> str | None:
        return clean(value, 100)

    def parse(self, text: str, p: TableProperties, locale: Locale) -> str | None:
        return clean(text, 100)

    def format(self, value: Any, p: TableProperties, locale: Locale) -> str:
        return value or ""
