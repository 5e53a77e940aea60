"""Structured data that programs keep: an object, a list or a single value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.characters import LONGEST, clean

DEEPEST = 20
_LARGEST = 10**300              # what a database and every JSON reader can hold


class JsonProperties(Properties):
    """The properties of structured data."""

    max: int = Field(LONGEST, ge=2, le=LONGEST, description="The most characters it may have, written out.")


class JsonType(FieldType[JsonProperties]):
    """Structured data; in normal form its text: keys in order, no spaces. An empty object or list is empty."""

    name: ClassVar[str] = "json"
    properties: ClassVar = JsonProperties
    sortable: ClassVar[bool] = False
    is_long: ClassVar[bool] = True

    def expression_type(self, p: JsonProperties) -> Type:
        return Type("json")

    def parts(self, p: JsonProperties) -> tuple[Part, ...]:
        return (Part("", "jsonb"),)

    def validate(self, value: Any, p: JsonProperties) -> str | None:
        """Take the text of it, which is its normal form."""
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise BadValue("type", "This must be text.")
        if len(value) > 2 * LONGEST:
            raise BadValue("too_long", "This may have {most} characters and has {length}.", most=p.max,
                           length=len(value))
        try:
            return self.from_wire(json.loads(value, parse_constant=_refuse), p)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 1)
            raise BadValue("json", "This is not JSON: look at line {line}.", line=line) from None

    def parse(self, text: str, p: JsonProperties, locale: Locale) -> str | None:
        return self.validate(text.strip(), p)

    def from_wire(self, value: Any, p: JsonProperties) -> str | None:
        if value is None or value in ("", [], {}):
            return None
        text = dumped(_checked(value, DEEPEST))
        if len(text) > p.max:
            raise BadValue("too_long", "This may have {most} characters and has {length}.", most=p.max,
                           length=len(text))
        return text

    def to_wire(self, value: str | None, p: JsonProperties) -> Any:
        return None if value is None else json.loads(value)

    def to_columns(self, value: str | None, p: JsonProperties) -> tuple[Any, ...]:
        return (self.to_wire(value, p),)

    def from_columns(self, values: tuple[Any, ...], p: JsonProperties) -> str | None:
        return None if values[0] is None else dumped(values[0])

    def format(self, value: str | None, p: JsonProperties, locale: Locale) -> str:
        return value or ""


def dumped(value: Any) -> str:
    """JSON in its one spelling."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def indented(text: str) -> str:
    """The same for people: a line for each member."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _checked(value: Any, depth: int) -> Any:
    """A value that comes back from the database as it went in. Raises BadValue."""
    if depth < 0:
        raise BadValue("depth", "This is nested more than {most} deep.", most=DEEPEST)
    if isinstance(value, dict):
        return dict(_members(value, depth))
    if isinstance(value, (list, tuple)):
        return [_checked(one, depth - 1) for one in value]
    if isinstance(value, str):
        clean(value or None, lines=True)
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LARGEST:
        raise BadValue("range", "This number is too large.")
    if value is None or isinstance(value, (bool, int)):
        return value
    raise BadValue("type", "This must be JSON.")


def _members(value: dict[Any, Any], depth: int) -> Iterator[tuple[str, Any]]:
    for key, one in value.items():
        if not isinstance(key, str):
            raise BadValue("type", "This must be JSON.")
        clean(key or None)
        yield key, _checked(one, depth - 1)


def _number(value: float) -> float | int:
    if not math.isfinite(value) or abs(value) >= _LARGEST:
        raise BadValue("number", "\"{value}\" is not a number.", value=str(value)[:40])
    return int(value) if value.is_integer() else value
