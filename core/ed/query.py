"""Running queries: one statement, built once for each version and set of roles, whatever a query is made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, func

from core.ed import query_values
from core.ed.loose_fields import loose_field
from core.ed.query_columns import title_of
from core.ed.query_sql import Builder, Column, Selected
from core.ed.selection import titles_of
from core.ed.statement import Row, Statement, parameter
from core.errors import BadRequest, Denied, NotFound
from core.expression.nodes import Path, walk
from core.types.base import Type

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.definition.queries import Query, QueryColumn
    from core.ed.session import Session

MOST_ROWS = 10_000
LARGEST_OFFSET = 100_000
TOTALS: Mapping[str, Callable[[Any], Any]] = {
    "sum": func.sum, "average": func.avg, "min": func.min, "max": func.max, "count": func.count}


@dataclass(frozen=True, eq=False)
class ResultColumn:
    """One column of a result: `field` knows how its values are read, formatted and sent."""

    name: str
    type: Type
    field: Field
    title: str | None           # as the query writes it
    path: str                   # of its title; "" where nobody wrote one
    shown: Field | None         # the field it shows as it is
    total: str | None = None
    badge: bool = False


@dataclass(frozen=True, eq=False)
class Result:
    """The rows of a query: values by column, in normal form.

    A link adds `<column>_title`; a row that is a record has its `_table` and `_id`. `totals` are over all rows, `more`
    says that there are rows behind these.
    """

    columns: tuple[ResultColumn, ...]
    rows: tuple[dict[str, Any], ...]
    totals: Mapping[str, Any]
    more: bool

    def wire(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as JSON: values as the API gives those of records, titles of links, and which record it is."""
        values: dict[str, Any] = {}
        for column in self.columns:
            values[column.name] = column.field.type.to_wire(row[column.name], column.field.properties)
            if f"{column.name}_title" in row:
                values[f"{column.name}_title"] = row[f"{column.name}_title"]
        return values | {key: row[key] for key in ("_table", "_id") if key in row}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A query's statement, and where a row has what."""

    statement: Statement
    columns: tuple[tuple[ResultColumn, int], ...]
    titles: Mapping[str, int]
    totals: Mapping[str, int]
    record: int


def run(session: Session, name: str, given: Mapping[str, object] | None = None, *, limit: int = 1000,
        offset: int = 0) -> Result:
    """The rows of a query as far as the user may read them. Raises NotFound, Denied, BadRequest, Invalid.

    `given` are values of its parameters in normal form.
    """
    return run_query(session, query_of(session, name), (name,), given, limit=limit, offset=offset)


def run_query(session: Session, query: Query, key: tuple[Hashable, ...], given: Mapping[str, object] | None = None, *,
              limit: int = 1000, offset: int = 0) -> Result:
    """The same for a query that a page or list makes of another; `key` tells what it makes."""
    if not 1 <= limit <= MOST_ROWS:
        raise BadRequest("A query gives between 1 and {most} rows at once.", "limit", most=MOST_ROWS)
    if not 0 <= offset <= LARGEST_OFFSET:
        raise BadRequest("Skip at most {most} rows.", "offset", most=LARGEST_OFFSET)
    found = prepared(session, query, key)
    values = query_values.values(session, query, given or {})
    rows = found.statement.rows(session.connection, {
        **session.parameters, **query_values.bound(query, values), "limit": limit + 1, "offset": offset})
    shown = rows[:limit]
    return Result(tuple(column for column, _ in found.columns), tuple(_record(session, found, row) for row in shown),
                  _totals(found, shown[0]) if shown else {}, len(rows) > limit)


def query_of(session: Session, name: str) -> Query:
    """A query by name. Raises NotFound."""
    found = session.system.model.queries.get(name)
    if found is None:
        raise _none(name)
    return found


def readable_query(session: Session, name: str) -> Query:
    """A query that the user may run; any other is as unknown as none, with its parameters. Raises NotFound."""
    if not readable(session, query_of(session, name).name):
        raise _none(name)
    return query_of(session, name)


def _none(name: str) -> NotFound:
    return NotFound('There is no query "{query}", or you may not read what it needs.', query=name[:60])


def readable(session: Session, name: str) -> bool:
    """Whether the user may read what a query needs."""
    try:
        prepared(session, query_of(session, name), (name,))
    except Denied:
        return False
    return True


def prepared(session: Session, query: Query, key: tuple[Hashable, ...]) -> Prepared:
    """The statement of a query for users of these roles. Raises Denied."""
    return session.system.cache.get(("query", session.user.shape, *key), lambda: _prepare(session, query))


def _prepare(session: Session, query: Query) -> Prepared:
    selected = Builder(session.system, session.gate).query(query)
    system, gate = session.system, session.gate
    columns = [(column, result) for column in selected.columns
               if (result := _result_column(session, query, column)) is not None]
    first = len(selected.columns) + 2
    extra: list[ColumnElement[Any]] = []
    titles: dict[str, int] = {}
    totals: dict[str, int] = {}
    for column, result in columns:
        kind = column.type
        if kind.name == "link":
            titles[column.name] = first + len(extra)
            extra.append((titles_of if kind.many else title_of)(system, gate, kind.of or "", column.element))
        if result.total is not None:
            totals[column.name] = first + len(extra)
            extra.append(TOTALS[result.total](column.element).over())
    places = {column.name: number for number, column in enumerate(selected.columns)}
    return Prepared(_statement(session, selected, extra),
                    tuple((result, places[column.name]) for column, result in columns), titles, totals, first - 2)


def _statement(session: Session, selected: Selected, extra: list[ColumnElement[Any]]) -> Statement:
    labelled = [element.label(f"x{number}") for number, element in enumerate(extra)]
    statement = selected.select(*labelled).order_by(*selected.order)
    statement = statement.limit(parameter("limit", type_=Integer)).offset(parameter("offset", type_=Integer))
    return Statement.compile(statement, session.connection.dialect)


def _result_column(session: Session, query: Query, column: Column) -> ResultColumn | None:
    """What people are told of a column; None if it is hidden."""
    written: QueryColumn | None = query.results.get(column.name)
    if written is None:                         # of the table's list, for a query that has none itself
        shown = query.field_of(query.path(_listed(session, query)[column.name]))
        return ResultColumn(column.name, column.type, shown or _loose(query, column), None, "", shown)
    if written.hidden:
        return None
    shown = query.field(column.name)
    field = shown if shown is not None and shown.expression_type == column.type else _loose(query, column)
    titled = query.titled(column.name)
    return ResultColumn(column.name, column.type, field, titled.title if titled is not None else None,
                        f"{titled.path}.title" if titled is not None else "", shown, written.total, written.badge)


def _listed(session: Session, query: Query) -> Mapping[str, str]:
    return {column.name: column.path for column in session.system.model.list_of(query.table or "").columns.values()}


def _loose(query: Query, column: Column) -> Field:
    scale = _scale(query, column.name) if column.type.name == "money" else None
    return loose_field(column.name, column.type, scale)


def _scale(query: Query, name: str) -> int:
    """The most decimals of the money that a column is worked out of."""
    if name not in query.columns:
        return 2
    fields = (query.field_of(node) for node in _money(query.node(name)))
    return max((getattr(field.properties, "scale", 2) for field in fields if field is not None), default=2)


def _money(node: Any) -> list[Path]:
    return [each for each in walk(node) if isinstance(each, Path) and each.type.name == "money"]


def _record(session: Session, found: Prepared, row: Row) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column, place in found.columns:
        record[column.name] = _read(column, row[place])
        if column.name in found.titles:
            record[f"{column.name}_title"] = row[found.titles[column.name]]
    if row[found.record] is not None:
        record["_id"], record["_table"] = row[found.record], session.system.name_of(row[found.record + 1])
    return record


def _totals(found: Prepared, row: Row) -> dict[str, Any]:
    columns = {column.name: column for column, _ in found.columns}
    return {name: row[place] if columns[name].total == "count" else _read(columns[name], row[place])
            for name, place in found.totals.items()}


def _read(column: ResultColumn, value: Any) -> Any:
    """A value of the database in normal form."""
    if isinstance(value, Decimal) and column.type.name == "integer":
        return int(value) if value == value.to_integral_value() else value
    field = column.field
    blanks = (None,) * (max(1, len(field.type.parts(field.properties))) - 1)
    return field.type.from_columns((value, *blanks), field.properties)
