"""A link to a record of any table: what something is attached to, or speaks of."""

from __future__ import annotations

from typing import Any, ClassVar

from core.types.base import FieldType, Index, Locale, Part, Properties, Type
from core.types.link import ANY, Linked, id_from_text, record_id


class AnyLinkType(FieldType[Properties]):
    """A record's id, kept with the identity of its table; the record service finds out which table that is."""

    name: ClassVar[str] = "any_link"
    sortable: ClassVar[bool] = False
    is_link: ClassVar[bool] = True

    def expression_type(self, p: Properties) -> Type:
        return Type("any_link", ANY)

    def parts(self, p: Properties) -> tuple[Part, ...]:
        return (Part("", "bigint"), Part("table", "integer"))

    def default_index(self, p: Properties) -> Index | None:
        return "btree"

    def validate(self, value: Any, p: Properties) -> int | None:
        return None if value is None or value == "" else record_id(value)

    def parse(self, text: str, p: Properties, locale: Locale) -> int | None:
        return id_from_text(text) if text.strip() else None

    def to_columns(self, value: Any, p: Properties) -> tuple[Any, ...]:
        if value is None:
            return (None, None)
        if not isinstance(value, Linked) or value.place is None:
            raise TypeError("of which table the record is has to be found before it is stored")
        return (int(value), value.place)

    def from_columns(self, values: tuple[Any, ...], p: Properties) -> Linked | None:
        return None if values[0] is None else Linked(values[0], place=values[1])

    def format(self, value: Any, p: Properties, locale: Locale) -> str:
        return "" if value is None else str(int(value))
