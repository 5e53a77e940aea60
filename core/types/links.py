"""Records of another table, reached through the lines of a table between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import FieldType, Locale, Part, Properties, Type
from core.types.link import Edits, edits, ids_from_text, record_ids


class LinksProperties(Properties):
    """The properties of links through a table."""

    to: str = Field(description="The table whose records they are.")
    through: str = Field(description="The table between: each of its records links one of these to one of those.")
    by: str = Field("", description="The link by which a record of the table between leads back to this record; only "
                    "needed where several could.")
    other: str = Field("", description="The link by which a record of the table between leads to the others; only "
                       "needed where several could.")


class LinksType(FieldType[LinksProperties]):
    """Ids of records; they are kept as records of the table between, which writing adds and removes."""

    name: ClassVar[str] = "links"
    properties: ClassVar = LinksProperties
    sortable: ClassVar[bool] = False
    virtual: ClassVar[bool] = True
    is_link: ClassVar[bool] = True
    is_through: ClassVar[bool] = True

    def expression_type(self, p: LinksProperties) -> Type:
        return Type("set", p.to)

    def parts(self, p: LinksProperties) -> tuple[Part, ...]:
        return ()

    def validate(self, value: Any, p: LinksProperties) -> list[int] | Edits | None:
        if value is None or value == "":
            return None
        return edits(value) if isinstance(value, (Mapping, Edits)) else record_ids(value)

    def parse(self, text: str, p: LinksProperties, locale: Locale) -> list[int] | None:
        return ids_from_text(text) or None

    def to_wire(self, value: Any, p: LinksProperties) -> Any:
        return [] if value is None else value

    def to_columns(self, value: Any, p: LinksProperties) -> tuple[Any, ...]:
        return ()

    def from_columns(self, values: tuple[Any, ...], p: LinksProperties) -> None:
        return None

    def format(self, value: Any, p: LinksProperties, locale: Locale) -> str:
        return ", ".join(str(item) for item in value or ())
