"""Words that people stick to a record."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Index, Locale, Part, Properties, Type, Words, check_count
from core.types.characters import clean

LONGEST_TAG = 50
_BETWEEN = re.compile("[,;\n，；、]")


class TagsProperties(Properties):
    """The properties of tags."""

    max: int = Field(20, ge=1, le=100, description="The most tags that a record may have.")


class TagsType(FieldType[TagsProperties]):
    """Words of people's own, each once whatever its case; for words that are kept for all take choices or links."""

    name: ClassVar[str] = "tags"
    properties: ClassVar = TagsProperties
    sortable: ClassVar[bool] = False
    searchable: ClassVar[bool] = True

    def expression_type(self, p: TagsProperties) -> Type:
        return Type("text", many=True)

    def parts(self, p: TagsProperties) -> tuple[Part, ...]:
        return (Part("", "text[]"),)

    def default_index(self, p: TagsProperties) -> Index | None:
        return "gin"

    def validate(self, value: Any, p: TagsProperties) -> list[str] | None:
        if value is None or value == "":
            return None
        if not isinstance(value, (list, tuple)):
            raise BadValue("type", "This must be a list.")
        check_count(value, 10 * p.max)
        found: dict[str, str] = {}
        for one in value:
            tag = clean(one, LONGEST_TAG)
            if tag is not None:
                if _BETWEEN.search(tag):
                    raise BadValue("tag", "\"{value}\" is more than one tag.", value=tag)
                found.setdefault(tag.casefold(), tag)
        check_count(found, p.max)
        return list(found.values()) or None

    def parse(self, text: str, p: TagsProperties, locale: Locale) -> list[str] | None:
        return self.validate(_BETWEEN.split(text), p)

    def to_wire(self, value: list[str] | None, p: TagsProperties) -> list[str]:
        return value or []

    def format(self, value: list[str] | None, p: TagsProperties, locale: Locale) -> str:
        return ", ".join(value or ())

    def words(self, values: tuple[Any, ...], p: TagsProperties) -> Words:
        return Words(tuple(values[0]))
