"""A link to a record of another table, to several (`many`), or to a record of one of several tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from core.types.base import BadValue, FieldType, Index, Locale, Part, Properties, Type, check_count
from core.types.characters import plain_number

LARGEST_ID = 2**63 - 1
MOST_LINKS = 10_000
ANY = "*"                  # the tables of an open link: all of them
BETWEEN = "|"              # what stands between the tables of a link to several, in the name of its type


class Linked(int):
    """The id of a record with the table that it is one of; equal to the plain id, for ids name one record of all.

    `place` is the table's identity, where a link is kept with it.
    """

    table: str
    place: int | None

    def __new__(cls, id_: int, table: str = "", place: int | None = None) -> Linked:
        """An id, as it was found in a table."""
        made = super().__new__(cls, id_)
        made.table, made.place = table, place
        return made


@dataclass(frozen=True, slots=True)
class Edits:
    """What is added to plural links and taken from them, whatever else there is."""

    add: tuple[int, ...] = ()
    remove: tuple[int, ...] = ()

    def applied(self, before: Sequence[int] | None) -> list[int] | None:
        """The links as they are afterwards."""
        kept = [one for one in before or () if one not in self.remove]
        return list(dict.fromkeys((*kept, *self.add))) or None


class LinkProperties(Properties):
    """The properties of a link."""

    to: str | tuple[str, ...] = Field(description="The table that it leads to, or a list of tables, of one of which "
                                      "the record is.", json_schema_extra={"word": "name, or list of names"})
    many: bool = Field(False, description="True: several records at once.")
    tree: bool = Field(False, description="True: a link to its own table leads up in a tree: no record may come above "
                       "itself, and `under(x, y)` looks down.")

    @field_validator("to")
    @classmethod
    def _several(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, tuple) and (len(value) < 2 or len(set(value)) < len(value)):
            raise PydanticCustomError("several", "a list of tables names at least two, each once")
        return value

    @property
    def targets(self) -> tuple[str, ...]:
        """The tables that it may lead to."""
        return (self.to,) if isinstance(self.to, str) else self.to

    @property
    def several(self) -> bool:
        """True if the record may be of one of several tables."""
        return not isinstance(self.to, str)


class LinkType(FieldType[LinkProperties]):
    """A record's id; that the record is there and may be seen is checked by the record service.

    A link to one of several tables has a column for each of them, of which at most one is filled.
    """

    name: ClassVar[str] = "link"
    properties: ClassVar = LinkProperties
    is_link: ClassVar[bool] = True

    def expression_type(self, p: LinkProperties) -> Type:
        if p.several:
            return Type("any_link", BETWEEN.join(p.targets))
        return Type("link", p.targets[0], p.many)

    def parts(self, p: LinkProperties) -> tuple[Part, ...]:
        if p.several:
            return tuple(Part(table, "bigint") for table in p.targets)
        return (Part("", "bigint[]" if p.many else "bigint"),)

    def default_index(self, p: LinkProperties) -> Index | None:
        return "gin" if p.many else "btree"

    def validate(self, value: Any, p: LinkProperties) -> int | list[int] | Edits | None:
        if value is None or value == "":
            return None
        if not p.many:
            return record_id(value)
        return edits(value) if isinstance(value, (Mapping, Edits)) else record_ids(value) or None

    def parse(self, text: str, p: LinkProperties, locale: Locale) -> int | list[int] | None:
        if not p.many:
            return id_from_text(text) if text.strip() else None
        return ids_from_text(text) or None

    def to_wire(self, value: Any, p: LinkProperties) -> Any:
        return [] if p.many and value is None else value

    def to_columns(self, value: Any, p: LinkProperties) -> tuple[Any, ...]:
        if not p.several:
            return (value,)
        if value is None:
            return (None,) * len(p.targets)
        if not isinstance(value, Linked) or value.table not in p.targets:
            raise TypeError("of which table the record is has to be found before it is stored")
        return tuple(int(value) if table == value.table else None for table in p.targets)

    def from_columns(self, values: tuple[Any, ...], p: LinkProperties) -> Any:
        if not p.several:
            return values[0]
        return next((Linked(one, table) for one, table in zip(values, p.targets, strict=True) if one is not None), None)

    def format(self, value: Any, p: LinkProperties, locale: Locale) -> str:
        return ", ".join(str(item) for item in value or ()) if p.many else "" if value is None else str(int(value))


def record_id(value: object) -> int:
    """Check that a value is the id of a record. Raises BadValue."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        raise BadValue("type", "This must be the id of a record.")
    return value


def record_ids(value: object) -> list[int]:
    """Check that a value is a list of ids, each once. Raises BadValue."""
    if not isinstance(value, (list, tuple)):
        raise BadValue("type", "This must be a list of record ids.")
    check_count(value, MOST_LINKS)
    return list(dict.fromkeys(record_id(item) for item in value))


def edits(value: Mapping[str, object] | Edits) -> Edits:
    """Check that a value says what to add and what to remove: `{"add": [..], "remove": [..]}`. Raises BadValue."""
    if isinstance(value, Edits):
        return value
    if not value or value.keys() - {"add", "remove"}:
        raise BadValue("type", "Say what to \"add\" and what to \"remove\", as lists of record ids.")
    found = Edits(tuple(record_ids(value.get("add", ()))), tuple(record_ids(value.get("remove", ()))))
    if set(found.add) & set(found.remove):
        raise BadValue("both", "A record is to be added and removed at once.")
    return found


def id_from_text(text: str) -> int:
    """Read a plain positive number as an id. Raises BadValue."""
    found = plain_number(text.strip(), 19)
    if found is None:
        raise BadValue("id", "\"{value}\" is not the id of a record.", value=text.strip()[:40])
    return record_id(found)


def ids_from_text(text: str) -> list[int]:
    """Read numbers between commas as ids, each once. Raises BadValue."""
    items = [item for item in text.split(",") if item.strip()]
    check_count(items, MOST_LINKS)
    return list(dict.fromkeys(map(id_from_text, items)))


def tables_of(kind: Type) -> tuple[str, ...]:
    """The tables of one of which a link to several is; none for an open link, which may be of any."""
    return () if kind.of in (None, ANY) else tuple(str(kind.of).split(BETWEEN))


def targets_of(properties: object) -> Iterable[str]:
    """The tables that the properties of a field lead to as a link."""
    return properties.targets if isinstance(properties, LinkProperties) else ()
