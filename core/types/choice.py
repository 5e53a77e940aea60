"""One of a set of named values, or several of them (`many`)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Index, Locale, Part, Properties, Type, check_count
from core.types.characters import clean

MOST_CHOICES = 1_000


class ChoiceProperties(Properties):
    """The properties of a choice."""

    of: str = Field(description="The choices whose values it takes.")
    many: bool = Field(False, description="True: several values at once.")


class ChoiceType(FieldType[ChoiceProperties]):
    """A value's name; the record service, which knows the Model, checks that it is one of the choices."""

    name: ClassVar[str] = "choice"
    properties: ClassVar = ChoiceProperties

    def expression_type(self, p: ChoiceProperties) -> Type:
        return Type("choice", p.of, p.many)

    def parts(self, p: ChoiceProperties) -> tuple[Part, ...]:
        return (Part("", "text[]" if p.many else "text"),)

    def default_index(self, p: ChoiceProperties) -> Index | None:
        return "gin" if p.many else None

    def validate(self, value: Any, p: ChoiceProperties) -> str | list[str] | None:
        if not p.many:
            return clean(value, 100)
        if value is None or value == "":
            return None
        if not isinstance(value, (list, tuple)):
            raise BadValue("type", "This must be a list.")
        check_count(value, MOST_CHOICES)
        names = dict.fromkeys(clean(item, 100) for item in value)
        return [name for name in names if name is not None] or None

    def parse(self, text: str, p: ChoiceProperties, locale: Locale) -> str | list[str] | None:
        if not p.many:
            return clean(text, 100)
        return self.validate(text.replace(";", ",").replace("，", ",").replace("；", ",").split(","), p)

    def to_wire(self, value: Any, p: ChoiceProperties) -> Any:
        return [] if p.many and value is None else value

    def format(self, value: Any, p: ChoiceProperties, locale: Locale) -> str:
        return ", ".join(value or ()) if p.many else value or ""
