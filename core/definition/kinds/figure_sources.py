"""Sources of figures: records or rows that reports, charts and dashboards count, grouped by keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.fields import check_value, value_of
from core.definition.kinds.parameters import parameter_fields
from core.definition.kinds.query import Conditions
from core.definition.kinds.query_checks import plain
from core.definition.kinds.query_sources import over, reading, variables
from core.definition.kinds.schema import Expression, Name, Schema, Value
from core.definition.names import suggestion
from core.definition.queries import Query, QueryColumn, Reading
from core.definition.reporting import Source
from core.definition.scope import Written
from core.definition.values import BodyPath, Merged, value_at
from core.expression import ExpressionError
from core.expression.nodes import GroupAggregate, Node, Path, Rows, Running, walk
from core.expression.type_rules import SUMMABLE, describe

if TYPE_CHECKING:
    from core.definition.model import Field

Parameters = Mapping[str, "Field"]


class SourceSchema(Schema):
    """Where figures come from."""

    of: Name = Property(description="The table, base or query that it reads; what a reader may not see does not count.")
    with_: dict[Name, Value] = Property({}, alias="with", description="Parameters of the query that it reads. Those "
                                        "that are left out become parameters of this definition.")
    where: Conditions = Property(None, description="The records or rows that count: one expression, or conditions by "
                                 "name (see query); all if left out.")
    by: dict[Name, Expression] = Property({}, description="The keys: one row for each of their values, such as "
                                          "{month: month_start(closed)}. Without keys it is one row.")
    values: dict[Name, Expression] = Property({}, description="What is worked out for each row, such as sum(amount) or "
                                              "count(). Without keys and values its rows are the records themselves.")


def build_source(building: Building, merged: Merged, at: BodyPath, name: str, schema: Any,
                 parameters: Parameters) -> Source | None:
    """A source; None, with a problem told, if it reads nothing that is there."""
    found = reading(building, merged, at, schema.of, schema.where, {}, parameters)
    if found is None:
        return None
    rows = grouped_rows(building, merged, at, found, schema.by, schema.values, parameters)
    given = given_values(building, merged, (*at, "with"), schema.with_, found.query.parameters if found.query else {},
                   parameters)
    return Source(name, rows, tuple(schema.by), given)


def grouped_rows(building: Building, merged: Merged, at: BodyPath, found: Reading, by: Mapping[str, str],
                 values: Mapping[str, str], parameters: Parameters) -> Query:
    """What is read as the rows of a query: a column for each key and each value."""
    columns: dict[str, QueryColumn] = {}
    for part, expressions in (("by", by), ("values", values)):
        for name, text in expressions.items():
            scope = building.scope(found.source, variables(building, parameters, {}))
            places: tuple[BodyPath, ...] = ((*at, part, name), (*at, name))         # a KPI has one value of its own
            place = next((one for one in places if value_at(merged.body, one) is not None), (*at, part))
            columns[name] = QueryColumn(name, None, Written(text, scope, over=over(text, part == "values")), place)
    group = tuple(by) if by or values else None
    return Query(names=building.names, of=found.of, source=found.source, table=found.table, query=found.query,
                 where=found.where, columns=columns, name=merged.name, title="", parameters=parameters, group=group)


def with_inherited(building: Building, merged: Merged, schemas: Any, below: Iterable[tuple[BodyPath, str, Parameters]],
                   ) -> dict[str, Field]:
    """Its own parameters over those that what it reads wants; one name has one type everywhere."""
    own = parameter_fields(building, merged, ("parameters",), schemas)
    taken: dict[str, Field] = {}
    for path, what, parameters in below:
        for name, field in parameters.items():
            other = own.get(name) or taken.get(name)
            if other is not None and other.expression_type != field.expression_type:
                building.tell(merged, path, f'{what} wants the parameter "{name}" as '
                              f"{describe(field.expression_type)}, but here it is {describe(other.expression_type)}: "
                              'give it in "with"')
            elif name not in own:
                taken.setdefault(name, field)
    return {**taken, **own}


def wanted(building: Building, at: BodyPath, of: str, given: Iterable[str]) -> tuple[BodyPath, str, Parameters]:
    """The parameters that a source of a query wants from whoever shows it."""
    query = None if of in building.names.tables else building.values["query"].get(of)
    left = {name: field for name, field in (query.parameters if query else {}).items() if name not in given}
    return (*at, "of"), f'query "{of}"', left


def given_values(building: Building, merged: Merged, at: BodyPath, values: Mapping[str, object], fields: Parameters,
           parameters: Parameters) -> dict[str, object]:
    """Values for parameters: literals in normal form, or expressions; for what has no such parameter a problem."""
    given = {}
    scope = building.scope(None, variables(building, parameters, {}))
    for name, value in values.items():
        if name in fields:
            given[name] = value_of(merged, (*at, name), value, fields[name], scope, building)
        else:
            building.tell(merged, (*at, name), f'there is no parameter "{name}"' + suggestion(name, fields))
    return given


def check_given(building: Building, merged: Merged, at: BodyPath, given: Mapping[str, object],
                fields: Parameters) -> None:
    """Tell what is wrong with values for parameters."""
    for name, value in given.items():
        check_value(merged, (*at, name), value, fields[name], building)


def check_source(building: Building, merged: Merged, at: BodyPath, source: Source) -> bool:
    """Tell every problem of a source; True if its keys and values can be used."""
    rows = source.rows
    building.find(merged, (*at, "of"), "table" if rows.query is None else "query", rows.of)
    for one in rows.where.each() if rows.where is not None else ():
        building.check(merged, one.at, one.written)
    if rows.query is not None:
        check_given(building, merged, (*at, "with"), source.given, rows.query.parameters)
        if not rows.query.chooses and not rows.query.results:
            return False                # told where that query stands
    return check_rows(building, merged, rows, source.keys)


def check_rows(building: Building, merged: Merged, rows: Query, keys: tuple[str, ...]) -> bool:
    """Check keys and values: single values, and that each value is one for the whole row."""
    sound = {name for name, column in rows.columns.items() if _typed(building, merged, rows, column)}
    nodes = [rows.columns[key].node for key in keys if key in sound]
    faults = 0
    for name in [name for name in rows.columns if name in sound and (name in keys or sound.issuperset(keys))]:
        column = rows.columns[name]
        problem = _key_fault(column) if name in keys else _value_fault(building, rows, column, nodes)
        if problem:
            building.tell(merged, column.at, problem)
            faults += 1
    return not faults and len(sound) == len(rows.columns)


def _typed(building: Building, merged: Merged, rows: Query, column: QueryColumn) -> bool:
    """Check one expression by itself; True if it has a type."""
    if _through_lines(building, merged, column, rows.source):
        return False
    building.check(merged, column.at, column.written)
    try:
        return bool(column.type)
    except ExpressionError:
        return False


def _through_lines(building: Building, merged: Merged, column: QueryColumn, source: str) -> bool:
    """Tell of a plain path through several records: each would be a row, and all else would be counted twice."""
    current: str | None = source
    parts = column.written.source.strip().split(".")
    for number, part in enumerate(parts):
        kind = building.names.member(current, part) if current is not None and part.isidentifier() else None
        if kind is None:
            return False
        if (kind.name == "set" or (kind.many and kind.name == "link")) and kind.of is not None:
            several = ".".join(parts[:number + 1])
            building.tell(merged, column.at, f'"{several}" are several records for each of "{source}", which would '
                          f"then count more than once: write of: {kind.of}, whose rows they are")
            return True
        current = kind.of
    return False


def _key_fault(column: QueryColumn) -> str:
    if any(isinstance(part, GroupAggregate | Running) for part in walk(column.node)):
        return f'"{column.written.source}" is worked out over several records: it cannot be a key'
    if column.type.many or column.type.name == "set":
        return (f'"{column.written.source}" holds several values, so that a record would count more than once: it '
                "cannot be a key")
    return ""


def _value_fault(building: Building, rows: Query, column: QueryColumn, keys: list[Node]) -> str:
    """Why a value is not one for the whole row, or counts something twice."""
    loose = plain(column.node, keys)
    if loose is not None:
        name = ".".join(loose.names) or "record"
        one = f"{'sum' if loose.type.name in SUMMABLE else 'max'}({name})"
        return f'"{name}" differs from record to record: write it as an aggregate, such as {one}, or add it to "by"'
    if column.type.many or column.type.name in ("set", "null"):
        return f'"{column.written.source}" is {describe(column.type)}: a value of a row is single'
    return next((fault for part in walk(column.node) if isinstance(part, GroupAggregate)
                 if (fault := _double(building, rows.table, part))), "")


def _double(building: Building, table: str | None, aggregate: GroupAggregate) -> str:
    """Why a sum over lines counts what belongs to their head once for each line."""
    if aggregate.name not in ("sum", "avg") or aggregate.value is None or table is None:
        return ""
    paths = [part for part in walk(aggregate.value) if isinstance(part, Path | Rows)]
    links = {part.names[0] if isinstance(part, Path) and len(part.names) > 1 else "" for part in paths}
    for link in links if len(links) == 1 else ():
        head = building.names.tables.get((building.names.member(table, link) or aggregate.type).of or "")
        lines = head is not None and any(_is_way_back(field, table, link, building) for field in head.fields.values())
        if head is not None and lines:
            return (f'"{head.name}" has several lines, and what is its own would count once for each of them: write '
                    f"of: {head.name} in a source for it")
    return ""


def _is_way_back(field: Field, table: str, link: str, building: Building) -> bool:
    """Whether a field holds the records of a table as lines, by a link of theirs."""
    said = field.properties.model_dump()
    return field.type.is_lines and said["by"] == link and building.names.is_kind_of(table, str(said["of"]))
