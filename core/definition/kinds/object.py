"""The kind `object`: one icon on the desktop, one address."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.fields import check_value, value_of
from core.definition.kinds.list import check_source
from core.definition.kinds.query_sources import query_of
from core.definition.kinds.schema import Color, Expression, Line, Name, Schema, Text, Value
from core.definition.model import Object
from core.definition.names import PAGES, suggestion
from core.definition.references import KEY
from core.definition.scope import Written
from core.definition.values import Merged


class ObjectSchema(Schema):
    """A business object: records of a table under one icon and one address."""

    of: Name = Property(description="The table; or a query, whose records are shown as those of its table, or whose "
                        "rows as a page to read. Its parameters are asked above them.")
    title: Text | None = Property(None, description="What people call it; the table's plural, or the query's title, if "
                                  "left out.")
    help: Text | None = Property(None, description="What it is for, in a sentence.")
    area: Name | None = Property(None, description="The area of the desktop it stands in.")
    icon: Line | None = Property(None, description="The name of its icon.")
    color: Color | None = Property(None, description="The colour of its icon.")
    where: Expression | None = Property(None, description="The records it shows; all if left out.")
    lists: list[Name] = Property([], description="Its lists; the first is shown first. Without any, the table's own.")
    forms: list[Name] = Property([], description="Its forms; the first is shown first. Without any, the table's own.")
    new: dict[Name, Value] = Property({}, description="Values that a record made here begins with, by field.")


class ObjectKind(Kind):
    """One icon on the desktop, one address."""

    name = "object"
    folder = "objects"
    lazy = True
    schema: ClassVar[type[Schema]] = ObjectSchema
    reserved = PAGES

    def build(self, merged: Merged, schema: Any, building: Building) -> Object | None:
        """The object; values of `new` in the normal form of their fields."""
        query = None if schema.of in building.names.tables else query_of(building, schema.of)
        rows = query if query is not None and not query.chooses else None
        of = schema.of if query is None else building.names.queries[query.name].table
        table = building.names.tables.get(schema.of)
        scope = building.scope(f"query {schema.of}" if rows is not None else of)
        values: dict[str, object] = {}
        for name, value in schema.new.items() if rows is None else ():
            field = building.names.field(of, name)
            if field is not None:
                building.field(merged, ("new", name), of, name, KEY)
                values[name] = value_of(merged, ("new", name), value, field, scope, building)
            elif of in building.names.tables:
                building.field(merged, ("new", name), of, name, KEY)
        where = Written(schema.where, scope, "boolean") if schema.where else None
        title = schema.title or (table.plural if table else query.title if query is not None else merged.name)
        return Object(merged.name, title, of, schema.area, schema.icon, schema.color, tuple(schema.lists),
                      tuple(schema.forms), schema.help or "", where, values, query.name if query is not None else None,
                      rows)

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check the table, the area, the lists and forms, and the values of new records."""
        check_source(building, merged, value.query, value.of)
        building.check(merged, ("where",), value.written)
        if value.area is not None:
            check_area(merged, value.area, building)
        if value.rows is not None:
            _check_rows(merged, value, building)
            return
        for key, kind in (("lists", "list"), ("forms", "form")):
            for index, name in enumerate(getattr(value, key)):
                found = building.find(merged, (key, index), kind, name)
                if kind == "list" and found is not None and found.rows is not None:
                    building.tell(merged, (key, index), f'list "{name}" is of the rows of query "{found.query}", not '
                                  f'of records of "{value.of}"')
                elif found is not None and value.of in building.names.tables and not (
                        building.names.is_kind_of(value.of, found.of) or building.names.is_kind_of(found.of, value.of)):
                    building.tell(merged, (key, index), f'{kind} "{name}" is of table "{found.of}", not "{value.of}"')
        for name, literal in value.values.items():
            field = building.names.field(value.of, name)
            if field is not None:
                check_value(merged, ("new", name), literal, field, building)


def _check_rows(merged: Merged, value: Object, building: Building) -> None:
    """Rows are read only, and shown by lists of the same query."""
    for key in ("forms", "new"):
        if key in merged.body:
            building.tell(merged, (key,), f'"{key}" is for records: the rows of query "{value.query}" are only read')
    for index, name in enumerate(value.lists):
        found = building.find(merged, ("lists", index), "list", name)
        if found is not None and (found.rows is None or found.query != value.query):
            building.tell(merged, ("lists", index), f'list "{name}" is not of query "{value.query}"')


def check_area(merged: Merged, area: str, building: Building) -> None:
    """Check that some menu has the area that a definition stands in."""
    menus = building.values["menu"].values()
    areas = [name for menu in menus for name in menu.areas]
    for menu in menus:
        if area in menu.areas:
            building.refer(merged, ("area",), "menu", f"{menu.name}.areas.{area}")
    if area not in areas and not any(kind == "menu" for kind, _ in building.broken):
        building.tell(merged, ("area",), f'no menu has an area "{area}"' + suggestion(area, areas))
