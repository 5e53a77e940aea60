"""Where paths lead, in SQL: to values, to people and to places in a tree.

The record's side of a right is such a path, the user's side is parameters (`my_team`, `below_user`), so that one
condition holds for all users of the same roles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Date, exists, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import FromClause

from core.ed.relations import ends_of
from core.ed.statement import parameter
from core.types.base import Type

if TYPE_CHECKING:
    from core.definition.model import Model
    from core.ed.system import System

ArrayOf = Callable[[str], ColumnElement[Any]]


def concrete(model: Model, table: str) -> tuple[str, ...]:
    """The tables whose records a table holds: those under it, and itself unless it is abstract."""
    definition = model.tables[table]
    own = () if definition.abstract else (table,)
    return tuple(dict.fromkeys((*own, *definition.kinds)))


def end_of(model: Model, table: str, path: str) -> str:
    """The table at which a path of links (or `id`) ends; raises KeyError if it leads nowhere."""
    for name in path.split("."):
        kind = model.names.member(table, name)
        if kind is None or kind.of is None:
            raise KeyError(f"{table}.{name} leads to no record")
        table = kind.of
    return table


def my_array(table: str) -> ColumnElement[Any]:
    """The parameter that holds the ids of a table that stand for the user."""
    return parameter(f"my_{table}", type_=ARRAY(BigInteger))


def below_array(table: str) -> ColumnElement[Any]:
    """The parameter that holds the ids of a table that stand below the user."""
    return parameter(f"below_{table}", type_=ARRAY(BigInteger))


def place_name(path: str) -> str:
    """The parameter that holds the places in a tree to which a path from the user leads, and those beneath."""
    return "within_" + path.replace(".", "__")


def within(system: System, table: str, path: str, of: str, source: FromClause) -> ColumnElement[bool]:
    """The condition that a path of links from a record leads to where the user stands in a tree, or beneath it."""
    mine = parameter(place_name(of), type_=ARRAY(BigInteger))
    name, _, rest = path.partition(".")
    kind, column = system.model.names.member(table, name), system.stored(table).column(name, source=source)
    if not rest:
        return column.overlap(mine) if kind is not None and kind.many else column == mine.any_()
    target = end_of(system.model, table, name)
    inner = system.stored(target).table.alias()
    found = select(inner.c.id).where(within(system, target, rest, of, inner))
    if kind is not None and kind.many:
        return exists(found.where(inner.c.id == column.any_()).correlate_except(inner))
    return column.in_(found.correlate_except(inner))


def during(system: System, table: str, source: FromClause) -> list[ColumnElement[bool]]:
    """The conditions that a record gives rights to people today, for tables that say from when until when."""
    definition = system.model.tables[table]
    if definition.during is None:
        return []
    stored, today = system.stored(table), parameter("today", type_=Date())
    since, until = (stored.column(name, source=source) for name in definition.during)
    return [or_(since.is_(None), since <= today), or_(until.is_(None), until >= today)]


def path_in(system: System, table: str, path: str, source: FromClause, array_of: ArrayOf) -> ColumnElement[bool]:
    """The condition that a path from a record ends at one of the user's own (or those below); its ends are people.

    Raises KeyError if the path does not end at a table that stands for people.
    """
    name, _, rest = path.partition(".")
    model, stored = system.model, system.stored(table)
    if name == "id":
        return _in_arrays(model, table, stored.column("id", source=source), array_of, many=False)
    kind = model.names.member(table, name)
    if kind is None or kind.of is None:
        raise KeyError(f"{table}.{name} leads to no record")
    part = ""
    if kind.name == "any_link":                     # which of its tables comes next
        part, _, rest = rest.partition(".")
        if model.names.member(kind.of, part) is None:
            raise KeyError(f"{table}.{name} leads to several tables")
        kind = Type("link", part)
    if kind.name == "set":
        return _through_lines(system, table, name, rest or "id", source, array_of)
    column, target = stored.column(name, part, source), str(kind.of)
    if rest in ("", "id"):
        return _in_arrays(model, target, column, array_of, many=kind.many)
    inner = system.stored(target).table.alias()
    condition = path_in(system, target, rest, inner, array_of)
    if kind.many:
        return exists(select(inner.c.id).where(inner.c.id == column.any_(), condition).correlate_except(inner))
    return column.in_(select(inner.c.id).where(condition).correlate_except(inner))


def value_of(system: System, table: str, path: str, source: FromClause) -> ColumnElement[Any]:
    """The value at the end of a path of stored links, as an expression over the record of `source`."""
    name, _, rest = path.partition(".")
    kind, part = system.model.names.member(table, name), ""
    if kind is not None and kind.name == "any_link":
        part, _, rest = rest.partition(".")
    column: ColumnElement[Any] = system.stored(table).column(name, part, source)
    if not rest:
        return column
    target = part or end_of(system.model, table, name)
    inner = system.stored(target).table.alias()
    end = value_of(system, target, rest, inner)
    return select(end).where(inner.c.id == column).correlate_except(inner).scalar_subquery()


def _through_lines(system: System, table: str, name: str, rest: str, source: FromClause,
                   array_of: ArrayOf) -> ColumnElement[bool]:
    field = system.model.field(table, name)
    if field is None or field.target is None:
        raise KeyError(f"{table}.{name} leads to no record")
    line, by = field.target, str(getattr(field.properties, "by", ""))
    if field.type.is_through:                     # the rows between are lines that lead further
        found = ends_of(system, field)
        line, by, rest = found.through, found.by, f"{found.other}.{rest}"
    stored = system.stored(line)
    inner = stored.table.alias()
    parent = stored.column(by, source=inner)
    rows = select(parent).where(inner.c["_deleted_on"].is_(None), *during(system, line, inner),
                                path_in(system, line, rest, inner, array_of))
    return system.stored(table).column("id", source=source).in_(rows.correlate_except(inner))


def _in_arrays(model: Model, table: str, column: ColumnElement[Any], array_of: ArrayOf, *,
               many: bool) -> ColumnElement[bool]:
    """One comparison for each table of people that the linked table is, is a kind of, or holds."""
    people = [name for name in model.names.people
              if model.names.is_kind_of(name, table) or model.names.is_kind_of(table, name)]
    if not people:
        raise KeyError(f"{table} does not stand for people")
    if many:
        return or_(*(column.overlap(array_of(name)) for name in people))
    return or_(*(column == array_of(name).any_() for name in people))
