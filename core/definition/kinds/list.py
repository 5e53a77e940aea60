"""The kind `list`: records of a table in rows."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.query_sources import query_of
from core.definition.kinds.schema import Expression, Name, Order, Path, Schema, Text
from core.definition.model import Column, Filter, List
from core.definition.names import nearest
from core.definition.queries import Query, QueryColumn, rows_of
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.values import Merged
from core.expression.type_rules import SUMMABLE


class ColumnSchema(Schema):
    """A column."""

    path: Path | None = Property(None, description="The field it shows, or a path through links; the column's name if "
                                 "left out.")
    title: Text | None = Property(None, description="Its heading; the field's title if left out.")
    total: Literal["sum", "average", "min", "max", "count"] | None = Property(
        None, description="What stands below it.")
    badge: bool = Property(False, description="True: a coloured badge (for choices).")


class FilterSchema(Schema):
    """A condition that people switch on."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    where: Expression = Property(description="The records it leaves.")
    default: bool = Property(False, description="True: switched on at first.")
    group: Name | None = Property(None, description="Filters of one group are OR-ed, groups are AND-ed.")


class TreeSchema(Schema):
    """Records grouped in a tree."""

    by: list[Path] = Property(min_length=1, description="The fields that make the levels.")


class KanbanSchema(Schema):
    """Records as cards in columns."""

    by: Path = Property(description="The choice or link whose values are the columns.")
    card: list[Path] = Property([], description="What a card shows.")


class CalendarSchema(Schema):
    """Records on days."""

    start: Path = Property(description="The date they begin.")
    end: Path | None = Property(None, description="The date they end.")


class ViewsSchema(Schema):
    """Other ways to show the same records."""

    tree: TreeSchema | None = Property(None, description="As a tree.")
    kanban: KanbanSchema | None = Property(None, description="As cards.")
    calendar: CalendarSchema | None = Property(None, description="On a calendar.")


class ListSchema(Schema):
    """Records of a table in rows."""

    of: Name = Property(description="The table, or a query: one that chooses records makes a list of these, another a "
                        "read-only table of its rows.")
    title: Text | None = Property(None, description="Its heading; the table's plural, or the query's title, if left "
                                  "out.")
    columns: dict[Name, ColumnSchema] = Property(description="The columns by name, in order.")
    order: list[Order] = Property([], description="The paths it is sorted by; -path from high to low.")
    filters: dict[Name, FilterSchema] = Property({}, description="Conditions that people switch on, by name.")
    views: ViewsSchema | None = Property(None, description="Other ways to show the same records.")


class ListKind(Kind):
    """Records of a table in rows."""

    name = "list"
    folder = "lists"
    lazy = True
    schema: ClassVar[type[Schema]] = ListSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> List:
        """The list, as written."""
        query = None if schema.of in building.names.tables else query_of(building, schema.of)
        of = query.table or "" if query is not None and query.chooses else schema.of
        rows = _rows(merged, schema, query, building) if query is not None and not query.chooses else None
        scope = building.scope(f"query {schema.of}" if rows is not None else of)
        columns = {name: Column(name, column.path or name, column.title, column.total, column.badge)
                   for name, column in schema.columns.items()}
        filters = {name: Filter(name, one.title or humanised(name), Written(one.where, scope, "boolean"), one.default,
                                one.group) for name, one in schema.filters.items()}
        table = building.names.tables.get(schema.of)
        title = schema.title or (table.plural if table else query.title if query is not None else merged.name)
        views = schema.views.model_dump(exclude_none=True) if schema.views else {}
        return List(merged.name, "" if rows is not None else of, title, columns, tuple(schema.order), filters, views,
                    query=query.name if query is not None else None, rows=rows)

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check that columns, order, filters and views name what is there."""
        of = check_source(building, merged, value.query, value.of)
        if of is None:
            return
        if value.rows is None and value.query is not None:
            _check_given(building, merged, value.query)
        if value.rows is not None and value.views:
            building.tell(merged, ("views",), "views are of records: the rows of a query have none")
        for name, column in value.columns.items():
            _check_column(merged, name, column, of, building)
        for index, path in enumerate(value.order):
            _check_order(merged, index, path, of, building)
        for name, one in value.filters.items():
            building.check(merged, ("filters", name, "where"), one.written)
        for view, properties in value.views.items():
            for key, paths in properties.items():
                if isinstance(paths, str):
                    building.field(merged, ("views", view, key), of, paths)
                for index, path in enumerate(paths if isinstance(paths, list) else ()):
                    building.field(merged, ("views", view, key, index), of, path)


def check_source(building: Building, merged: Merged, query: str | None, of: str) -> str | None:
    """Find the table or query that a definition is of; what its bare names belong to, None with a problem told."""
    if query is None:
        tables, queries = building.names.tables, building.known("query")
        meant = of not in tables and (of in queries or (not nearest(of, tables) and nearest(of, queries)))
        return of if building.find(merged, ("of",), "query" if meant else "table", of) is not None else None
    found = building.find(merged, ("of",), "query", query)
    return None if found is None else found.table if found.chooses else f"query {query}"


def _check_given(building: Building, merged: Merged, query: str) -> None:
    """A list of records has nobody who gives parameters."""
    for name, field in building.values["query"][query].parameters.items():
        if field.required is True and field.written.get("default") is None:
            building.tell(merged, ("of",), f'query "{query}" asks for "{name}", which a list cannot give: give it a '
                          "default")


def _rows(merged: Merged, schema: Any, query: Query, building: Building) -> Query:
    """The rows of a query under the columns of a list."""
    scope = building.scope(f"query {query.name}")
    columns = {name: QueryColumn(name, column.title, Written(column.path or name, scope), ("columns", name),
                                 column.total, column.badge, path=f"list {merged.name}.columns.{name}")
               for name, column in schema.columns.items()}
    return rows_of(query, f"list {merged.name}", columns, order=tuple(schema.order))


def _check_column(merged: Merged, name: str, column: Column, table: str, building: Building) -> None:
    kind = building.field(merged, ("columns", name, "path") if column.path != name else ("columns", name), table,
                          column.path)
    if kind is None:
        return
    if column.total not in (None, "count") and kind.name not in SUMMABLE:
        building.tell(merged, ("columns", name, "total"), f'"{column.path}" is no number: only "count" can stand '
                      "below it")


def _check_order(merged: Merged, index: int, path: str, table: str, building: Building) -> None:
    kind = building.field(merged, ("order", index), table, path.removeprefix("-"))
    if kind is not None and (kind.name == "set" or kind.many):
        building.tell(merged, ("order", index), f'"{path.removeprefix("-")}" holds several values: nothing can be '
                      "sorted by it")
