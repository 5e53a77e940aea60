"""The first records of each of several groups, as cards in columns, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, literal, select, union_all

from core.ed import budget, conditions, read
from core.ed.columns import RecordColumns, live
from core.ed.read import Listing
from core.ed.statement import Reader, Record, Statement, parameter
from core.expression.sql import sql_type

if TYPE_CHECKING:
    from core.ed.conditions import Condition
    from core.ed.session import Session

MOST = 30                               # columns


def boards(session: Session, table: str, fields: Sequence[str], by: str, values: Sequence[object], where: Any, *,
           order: Sequence[str], search: str | None = None, each: int = 20) -> list[list[Record]]:
    """For each value of a field the first records that have it, as far as the user may read them. Raises BadRequest.

    `values` are in normal form, None for records without any; at most MOST of them are looked at.
    """
    shown = tuple(values[:MOST])
    if not shown:
        return []
    asked = conditions.ask(session, table, where, {}, search)
    empty = tuple(value is None for value in shown)
    listing = session.system.cache.get(
        ("boards", session.user.shape, table, tuple(fields), by, empty, asked.key, tuple(order)),
        lambda: _listing(session, table, fields, by, empty, asked, order))
    given = {f"board_{number}": value for number, value in enumerate(shown) if value is not None}
    rows = budget.rows(session, listing.statement, {**session.parameters, **asked.parameters, **given, "limit": each},
                       typed=asked.typed)
    found: list[list[Record]] = [[] for _ in shown]
    for row, record in zip(rows, read.opened(session, listing, listing.reader.records(rows)), strict=True):
        found[row[listing.first_key]].append(record)
    return found


def _listing(session: Session, table: str, fields: Sequence[str], by: str, empty: Sequence[bool], asked: Condition,
             order: Sequence[str]) -> Listing:
    selects = []
    made: tuple[Reader, int, tuple[Any, ...]] | None = None
    for number, is_empty in enumerate(empty):
        columns = RecordColumns(session.system, session.gate, table)
        selection = read.select_fields(session, table, columns, fields)
        keys = read.keys_of(session, columns, table, order)
        path = tuple(by.split("."))
        kind, value = columns.type_of(path), columns.value(path)
        belongs = value.is_(None) if is_empty else value == parameter(
            f"board_{number}", type_=sql_type(kind) if kind is not None else None)
        found = [*live(columns), *asked.conditions(columns), belongs]
        chosen, reader, first = selection.finish([literal(number, Integer)])
        made = reader, first, tuple(selection.open)
        one = select(*chosen).select_from(columns.source).where(*found).order_by(*(key.clause() for key in keys))
        selects.append(select(one.limit(parameter("limit", type_=Integer)).subquery()))
    if made is None:
        raise ValueError("there are no columns to show")
    return Listing(Statement.compile(union_all(*selects), session.connection.dialect), *made)
