"""What a query reads: its sources in order, its conditions and columns as written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.definition.building import Building
from core.definition.circles import circle_of, spelled
from core.definition.names import fault, suggestion
from core.definition.queries import Condition, Conditions, How, Known, Query, QueryColumn, Reading
from core.definition.scope import Written
from core.definition.values import BodyPath, Merged, value_at
from core.expression import SetQuery
from core.expression import scope as expressions

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.expression.check import Over
    from core.expression.scope import Argument
    from core.types.base import Type

WORDS: Mapping[str, How] = {"all": "all", "any": "any", "not": "not"}
_RUNNING = re.compile(r"\brunning\s*\(")
MOST_LEVELS = 16         # of queries that read queries: each is a select within a select
MOST_READ = 100          # tables and queries, with all that these read


def in_order(merged: list[Merged], building: Building) -> Iterator[Merged]:
    """Queries after those they read; queries that read each other in a circle are told and left out."""
    by_name = {one.name: one for one in merged}
    reads = {name: [of for _, of in _sources(one.body) if of in by_name] for name, one in by_name.items()}
    done: set[str] = set()
    sizes: dict[str, tuple[int, int]] = {}
    left = list(by_name)
    while left:
        ready = [name for name in left if done.issuperset(reads[name])]
        if not ready:
            break
        done.update(ready)
        left = [name for name in left if name not in done]
        yield from (by_name[name] for name in ready if not _tell_large(by_name[name], reads, sizes, building))
    _tell_circles(left, by_name, reads, building)


def _tell_large(one: Merged, reads: Mapping[str, list[str]], sizes: dict[str, tuple[int, int]],
                building: Building) -> bool:
    """Whether a query reads too much with all that it reads, or what does; told where it begins.

    `sizes` gets how many levels of queries it has, and how many tables and queries it reads in all.
    """
    below = [sizes.get(name) for name in reads[one.name]]
    sources = list(_sources(one.body))
    found = [size for size in below if size is not None]
    levels = 1 + max((levels for levels, _ in found), default=0)
    read = len(sources) + sum(read for _, read in found)
    if len(found) == len(below) and levels <= MOST_LEVELS and read <= MOST_READ:
        sizes[one.name] = levels, read
        return False
    building.broken.add(("query", one.name))
    building.names.broken.add(f"query {one.name}")
    if len(found) == len(below):
        building.tell(one, sources[0][0], f"queries read each other at most {MOST_LEVELS} deep" if levels > MOST_LEVELS
                      else f"with all that it reads, a query reads at most {MOST_READ} tables and queries")
    return True


def _tell_circles(left: list[str], by_name: Mapping[str, Merged], reads: Mapping[str, list[str]],
                  building: Building) -> None:
    """Each circle once, at the query whose name comes first; what reads one of them cannot be built either."""
    for name in left:
        building.broken.add(("query", name))
        building.names.broken.add(f"query {name}")
    for name in left:
        circle = circle_of(name, lambda one: reads[one])
        if circle and name == min(circle):
            place = next(path for path, of in _sources(by_name[name].body) if of == circle[1])
            building.tell(by_name[name], place, "queries read each other in a circle: " + spelled(circle))


def _sources(body: Mapping[str, object]) -> Iterator[tuple[BodyPath, str]]:
    """What a body reads, each with its place."""
    if isinstance(body.get("of"), str):
        yield ("of",), str(body["of"])
    parts = body.get("union")
    for name, part in parts.items() if isinstance(parts, dict) else ():
        if isinstance(part, dict) and isinstance(part.get("of"), str):
            yield ("union", name, "of"), part["of"]


def reading(building: Building, merged: Merged, at: BodyPath, of: str, where: object, columns: Mapping[str, Any],
            parameters: Mapping[str, Field], grouped: bool = False, union: str = "") -> Reading | None:
    """What is read at a place of a query; None, with a problem told, if it reads nothing that is there."""
    source, table, query = union, None, None
    if not union:
        if of in building.names.tables:
            source = table = of
        else:
            query = query_of(building, of)
            if query is None:
                _tell_missing(building, merged, (*at, "of"), of)
                return None
            table = query.table if query.chooses else None
            source = table or f"query {of}"
    made: dict[str, QueryColumn] = {}
    known = set(building.names.members(source))
    for name, column in columns.items():
        before = {n: c for n, c in made.items() if n not in known}
        made[name] = _column(building, merged, (*at, "columns", name), name, column, source, parameters, before,
                             grouped)
    found = conditions(building, merged, (*at, "where"), where, source, parameters, {}, "record")
    return Reading(building.names, of, source, table, query, found, made)


def query_of(building: Building, name: str) -> Query | None:
    """A query that was built already."""
    queries: Mapping[str, Query] = building.values.get("query") or {}
    return queries.get(name)


def _tell_missing(building: Building, merged: Merged, path: BodyPath, of: str) -> None:
    if {("table", of), ("query", of)} & building.broken:
        return
    now = building.names.renames.definition("table", of)
    if now is not None and building.alias(merged, path, of, now):
        return
    building.tell(merged, path, f'there is no table or query "{of}"'
                  + suggestion(of, (*building.names.tables, *building.known("query"))))


def _column(building: Building, merged: Merged, at: BodyPath, name: str, schema: Any, source: str,
            parameters: Mapping[str, Field], before: Mapping[str, QueryColumn], grouped: bool) -> QueryColumn:
    text = schema.is_ if schema.is_ is not None else name
    scope = building.scope(source, variables(building, parameters, before))
    written = Written(text, scope, over=over(text, grouped))
    body = value_at(merged.body, at)
    place = (*at, "is") if isinstance(body, dict) and "is" in body else at
    return QueryColumn(name, schema.title, written, place, schema.total, schema.badge, schema.hidden,
                       merged.text_path(at))


def over(text: str, grouped: bool) -> Over:
    """What an expression of a query is about: a record, a group of them, or the rows of the result in their order."""
    return "result" if _RUNNING.search(text) else "group" if grouped else "record"


def variables(building: Building, parameters: Mapping[str, Field], columns: Mapping[str, QueryColumn]) -> Known:
    """What expressions of a query know beside its source."""
    types: dict[str, Type] = {f"parameter.{name}": field.expression_type for name, field in parameters.items()}
    return Known(building.names, types, columns)


def conditions(building: Building, merged: Merged, at: BodyPath, value: object, source: str,
               parameters: Mapping[str, Field], columns: Mapping[str, QueryColumn], about: Over) -> Conditions | None:
    """Conditions as written: one expression, or named ones in each other; what is no condition is told."""
    members = set(building.names.members(source))
    before = {name: column for name, column in columns.items() if name not in members}
    scope = building.scope(source, variables(building, parameters, before))

    def written(one: object, place: BodyPath) -> Condition | None:
        if isinstance(one, bool | list) or one is None or str(one).startswith("="):
            building.tell(merged, place, "a condition is expected here" + (
                ', so it has no "=" before it' if isinstance(one, str) else ""))
            return None
        return Condition(Written(str(one), scope, "boolean", over=about), place)

    def several(mapping: Mapping[str, object], place: BodyPath, how: How) -> Conditions | None:
        parts: dict[str, Condition | Conditions | None] = {}
        for key, one in mapping.items():
            inner = (*place, key)
            if key in WORDS and not isinstance(one, dict):
                building.tell(merged, inner, f'under "{key}" conditions by name are expected, such as '
                              f"{key}: {{first_name: condition}}")
            elif key not in WORDS and (wrong := fault(key)) is not None:
                building.tell(merged, inner, wrong)
            elif isinstance(one, dict):
                parts[key] = several(one, inner, WORDS.get(key, "all"))
            else:
                parts[key] = written(one, inner)
        kept = {key: part for key, part in parts.items() if part is not None}
        return Conditions(how, kept) if kept else None

    if value is None:
        return None
    if isinstance(value, dict):
        return several(value, at, "all")
    one = written(value, at)
    return Conditions("all", {"": one}) if one is not None else None


def set_query(query: Query, parameters: Mapping[str, Argument]) -> SetQuery:
    """A query as a set of records, for `query.name()` in expressions."""
    where = () if query.obstacle else tuple(_folded(one) for one in query.conditions)
    return SetQuery(_table(query) or "", parameters, where, query.obstacle)


def _table(one: Reading) -> str | None:
    """A table whose records go into its rows."""
    if one.table is not None:
        return one.table
    if isinstance(one, Query) and one.parts:
        return _table(next(iter(one.parts.values())))
    return _table(one.query) if one.query is not None else None


def _folded(one: Conditions) -> expressions.Conditions:
    return expressions.Conditions(one.how, tuple(
        part.written.source if isinstance(part, Condition) else _folded(part) for part in one.parts.values()))
