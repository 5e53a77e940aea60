"""Records in groups: how many there are by stage or by month, and what their amounts add up to, in one statement.

Keys and what is worked out are asked of `RecordColumns`, so the gate stands before them: a field that may be read in
some records only counts in those, and is empty as a key in all others. Money is added up in base currency.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Date, DateTime, Integer, cast, func, literal, select

from core.ed import budget, conditions
from core.ed.columns import RecordColumns, live
from core.ed.conditions import Condition
from core.ed.loose_fields import loose_field
from core.ed.paths import end_of
from core.ed.query_columns import Held, RowColumns, title_of
from core.ed.selection import check_path
from core.ed.statement import Row, Statement, parameter
from core.errors import BadRequest, Denied, NotFound
from core.expression.sql import sql_type
from core.expression.type_rules import ORDERED, SUMMABLE
from core.types.base import Type

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.session import Session

UNITS = ("day", "week", "month", "quarter", "year")
MOST_KEYS = 5
MOST_AGGREGATES = 20
MOST_GROUPS = 1000
LARGEST_OFFSET = 10_000
DECIMALS = 6                                # of averages
NAME = re.compile(r"[a-z][a-z0-9_]{0,48}\Z")
OPERATIONS: Mapping[str, Callable[[ColumnElement[Any]], ColumnElement[Any]]] = {
    "count": func.count, "sum": func.sum, "avg": lambda value: func.round(func.avg(value), DECIMALS),
    "min": func.min, "max": func.max, "count_distinct": lambda value: func.count(value.distinct())}
COMPARISONS: Mapping[str, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    "=": lambda left, right: left == right, "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right, "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right, ">=": lambda left, right: left >= right}

By = str | tuple[str, str]                  # a path, or a path to a date with the unit that it is grouped by
Aggregate = tuple[str, str | None]          # what is worked out, of which path; ("count", None) counts records
Having = tuple[str, str, Decimal]           # the name of an aggregate, a comparison, a number


@dataclass(frozen=True, eq=False)
class GroupColumn:
    """A key or an aggregate of groups; `field` knows how its values are read, formatted and sent."""

    name: str               # of its value in a row: "stage", "close_date:month", or the aggregate's name
    type: Type
    field: Field
    unit: str | None = None
    operation: str | None = None


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups as dicts of values in normal form, by the names of `keys` and `aggregates`; links add `<key>_title`.

    A date that is grouped by a unit is the first day of it. `more` says that there are groups behind these.
    """

    keys: tuple[GroupColumn, ...]
    aggregates: tuple[GroupColumn, ...]
    rows: tuple[dict[str, Any], ...]
    more: bool

    def wire(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A group as JSON: values as the API gives those of records."""
        values: dict[str, Any] = {}
        for column in (*self.keys, *self.aggregates):
            values[column.name] = column.field.type.to_wire(row[column.name], column.field.properties)
            if f"{column.name}_title" in row:
                values[f"{column.name}_title"] = row[f"{column.name}_title"]
        return values


@dataclass(frozen=True, eq=False)
class _Grouping:
    """The statement of a grouping and what becomes of its rows."""

    statement: Statement
    keys: tuple[GroupColumn, ...]
    aggregates: tuple[GroupColumn, ...]
    titles: Mapping[str, int]


def group(session: Session, table: str, by: Sequence[By], aggregates: Mapping[str, Aggregate], *,
          where: Any = None, filters: Mapping[str, object] | None = None, search: str | None = None,
          order: Sequence[str] = (), having: Sequence[Having] = (), limit: int = 100, offset: int = 0,
          trash: bool = False) -> Groups:
    """The groups of a table's records, as far as the caller may read them. Raises BadRequest, NotFound.

    `order` names keys and aggregates ("-total" from high to low); else groups come in the order of their keys.
    Without keys there is one group: all records.
    """
    if table not in session.system.model.tables or not session.gate.may(table, "read"):
        raise NotFound('There is no table "{table}", or you may not read it.', table=table)
    keys = key_columns(session, table, by)
    worked_out = _aggregate_columns(session, table, aggregates, keys)
    _check_bounds(keys, worked_out, order, having, limit, offset)
    asked = conditions.ask(session, table, where, filters or {}, search)
    shape: Hashable = (tuple(_pair(one) for one in by), tuple(aggregates.items()), asked.key, tuple(order),
                       tuple((name, comparison) for name, comparison, _ in having), trash)
    found = session.system.cache.get(
        ("group", session.user.shape, table, shape),
        lambda: _prepare(session, table, by, aggregates, keys, worked_out, asked, order, having, trash))
    rows = budget.rows(session, found.statement, {
        **session.parameters, **asked.parameters, "limit": limit + 1, "offset": offset,
        **{f"having_{number}": value for number, (_, _, value) in enumerate(having)}}, typed=asked.typed)
    return Groups(keys, worked_out, tuple(_read(found, row) for row in rows[:limit]), len(rows) > limit)


@dataclass(frozen=True, slots=True)
class Totals:
    """What all records of a list add up to; `values` are empty where there are `more` than were counted."""

    count: int
    more: bool
    values: Mapping[str, Any]


def totals(session: Session, table: str, aggregates: Mapping[str, Aggregate], where: Any = None, *,
           search: str | None = None, trash: bool = False, cap: int | None = 10_000) -> Totals:
    """How many records there are and what they add up to, in one statement; it stops behind `cap` (None: nowhere).

    Raises BadRequest, NotFound.
    """
    if table not in session.system.model.tables or not session.gate.may(table, "read"):
        raise NotFound('There is no table "{table}", or you may not read it.', table=table)
    worked_out = _aggregate_columns(session, table, aggregates, ())
    asked = conditions.ask(session, table, where, {}, search)
    found = session.system.cache.get(
        ("totals", session.user.shape, table, tuple(aggregates.items()), asked.key, trash, cap is None),
        lambda: _adding_up(session, table, aggregates, worked_out, asked, trash, cap is not None))
    given = {**session.parameters, **asked.parameters, "limit": (cap or 0) + 1}
    row = budget.rows(session, found.statement, given, typed=asked.typed)[0]
    count = int(row[0])
    if cap is not None and count > cap:
        return Totals(cap, True, {})
    return Totals(count, False, {column.name: _value(column, value)
                                 for column, value in zip(worked_out, row[1:], strict=True)})


def _adding_up(session: Session, table: str, aggregates: Mapping[str, Aggregate], worked_out: tuple[GroupColumn, ...],
               asked: Condition, trash: bool, bounded: bool) -> _Grouping:
    columns = RecordColumns(session.system, session.gate, table)
    try:
        values = [_measured(columns, *one) for one in aggregates.values()]
    except Denied as error:
        raise BadRequest(error.words, "aggregates") from None
    found = [*live(columns, trash=trash), *asked.conditions(columns)]
    inner = select(*(value.label(f"v{number}") for number, value in enumerate(values)), literal(1).label("one"))
    inner = inner.select_from(columns.source).where(*found)
    rows = (inner.limit(parameter("limit", type_=Integer)) if bounded else inner).subquery()
    added = [OPERATIONS[operation](rows.c[f"v{number}"])
             for number, (operation, _) in enumerate(aggregates.values())]
    statement = Statement.compile(select(func.count(), *added).select_from(rows), session.connection.dialect)
    return _Grouping(statement, (), worked_out, {})


def within(session: Session, table: str, by: Sequence[By], values: Sequence[object]) -> Condition:
    """The condition that a record belongs to the group with these values (normal form) of the first keys; for `where`.

    Raises BadRequest.
    """
    columns = key_columns(session, table, by)[:len(values)]
    parameters = {f"group_{number}": value for number, value in enumerate(values) if value is not None}
    key = ("group", tuple((_pair(one), value is None) for one, value in zip(by, values, strict=False)))
    makers = tuple(_belongs(number, _pair(one), column.type, value is None)
                   for number, (one, column, value) in enumerate(zip(by, columns, values, strict=False)))
    return Condition(key, parameters, makers)


def key_columns(session: Session, table: str, by: Sequence[By]) -> tuple[GroupColumn, ...]:
    """What groups are made by. Raises BadRequest for what records cannot be grouped by, hidden fields too."""
    if len(by) > MOST_KEYS:
        raise BadRequest("Records can be grouped by at most {most} fields.", "group", most=MOST_KEYS)
    found = tuple(_key(session, table, *_pair(one)) for one in by)
    if len({column.name for column in found}) < len(found):
        raise BadRequest("Records cannot be grouped by the same twice.", "group")
    return found


# What is asked


def _pair(one: By) -> tuple[str, str | None]:
    return (one, None) if isinstance(one, str) else one


def _key(session: Session, table: str, path: str, unit: str | None) -> GroupColumn:
    kind = check_path(session.gate, table, path, at="group")
    field = field_at(session, table, path)
    if kind is None or kind.many or kind.name == "set" or (
            field is not None and (field.type.is_long or field.type.is_file)):
        raise BadRequest('Records cannot be grouped by "{name}".', "group", name=path)
    if unit is None:
        shown = field if field is not None and field.expression_type == kind else loose_field(path, kind)
        return GroupColumn(path, kind, shown)
    if unit not in UNITS:
        raise BadRequest('Dates are grouped by day, week, month, quarter or year, not by "{unit}".', "group",
                         unit=unit[:60])
    if kind.name not in ("date", "datetime"):
        raise BadRequest('"{name}" is no date, so it cannot be grouped by a unit of time.', "group", name=path)
    return GroupColumn(f"{path}:{unit}", Type("date"), loose_field(path, Type("date")), unit)


def _aggregate_columns(session: Session, table: str, aggregates: Mapping[str, Aggregate],
                       keys: Sequence[GroupColumn]) -> tuple[GroupColumn, ...]:
    if len(aggregates) > MOST_AGGREGATES:
        raise BadRequest("At most {most} values can be worked out at once.", "aggregates", most=MOST_AGGREGATES)
    taken = {column.name for column in keys} | {f"{column.name}_title" for column in keys}
    for name in aggregates:
        if not NAME.match(name) or name in taken:
            raise BadRequest('"{name}" cannot be the name of a value that is worked out.', "aggregates",
                             name=name[:60])
    return tuple(_aggregate(session, table, name, *one) for name, one in aggregates.items())


def _aggregate(session: Session, table: str, name: str, operation: str, path: str | None) -> GroupColumn:
    if operation not in OPERATIONS:
        raise BadRequest('"{name}" is not one of count, count_distinct, sum, avg, min, max.', "aggregates",
                         name=operation[:60])
    if path is None:
        if operation != "count":
            raise BadRequest("Say what is to be worked out of.", "aggregates")
        return GroupColumn(name, Type("integer"), loose_field(name, Type("integer")), operation=operation)
    kind = check_path(session.gate, table, path, at="aggregates")
    if kind is None or kind.name == "set":
        raise BadRequest('Nothing can be worked out of "{name}".', "aggregates", name=path)
    if operation in ("count", "count_distinct"):
        return GroupColumn(name, Type("integer"), loose_field(name, Type("integer")), operation=operation)
    fitting = SUMMABLE if operation in ("sum", "avg") else ORDERED - {"text"}
    if kind.many or kind.name not in fitting:
        raise BadRequest('There is no {operation} of "{name}".', "aggregates", operation=operation, name=path)
    result = Type("decimal") if operation == "avg" and kind.name == "integer" else kind
    scale = _scale(session, table, path, operation)
    return GroupColumn(name, result, loose_field(name, result, scale), operation=operation)


def _check_bounds(keys: Sequence[GroupColumn], aggregates: Sequence[GroupColumn], order: Sequence[str],
                  having: Sequence[Having], limit: int, offset: int) -> None:
    known = {column.name for column in (*keys, *aggregates)}
    for entry in order:
        if entry.removeprefix("-") not in known:
            raise BadRequest('Groups cannot be sorted by "{name}".', "order", name=entry[:60])
    numeric = {column.name for column in aggregates if column.type.name in SUMMABLE - {"duration"}}
    for name, comparison, _ in having:
        if name not in numeric or comparison not in COMPARISONS:
            raise BadRequest('Groups cannot be chosen by "{name}".', "having", name=f"{name} {comparison}"[:60])
    if not 1 <= limit <= MOST_GROUPS:
        raise BadRequest("There are between 1 and {most} groups at once.", "limit", most=MOST_GROUPS)
    if not 0 <= offset <= LARGEST_OFFSET:
        raise BadRequest("Skip at most {most} groups.", "offset", most=LARGEST_OFFSET)


def field_at(session: Session, table: str, path: str) -> Field | None:
    """The field at the end of a path, that `check_path` has found."""
    holder, _, last = path.rpartition(".")
    if holder and last == "base":
        return None
    return session.system.model.field(end_of(session.system.model, table, holder) if holder else table, last)


def _scale(session: Session, table: str, path: str, operation: str) -> int | None:
    """The decimals of what is worked out: those of the field, but for the average of plain numbers."""
    field = field_at(session, table, path.removesuffix(".base") if path.endswith(".base") else path)
    kept = getattr(field.properties, "scale", None) if field is not None else None
    if operation == "avg" and (field is None or field.type.name != "money"):
        return DECIMALS
    return kept if kept is not None else 2


# The statement


def _prepare(session: Session, table: str, by: Sequence[By], aggregates: Mapping[str, Aggregate],
             keys: tuple[GroupColumn, ...], worked_out: tuple[GroupColumn, ...], asked: Condition,
             order: Sequence[str], having: Sequence[Having], trash: bool) -> _Grouping:
    """The groups as a select of their own; titles of links and the order stand over it."""
    columns = RecordColumns(session.system, session.gate, table)
    try:
        grouped = [_key_element(columns, *_pair(one)) for one in by]
        values = [_worked_out(columns, *one) for one in aggregates.values()]
        folded = {f"k{number}": func.min(columns.sort_value(tuple(_pair(one)[0].split("."))))
                  for number, one in enumerate(by) if keys[number].type.name == "text"}
    except Denied as error:
        raise BadRequest(error.words, "group") from None
    chosen = [element.label(f"k{number}") for number, element in enumerate(grouped)]
    chosen += [element.label(f"a{number}") for number, element in enumerate(values)]
    chosen += [element.label(f"sort_{name}") for name, element in folded.items()]
    found = [*live(columns, trash=trash), *asked.conditions(columns)]
    inner = select(*(chosen or [func.count().label("none")])).select_from(columns.source).where(*found)
    rows = inner.group_by(*grouped).subquery()
    held = {f"k{number}": Held(rows.c[f"k{number}"], column.type,
                               rows.c[f"sort_k{number}"] if f"k{number}" in folded else None)
            for number, column in enumerate(keys)}
    over = RowColumns(session.system, session.gate, f"groups of {table}", rows, held)
    return _statement(session, over, keys, worked_out, order, having)


def _statement(session: Session, over: RowColumns, keys: tuple[GroupColumn, ...],
               worked_out: tuple[GroupColumn, ...], order: Sequence[str], having: Sequence[Having]) -> _Grouping:
    rows = over.rows
    places = {column.name: rows.c[f"a{number}"] for number, column in enumerate(worked_out)}
    sorting = {column.name: over.sort_value((f"k{number}",)) for number, column in enumerate(keys)}
    chosen: list[ColumnElement[Any]] = [over.held[f"k{number}"].element for number in range(len(keys))]
    chosen += places.values()
    titles: dict[str, int] = {}
    for number, column in enumerate(keys):
        if column.type.name == "link":
            titles[column.name] = len(chosen)
            chosen.append(title_of(session.system, session.gate, column.type.of or "",
                                   over.held[f"k{number}"].element).label(f"t{number}"))
    clauses = []
    for entry in (*order, *(column.name for column in keys)):
        name = entry.removeprefix("-")
        element = sorting[name] if name in sorting else places[name]
        clauses.append(element.desc().nulls_last() if entry.startswith("-") else element.asc().nulls_last())
    clauses += [over.held[f"k{number}"].element.asc() for number in range(len(keys))]   # titles need not differ
    statement = select(*chosen or [rows.c["none"]]).select_from(over.source).order_by(*clauses)
    for number, (name, comparison, _) in enumerate(having):
        statement = statement.where(COMPARISONS[comparison](places[name], parameter(f"having_{number}")))
    statement = statement.limit(parameter("limit", type_=Integer)).offset(parameter("offset", type_=Integer))
    return _Grouping(Statement.compile(statement, session.connection.dialect), keys, worked_out, titles)


def _key_element(columns: RecordColumns, path: str, unit: str | None) -> ColumnElement[Any]:
    """What records are grouped by; moments are dated where the user is."""
    value = columns.value(tuple(path.split(".")))
    if unit is None:
        return value
    kind = columns.type_of(tuple(path.split(".")))
    plain = func.timezone(columns.variable(("zone",)), value) if kind is not None and kind.name == "datetime" else \
        cast(value, DateTime(timezone=False))
    return cast(func.date_trunc(unit, plain), Date)


def _worked_out(columns: RecordColumns, operation: str, path: str | None) -> ColumnElement[Any]:
    if path is None:
        return func.count()
    return OPERATIONS[operation](_measured(columns, operation, path))


def _measured(columns: RecordColumns, operation: str, path: str | None) -> ColumnElement[Any]:
    """What of a record goes into an aggregate: money in base currency, also within formulas."""
    if path is None:
        return literal(1)
    columns.in_base = operation not in ("count", "count_distinct")
    try:
        return columns.value(tuple(path.split(".")))
    finally:
        columns.in_base = False


def _belongs(number: int, one: tuple[str, str | None], kind: Type,
             empty: bool) -> Callable[[RecordColumns], ColumnElement[bool]]:
    def make(columns: RecordColumns) -> ColumnElement[bool]:
        try:
            element = _key_element(columns, *one)
        except Denied as error:
            raise BadRequest(error.words, "group") from None
        return element.is_(None) if empty else element == parameter(f"group_{number}", type_=sql_type(kind))
    return make


# Rows


def _read(found: _Grouping, row: Row) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for position, column in enumerate((*found.keys, *found.aggregates)):
        record[column.name] = _value(column, row[position])
        if column.name in found.titles:
            record[f"{column.name}_title"] = row[found.titles[column.name]]
    return record


def _value(column: GroupColumn, value: Any) -> Any:
    """A value of the database in normal form."""
    if column.type.name == "integer" and isinstance(value, Decimal):
        return int(value)
    if value is None or column.type.name == "date":
        return value
    kind = column.field.type
    blanks = (None,) * (max(1, len(kind.parts(column.field.properties))) - 1)
    return kind.from_columns((value, *blanks), column.field.properties)
