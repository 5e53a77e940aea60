"""Several values of one type in one field (`many: true`): one wrapper, whatever the type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from core.types.base import (
    BadValue,
    FieldType,
    Index,
    Locale,
    Part,
    Properties,
    Type,
    Words,
    check_count,
)

MOST_VALUES = 100
SORTED_BY = "key"               # a part that only lists of single values need


class ManyProperties(Properties):
    """The properties of types of which a field may hold several values."""

    many: bool = Field(False, description="True: several values at once.")


class SeveralType(FieldType[BaseModel]):
    """A list of different values of another type, in their order; empty is none."""

    one: ClassVar[FieldType[Any]]
    sortable: ClassVar[bool] = False

    def expression_type(self, p: BaseModel) -> Type:
        return replace(self.one.expression_type(p), many=True)

    def parts(self, p: BaseModel) -> tuple[Part, ...]:
        return tuple(Part(part.name, f"{part.column}[]") for part in self.one.parts(p) if part.name != SORTED_BY)

    def default_index(self, p: BaseModel) -> Index | None:
        return "gin"

    def validate(self, value: Any, p: BaseModel) -> list[Any] | None:
        return self._read(value, lambda one: self.one.validate(one, p))

    def parse(self, text: str, p: BaseModel, locale: Locale) -> list[Any] | None:
        """Read values on lines of their own, or in one line with what separates them."""
        pieces = text.splitlines() if "\n" in text else re.split(f"[{self.one.separators}]", text)
        return self._read(pieces, lambda one: self.one.parse(one, p, locale))

    def from_wire(self, value: Any, p: BaseModel) -> list[Any] | None:
        return self._read(value, lambda one: self.one.from_wire(one, p))

    def _read(self, value: Any, read: Any) -> list[Any] | None:
        if value is None or value == "":
            return None
        if not isinstance(value, (list, tuple)):
            raise BadValue("type", "This must be a list.")
        check_count(value, MOST_VALUES)
        return list(dict.fromkeys(found for one in value if (found := read(one)) is not None)) or None

    def to_wire(self, value: list[Any] | None, p: BaseModel) -> list[Any]:
        return [self.one.to_wire(one, p) for one in value or ()]

    def to_columns(self, value: list[Any] | None, p: BaseModel) -> tuple[Any, ...]:
        names = [part.name for part in self.one.parts(p)]
        if value is None:
            return (None,) * len(self.parts(p))
        columns = zip(*(self.one.to_columns(one, p) for one in value), strict=True)
        return tuple(list(column) for name, column in zip(names, columns, strict=True) if name != SORTED_BY)

    def from_columns(self, values: tuple[Any, ...], p: BaseModel) -> list[Any] | None:
        return list(values[0]) if values[0] else None

    def format(self, value: list[Any] | None, p: BaseModel, locale: Locale) -> str:
        return ", ".join(self.one.format(one, p, locale) for one in value or ())

    def plain(self, value: list[Any] | None, p: BaseModel) -> str | None:
        """All values in one line, or each on its own where one holds what would separate them."""
        texts = [str(self.one.plain(one, p)) for one in value or ()]
        if any(re.search(f"[{self.one.separators}]", text) for text in texts):
            return "\n".join([*texts, ""] if len(texts) == 1 else texts)
        return ("; " if ";" in self.one.separators else " ").join(texts) or None

    def words(self, values: tuple[Any, ...], p: BaseModel) -> Words:
        found = [self.one.words(one, p) for one in zip(*values, strict=True)]
        return Words(_all(words.texts for words in found), _all(words.numbers for words in found))


def _all(several: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(text for texts in several for text in texts)


@cache
def several(one: FieldType[Any]) -> FieldType[Any]:
    """The type of a field that holds several values of a type."""
    made: type[FieldType[Any]] = type(f"Several{type(one).__name__}", (SeveralType,), {
        "name": f"many_{one.name}", "one": one, "properties": one.properties, "searchable": one.searchable,
        "searched": one.searched})
    return made()


def of_properties(kind: FieldType[Any], properties: Any) -> FieldType[Any]:
    """The type as a field has it: wrapped where its properties say `many` and the type knows no plural of its own."""
    return several(kind) if isinstance(properties, ManyProperties) and properties.many else kind
