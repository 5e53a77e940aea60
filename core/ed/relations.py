"""Links through a table between, and open links, in SQL: whom they lead to, and what stands for those.

An id names one record of the whole system, so an open link is an id; which table it is one of is found out when it is
written, and kept beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    distinct,
    func,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from core.definition import relations
from core.ed.schema import roots
from core.ed.statement import Statement

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.definition.relations import Ends
    from core.ed.access import Gate
    from core.ed.columns import RecordColumns
    from core.ed.session import Session
    from core.ed.system import System

IDS = bindparam("ids", type_=ARRAY(BigInteger))


# Links through a table between

def ends_of(system: System, field: Field) -> Ends:
    """The table between and its two links. Raises KeyError if the definition does not make them clear."""
    found = relations.ends(system.model.names, field)
    if found is None:
        raise KeyError(f"{field.table}.{field.name} leads nowhere")
    return found


def others(system: System, gate: Gate | None, field: Field, owner: ColumnElement[Any]) -> Select[Any]:
    """The ids of the records that one record has links to, by rows between that the user may read. Raises Denied."""
    between, by, other = _between(system, gate, field)
    statement = select(other).select_from(between.source).where(by == owner, *_live(between))
    return statement.correlate_except(*between.tables)


def other_ids(system: System, gate: Gate | None, field: Field, owner: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same as an array, in the order of the ids, without records in the trash; empty for none. Raises Denied."""
    between, by, other = _between(system, gate, field)
    target = system.stored(field.target or "")
    there = target.table.alias()
    own = target.own_rows(there)
    on = and_(there.c.id == other, there.c["_deleted_on"].is_(None), *(() if own is None else (own,)))
    found = select(func.array_agg(aggregate_order_by(distinct(other), other))).select_from(
        between.source.join(there, on)).where(by == owner, *_live(between))
    return cast(found.correlate_except(*between.tables, there).scalar_subquery(), ARRAY(BigInteger))


def _between(system: System, gate: Gate | None,
             field: Field) -> tuple[RecordColumns, ColumnElement[Any], ColumnElement[Any]]:
    from core.ed.columns import RecordColumns  # columns stands on this module
    found = ends_of(system, field)
    between = RecordColumns(system, gate, found.through)
    return between, between.value((found.by,)), between.value((found.other,))


def _live(between: RecordColumns) -> list[ColumnElement[bool]]:
    from core.ed.columns import live
    return live(between)


def rows_between(session: Session, field: Field, owners: Collection[int]) -> dict[int, dict[int, list[int]]]:
    """For each record the rows between that this user may read: by the id of the other record, in order."""
    def build() -> Statement:
        between, by, other = _between(session.system, session.gate, field)
        target = session.system.stored(field.target or "")
        there = target.table.alias()
        own = target.own_rows(there)
        on = and_(there.c.id == other, there.c["_deleted_on"].is_(None), *(() if own is None else (own,)))
        statement = select(by, other, between.root.id).select_from(between.source.join(there, on)).where(
            by == any_(IDS), *_live(between)).order_by(between.root.id)
        return Statement.compile(statement, session.connection.dialect, fixed=True)
    statement = session.system.cache.get(("between", session.user.shape, field.table, field.name), build)
    found: dict[int, dict[int, list[int]]] = {}
    for owner, other, row in statement.rows(session.connection, session.parameters | {"ids": list(owners)}):
        found.setdefault(owner, {}).setdefault(other, []).append(row)
    return found


# Open links

def locate(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """The tables of which some records are, whoever may read them, in the trash or not; unknown ids are left out."""
    wanted = sorted({int(one) for one in ids})
    if not wanted:
        return {}
    def build() -> Statement:
        parts = []
        for root in roots(session.system.model):
            source = session.system.stored(root).table
            parts.append(select(source.c.id, source.c["_type"]).where(source.c.id == any_(IDS)))
        return Statement.compile(union_all(*parts), session.connection.dialect, fixed=True)
    statement = session.system.cache.get(("locate",), build)
    found = statement.rows(session.connection, {"ids": wanted})
    return {id_: name for id_, kind in found if (name := session.system.name_of(kind)) is not None}


def titles(session: Session, tables: Mapping[str, Collection[int]]) -> dict[int, tuple[str | None, bool]]:
    """Title of some records, and whether it lies in the trash, as far as the user may read or peek at them.

    One statement, whatever the number of tables.
    """
    wanted = {table: sorted(ids) for table, ids in sorted(tables.items())
              if ids and table in session.system.model.tables and _may_see(session, table)}
    if not wanted:
        return {}
    def build() -> Statement:
        parts = [_titles_of(session, table, number) for number, table in enumerate(wanted)]
        return Statement.compile(parts[0] if len(parts) == 1 else union_all(*parts), session.connection.dialect,
                                 fixed=True)
    statement = session.system.cache.get(("titles", session.user.shape, tuple(wanted)), build)
    given = {f"ids_{number}": ids for number, ids in enumerate(wanted.values())}
    rows = statement.rows(session.connection, session.parameters | given)
    return {id_: (title, trashed) for id_, title, trashed in rows}


def _may_see(session: Session, table: str) -> bool:
    return session.gate.may(table, "read") or session.gate.may(table, "peek")


def _titles_of(session: Session, table: str, number: int) -> Select[Any]:
    from core.ed.columns import RecordColumns
    columns = RecordColumns(session.system, session.gate, table)
    seen = []
    if columns.gate is not None:
        columns.peek()
        seen = [columns.root.seen]
    title = cast(columns.title(columns.root), Text)
    own = columns.root.stored.own_rows(columns.root.source)
    asked = bindparam(f"ids_{number}", type_=ARRAY(BigInteger))
    chosen: tuple[ColumnElement[Any], ...] = (columns.root.id, title,
                                              columns.root.source.c["_deleted_on"].is_not(None))
    return select(*chosen).select_from(columns.source).where(
        columns.root.id == any_(asked), *seen, *(() if own is None else (own,)))


def add_titles(session: Session, names: Iterable[str], records: Iterable[dict[str, Any]]) -> None:
    """Put the titles of what open links lead to into records; None for what the user may not know of.

    Nor are they told the table where they may see nothing of it.
    """
    names, records = list(names), list(records)
    wanted: dict[str, set[int]] = {}
    for record in records:
        for name in names:
            if record.get(name) is not None and record.get(f"{name}_table"):
                wanted.setdefault(record[f"{name}_table"], set()).add(record[name])
    found = titles(session, wanted)
    for record in records:
        for name in names:
            title, trashed = found.get(record.get(name) or 0, (None, False))
            record[f"{name}_title"] = title
            if title is None and (table := record.get(f"{name}_table")) and not _may_see(session, table):
                record[f"{name}_table"] = None
            if trashed:
                record[f"{name}_trashed"] = True

