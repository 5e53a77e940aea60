"""Yes or no."""

from __future__ import annotations

from typing import Any, ClassVar

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type

_YES = frozenset({"yes", "y", "true", "t", "1", "on", "是", "真", "对", "有"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "否", "假", "错", "无", "不是"})
_WORDS = {"en": ("Yes", "No"), "zh": ("是", "否")}


class BooleanType(FieldType[Properties]):
    """Yes, no, or nothing said."""

    name: ClassVar[str] = "boolean"

    def expression_type(self, p: Properties) -> Type:
        return Type("boolean")

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "boolean"),)

    def validate(self, value: Any, p: Properties) -> bool | None:
        if value is None or value == "":
            return None
        if not isinstance(value, bool):
            raise BadValue("type", "This must be true or false.")
        return value

    def parse(self, text: str, p: Properties, locale: Locale) -> bool | None:
        word = text.strip().casefold()
        if not word:
            return None
        if word in _YES or word in _NO:
            return word in _YES
        raise BadValue("boolean", "\"{value}\" is neither yes nor no.", value=text.strip()[:40])

    def format(self, value: bool | None, p: Properties, locale: Locale) -> str:
        if value is None:
            return ""
        yes, no = _WORDS.get(locale.language[:2], _WORDS["en"])
        return yes if value else no

    def plain(self, value: bool | None, p: Properties) -> bool | None:
        return value
