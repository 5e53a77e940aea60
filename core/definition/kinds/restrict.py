"""The kind `restrict`: what holds for everybody, whatever roles grant."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.people import check_people
from core.definition.kinds.schema import Expression, Name, Right, Schema, Text
from core.definition.model import Restriction
from core.definition.scope import Written
from core.definition.values import Merged

RIGHTS = ("create", "read", "change", "delete", "export", "peek", "unlock")
FIELD_RIGHTS = ("read", "change", "export")


class OnlySchema(Schema):
    """Who alone has a right: record roles of the table, or roles; false is nobody."""

    create: Right = Property(None, description="Who alone may make such records.")
    read: Right = Property(None, description="Who alone may see them; nobody else changes, deletes, exports or peeks "
                           "at them either.")
    change: Right = Property(None, description="Who alone may change them.")
    delete: Right = Property(None, description="Who alone may put them into the trash, and restore them.")
    export: Right = Property(None, description="Who alone may take many of them out at once.")
    peek: Right = Property(None, description="Who alone may look them up by their `peek` fields.")
    unlock: Right = Property(None, description="Who alone may open them where they are locked.")


class RestrictSchema(Schema):
    """Rights that nobody has but those who are named here, whatever is granted to them or others."""

    help: Text | None = Property(None, description="Why, in a sentence.")
    of: Name = Property(description="The table.")
    fields: list[Name] = Property([], description="The fields it concerns; without it the record as a whole.")
    where: Expression | None = Property(None, description="The records it concerns; without it all. It is asked "
                                        "whatever fields people may read.")
    only: OnlySchema = Property(description="Who alone has which right.")


class RestrictKind(Kind):
    """What holds for everybody, whatever roles grant."""

    name = "restrict"
    folder = "roles"
    lazy = True
    schema: ClassVar[type[Schema]] = RestrictSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Restriction:
        """The restriction, as written."""
        said = {right: getattr(schema.only, right) for right in RIGHTS}
        rights = {right: tuple(value) if isinstance(value, list) else value
                  for right, value in said.items() if value is not None}
        written = Written(schema.where, building.scope(schema.of), "boolean") if schema.where is not None else None
        return Restriction(merged.name, schema.of, rights, tuple(schema.fields), written, schema.help or "")

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check that table, fields and people exist, and that it restricts something."""
        table = building.find(merged, ("of",), "table", value.of)
        if table is None:
            return
        for index, name in enumerate(value.fields):
            building.field(merged, ("fields", index), value.of, name)
        if value.written is not None:
            building.check(merged, ("where",), value.written)
        if not value.rights:
            building.tell(merged, ("only",), "it restricts nothing: say who alone has which right")
        for right, who in value.rights.items():
            if who is True:
                building.tell(merged, ("only", right), "true restricts nobody: a list of people is expected, or false")
            if value.fields and right not in FIELD_RIGHTS:
                building.tell(merged, ("only", right), f'"{right}" is a right on a record; on fields there are '
                              + ", ".join(FIELD_RIGHTS))
            if isinstance(who, tuple):
                check_people(merged, ("only", right), who, value.of, building)
