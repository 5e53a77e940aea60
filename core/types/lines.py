"""The records of another table that belong to this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.link import record_id

MOST_LINES = 2_000


class LinesProperties(Properties):
    """The properties of lines."""

    of: str = Field(description="The table of the lines.")
    by: str = Field(description="The link by which a line leads back to this record.")


class LinesType(FieldType[LinesProperties]):
    """A list of mappings: `id` changes a line, none adds one, `_delete` removes it; unnamed ones stay."""

    name: ClassVar[str] = "lines"
    properties: ClassVar = LinesProperties
    sortable: ClassVar[bool] = False
    virtual: ClassVar[bool] = True
    is_lines: ClassVar[bool] = True
    is_long: ClassVar[bool] = True

    def expression_type(self, p: LinesProperties) -> Type:
        return Type("set", p.of)

    def parts(self, p: LinesProperties) -> tuple[Part, ...]:
        return ()

    def validate(self, value: Any, p: LinesProperties) -> list[dict[str, Any]] | None:
        if value is None or value == "":
            return None
        if not isinstance(value, (list, tuple)):
            raise BadValue("type", "This must be a list of lines.")
        if len(value) > MOST_LINES:
            raise BadValue("too_many", "There may be {most} lines.", most=MOST_LINES)
        return [_line(line) for line in value]

    def parse(self, text: str, p: LinesProperties, locale: Locale) -> None:
        if text.strip():
            raise BadValue("lines", "Lines cannot be given as text.")

    def to_wire(self, value: Any, p: LinesProperties) -> Any:
        return [] if value is None else value

    def to_columns(self, value: Any, p: LinesProperties) -> tuple[Any, ...]:
        return ()

    def from_columns(self, values: tuple[Any, ...], p: LinesProperties) -> None:
        return None

    def format(self, value: Any, p: LinesProperties, locale: Locale) -> str:
        return "" if not value else str(len(value))


def _line(line: object) -> dict[str, Any]:
    if not isinstance(line, Mapping) or not all(isinstance(key, str) for key in line):
        raise BadValue("type", "Each line must be an object.")
    if line.get("id") is not None:
        record_id(line["id"])
    if not isinstance(line.get("_delete", False), bool):
        raise BadValue("type", "\"_delete\" must be true or false.")
    if line.get("_delete") and line.get("id") is None:
        raise BadValue("line", "A line that is removed needs its id.")
    return dict(line)
