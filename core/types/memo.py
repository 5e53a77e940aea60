"""Text of several lines."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.characters import LONGEST, clean


class MemoProperties(Properties):
    """The properties of a text of several lines."""

    max: int = Field(LONGEST, ge=1, le=LONGEST, description="The most characters it may have.")


class MemoType(FieldType[MemoProperties]):
    """Text of several lines."""

    name: ClassVar[str] = "memo"
    properties: ClassVar = MemoProperties
    sortable: ClassVar[bool] = False
    is_long: ClassVar[bool] = True
    searchable: ClassVar[bool] = True

    def expression_type(self, p: MemoProperties) -> Type:
        return Type("text")

    def parts(self, p: MemoProperties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: MemoProperties) -> str | None:
        return clean(value, p.max, lines=True)

    def parse(self, text: str, p: MemoProperties, locale: Locale) -> str | None:
        return clean(text, p.max, lines=True)

    def format(self, value: str | None, p: MemoProperties, locale: Locale) -> str:
        return value or ""
