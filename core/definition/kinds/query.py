"""The kind `query`: records that meet conditions, or rows that are worked out of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator
from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds import query_checks
from core.definition.kinds.base import Kind
from core.definition.kinds.parameters import ParameterSchema, argument, parameter_fields
from core.definition.kinds.query_sources import conditions, in_order, query_of, reading, set_query
from core.definition.kinds.schema import Expression, Name, Order, Path, Schema, Text
from core.definition.merge import Change
from core.definition.model import Field
from core.definition.queries import Query, Reading, Union
from core.definition.texts import humanised
from core.definition.tree import Node
from core.definition.values import Merged

Conditions = Annotated[Any, Property(json_schema_extra={"word": "expression, or conditions by name"})]


class QueryColumnSchema(Schema):
    """A column; instead of a mapping its path or expression may stand alone, and `{}` is the field of that name."""

    is_: Expression | None = Property(None, alias="is", description="The field it shows, a path through links, or an "
                                      "expression, which may use the columns before it; the field of the column's "
                                      "name if left out.")
    title: Text | None = Property(None, description="Its heading; the field's title, or the name in words, if left "
                                  "out.")
    total: Literal["sum", "average", "min", "max", "count"] | None = Property(
        None, description="What stands below it, over all rows.")
    badge: bool = Property(False, description="True: a coloured badge (for choices).")
    hidden: bool = Property(False, description="True: for other columns, the order and other queries only; people do "
                            "not see it.")


def _column(value: object) -> object:
    return value if isinstance(value, dict | QueryColumnSchema) else {"is": value}


Columns = dict[Name, Annotated[QueryColumnSchema, BeforeValidator(_column),
                               Property(json_schema_extra={"short": "expression"})]]


class PartSchema(Schema):
    """A part of a union."""

    of: Name = Property(description="The table, base or query.")
    where: Conditions = Property(None, description="The records of it that are taken; all if left out.")
    columns: Columns = Property({}, description="The columns by name: every part has the same, with values that go "
                                "together. Those of a query may be left out.")


class QuerySchema(Schema):
    """Records that meet conditions; or, with columns, groups or a union, rows that are worked out of records."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it finds, in a sentence.")
    of: Name | None = Property(None, description="The table, the base or the other query that it reads.")
    union: dict[Name, PartSchema] = Property({}, description="Instead of `of`: parts whose rows come one after the "
                                             "other, by name.")
    parameters: dict[Name, ParameterSchema] = Property({}, description="What people or callers give, by name; "
                                                       "expressions say parameter.name. Those of the queries it reads "
                                                       "are its own too.")
    where: Conditions = Property(None, description="The records that are taken: one expression, or conditions by name. "
                                 "All of them must hold, those under `any` as alternatives, those under `not` not all; "
                                 "`all`, `any` and `not` may stand in each other.")
    columns: Columns = Property({}, description="The columns of its rows by name, in order. Without any it gives "
                                "records of its table.")
    group: list[Path] | None = Property(None, description="The columns and paths whose equal values become one row; "
                                        "[] for one row of everything. All other columns are aggregates.")
    having: Conditions = Property(None, description="The groups that are kept; may name columns.")
    order: list[Order] = Property([], description="The columns or paths it is sorted by; -path from high to low.")
    limit: int | None = Property(None, ge=1, description="The most rows it gives.")


class QueryKind(Kind):
    """Records that meet conditions, or rows that are worked out of records."""

    name = "query"
    folder = "queries"
    schema: ClassVar[type[Schema]] = QuerySchema

    def merge(self, below: Node, change: Node, what: Change) -> Node:
        """Change what lower layers made; a column that is a single expression counts as `{is: expression}`."""
        return super().merge(_written_long(below), _written_long(change), what)

    def order(self, merged: list[Merged], building: Building) -> Iterable[Merged]:
        """What is read before what reads it; queries that read each other in a circle are told and left out."""
        return in_order(merged, building)

    def build(self, merged: Merged, schema: QuerySchema, building: Building) -> Query | None:
        """The query, with the parameters of those it reads; expressions about its rows know it by "query x"."""
        if (schema.of is None) == (not schema.union):
            building.tell(merged, ("union",) if schema.of else (), f'query "{merged.name}" has either "of" or "union"')
            return None
        sources = {name: part.of for name, part in schema.union.items()} or {"": schema.of or ""}
        parameters = self._parameters(merged, schema, sources, building)
        parts = {name: reading(building, merged, ("union", name), part.of, part.where, part.columns, parameters)
                 for name, part in schema.union.items()}
        known = {name: part for name, part in parts.items() if part is not None}
        if len(known) < len(parts):
            return None
        if known:
            building.names.results[f"union {merged.name}"] = Union(known, building.names)
        found = reading(building, merged, (), schema.of or "", schema.where, schema.columns, parameters,
                        schema.group is not None, f"union {merged.name}" if known else "")
        return None if found is None else self._query(merged, schema, found, known, parameters, building)

    def check(self, merged: Merged, value: Query, building: Building) -> None:
        """Check names and types, groups, order, and that the parts of a union fit."""
        query_checks.check(merged, value, building)

    def _query(self, merged: Merged, schema: QuerySchema, found: Reading, parts: Mapping[str, Reading],
               parameters: Mapping[str, Field], building: Building) -> Query:
        having = conditions(building, merged, ("having",), schema.having, found.source, parameters, found.columns,
                            "group")
        query = Query(found.names, found.of, found.source, found.table, found.query, found.where, found.columns,
                      merged.name, schema.title or humanised(merged.name), schema.help or "", parameters, parts,
                      None if schema.group is None else tuple(schema.group), having, tuple(schema.order),
                      schema.limit)
        building.names.results[f"query {merged.name}"] = query
        building.names.queries[merged.name] = set_query(query, {n: argument(p) for n, p in parameters.items()})
        return query

    def _parameters(self, merged: Merged, schema: QuerySchema, sources: Mapping[str, str],
                    building: Building) -> dict[str, Field]:
        """Its own parameters over those of the queries it reads; one name has one type everywhere."""
        below: dict[str, Field] = {}
        for part, of in sources.items():
            query = query_of(building, of)
            for name, field in (query.parameters if query is not None else {}).items():
                if name in below and below[name].expression_type != field.expression_type:
                    building.tell(merged, ("union", part, "of"), f'parameter "{name}" is {field.expression_type} in '
                                  f'query "{of}", but {below[name].expression_type} in a part before it')
                below.setdefault(name, field)
        own = parameter_fields(building, merged, ("parameters",), schema.parameters)
        for name, field in own.items():
            if name in below and below[name].expression_type != field.expression_type:
                building.tell(merged, ("parameters", name), f'parameter "{name}" is {field.expression_type}, but '
                              f"{below[name].expression_type} in the query that it reads")
        return {**below, **own}


def _written_long(tree: Node) -> Node:
    """Columns that are single expressions as mappings, so that a change may set their other properties."""
    def long(node: Node) -> Node:
        columns = node.map.get("columns")
        if columns is None or columns.value is None:
            return node
        members = {name: column if column.value is None or isinstance(column.value, dict)
                   else Node({"is": column}, column.origin) for name, column in columns.map.items()}
        return replace(node, value={**node.map, "columns": replace(columns, value=members)})
    tree = long(tree)
    parts = tree.map.get("union")
    if parts is None or parts.value is None:
        return tree
    members = {name: long(part) for name, part in parts.map.items()}
    return replace(tree, value={**tree.map, "union": replace(parts, value=members)})
