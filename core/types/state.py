"""The state of a record in its workflow."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.characters import clean


class StateProperties(Properties):
    """The properties of a state."""

    of: str = Field("", description="The choices that core makes of the workflow's states; nobody writes it.",
                    json_schema_extra={"made": True})


class StateType(FieldType[Properties]):
    """The state of a record in the workflow that serves its table; the states are its choices."""

    name: ClassVar[str] = "state"

    def expression_type(self, p: Properties) -> Type:
        return Type("choice", getattr(p, "of", None))

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "text"),)

    def validate(self, value: Any, p: Properties) -> str | None:
        return clean(value, 100)

    def parse(self, text: str, p: Properties, locale: Locale) -> str | None:
        return clean(text, 100)

    def format(self, value: Any, p: Properties, locale: Locale) -> str:
        return value or ""
