"""A link to a record of another table, or to several (`many`)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Index, Locale, Part, Properties, Type, check_count

LARGEST_ID = 2**63 - 1
MOST_LINKS = 10_000


class LinkProperties(Properties):
    """The properties of a link."""

    to: str = Field(description="The table that it leads to.")
    many: bool = Field(False, description="True: several records at once.")
    tree: bool = Field(False, description="True: a link to its own table leads up in a tree: no record may come above "
                       "itself, and `under(x, y)` looks down.")


class LinkType(FieldType[LinkProperties]):
    """A record's id; that the record is there and may be seen is checked by the record service."""

    name: ClassVar[str] = "link"
    properties: ClassVar = LinkProperties

    def expression_type(self, p: LinkProperties) -> Type:
        return Type("link", p.to, p.many)

    def parts(self, p: LinkProperties) -> tuple[Part, ...]:
        return (Part("", "bigint[]" if p.many else "bigint"),)

    def default_index(self, p: LinkProperties) -> Index | None:
        return "gin" if p.many else "btree"

    def validate(self, value: Any, p: LinkProperties) -> int | list[int] | None:
        if value is None or value == "":
            return None
        if not p.many:
            return record_id(value)
        if not isinstance(value, (list, tuple)):
            raise BadValue("type", "This must be a list of record ids.")
        check_count(value, MOST_LINKS)
        return list(dict.fromkeys(record_id(item) for item in value)) or None

    def parse(self, text: str, p: LinkProperties, locale: Locale) -> int | list[int] | None:
        if not p.many:
            return id_from_text(text) if text.strip() else None
        items = [item for item in text.split(",") if item.strip()]
        check_count(items, MOST_LINKS)
        return list(dict.fromkeys(map(id_from_text, items))) or None

    def to_wire(self, value: Any, p: LinkProperties) -> Any:
        return [] if p.many and value is None else value

    def format(self, value: Any, p: LinkProperties, locale: Locale) -> str:
        return ", ".join(str(item) for item in value or ()) if p.many else "" if value is None else str(value)


def record_id(value: object) -> int:
    """Check that a value is the id of a record. Raises BadValue."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise BadValue("type", "This must be the id of a record.")
    return value


def id_from_text(text: str) -> int:
    """Read a plain positive number as an id. Raises BadValue."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        raise BadValue("id", "\"{value}\" is not the id of a record.", value=digits[:40])
    return record_id(int(digits))
