"""A formula or condition that people write into a record, about the records of one table."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.characters import clean

LONGEST = 2_000


class ExpressionProperties(Properties):
    """The properties of a stored expression."""

    on: str = Field(description="The table whose records it is about.")
    gives: Literal["condition", "text", "integer", "decimal", "money", "percent", "date", "datetime", "duration"] = \
        Field("condition", description="What it gives: a condition, or a value of a type.")


class ExpressionType(FieldType[ExpressionProperties]):
    """A formula or condition kept as data; the record service, which knows the Model, checks it when it is written."""

    name: ClassVar[str] = "expression"
    properties: ClassVar = ExpressionProperties
    sortable: ClassVar[bool] = False

    def expression_type(self, p: ExpressionProperties) -> Type:
        return Type("text")

    def parts(self, p: ExpressionProperties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: ExpressionProperties) -> str | None:
        return clean(value, LONGEST, lines=True)

    def parse(self, text: str, p: ExpressionProperties, locale: Locale) -> str | None:
        return clean(text, LONGEST, lines=True)

    def format(self, value: str | None, p: ExpressionProperties, locale: Locale) -> str:
        return value or ""


def expects(p: ExpressionProperties) -> str:
    """The type that a check of the expression is told to expect."""
    return "boolean" if p.gives == "condition" else p.gives
