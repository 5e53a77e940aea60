"""The name of a table: what kind of record a person wants, or what a record is about."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.characters import clean

LONGEST = 100


class TableProperties(Properties):
    """`of`: the base; it and all tables under it may be chosen."""

    of: str


class TableType(FieldType[TableProperties]):
    """A table's name, where an agent asks people what kind of record to make."""

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


class TableNameProperties(Properties):
    """The properties of a table's name in a record."""

    of: str = Field("", description="The base; it and the tables under it may be named. Without it: any table.")


class TableNameType(FieldType[TableNameProperties]):
    """A table's name kept as data; the record service, which knows the Model, checks it when it is written."""

    name: ClassVar[str] = "table"
    properties: ClassVar = TableNameProperties

    def expression_type(self, p: TableNameProperties) -> Type:
        return Type("text")

    def parts(self, p: TableNameProperties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: TableNameProperties) -> str | None:
        return clean(value, LONGEST)

    def parse(self, text: str, p: TableNameProperties, locale: Locale) -> str | None:
        return clean(text, LONGEST)

    def format(self, value: Any, p: TableNameProperties, locale: Locale) -> str:
        return value or ""
