"""Amounts in base currency: beside each amount of money stands the same at its record's rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from core.ed.shape import Kept, Shape, shape
from core.types.numbers import plain, rounded

if TYPE_CHECKING:
    from core.ed.session import Session
    from core.ed.values import Row

ONE = Decimal(1)


def rates(session: Session, shaped: Shape, rows: Sequence[Row]) -> dict[int, Decimal]:
    """What a unit of each row's currency is worth in base currency, by the row's place in the list.

    The currency is the record's own, else that of the record it is a line of, else the organisation's: 1. A table with
    a field `rate` keeps each record's own there: rows get one that the caller did not give.
    """
    if shaped.rate is not None:
        return _own(session, shaped, shaped.rate, rows)
    concerned = {n: row for n, row in enumerate(rows) if _concerns_money(shaped, row)}
    link = shaped.currency or shaped.currency_through
    if not concerned or link is None:
        return {}
    wanted = {n: row.now(link) for n, row in concerned.items() if row.now(link) is not None}
    if not wanted:
        return {}
    known = _of_currencies(session, set(wanted.values())) if shaped.currency else _of_parents(
        session, shaped, set(wanted.values()))
    return {n: known[id_] for n, id_ in wanted.items() if id_ in known}


def fill(shaped: Shape, row: Row, columns: dict[str, Any], rate: Decimal) -> None:
    """Put the base amounts beside the amounts that are about to be written."""
    moved = row.old is not None and moves(shaped, row)
    for kept in shaped.money:
        if kept.field.name in row.values or moved:
            amount = row.now(kept.field.name)
            columns[str(kept.base)] = in_base(kept, amount, rate)


def moves(shaped: Shape, row: Row) -> bool:
    """Whether all amounts of a record are worth something else now, for its currency or rate is another one."""
    return shaped.currency in row.values or shaped.rate in row.values


def _own(session: Session, shaped: Shape, rate: str, rows: Sequence[Row]) -> dict[int, Decimal]:
    link = str(shaped.currency)
    asked = [row for row in rows if row.values.get(rate) is None and (
        row.old is None or link in row.values or rate in row.values)]
    wanted = {row.now(link) for row in asked} - {None}
    known = _of_currencies(session, wanted) if wanted else {}
    scale = getattr(shaped.kept[rate].p, "scale", 6)
    for row in asked:
        found = known.get(row.now(link))
        row.values[rate] = None if found is None else plain(rounded(found, scale))
    return {number: row.now(rate) for number, row in enumerate(rows) if row.now(rate) is not None}


def follow(session: Session, shaped: Shape, row: Row, rate: Decimal) -> None:
    """Work out the base amounts of a record's lines again, when its currency became another one."""
    for field in shaped.table.lines.values():
        child = shape(session.system, field.target or "")
        if child.currency is None and child.currency_through == getattr(field.properties, "by", None) and child.money:
            table = child.stored.table
            values = {table.c[str(k.base)]: func.round(table.c[k.columns[0]] * rate, k.p.scale)
                      for k in child.money}
            session.connection.execute(update(table).values(values).where(
                child.stored.column(str(child.currency_through)) == row.id))


def in_base(kept: Kept, amount: Decimal | None, rate: Decimal) -> Decimal | None:
    """An amount at a rate, with the decimals of its field."""
    return None if amount is None else rounded(amount * rate, kept.p.scale)


def _concerns_money(shaped: Shape, row: Row) -> bool:
    if row.old is not None and shaped.currency in row.values:
        return True
    return any(row.values.get(kept.field.name) is not None for kept in shaped.money)


def _of_currencies(session: Session, ids: set[int]) -> Mapping[int, Decimal]:
    currency = shape(session.system, "currency")
    source = currency.stored.table
    statement = select(source.c.id, currency.stored.column("rate")).where(source.c.id.in_(ids))
    return {id_: rate for id_, rate in session.connection.execute(statement) if rate is not None}


def _of_parents(session: Session, shaped: Shape, ids: set[int]) -> Mapping[int, Decimal]:
    parent = shape(session.system, shaped.table.fields[str(shaped.currency_through)].target or "")
    currency = shape(session.system, "currency")
    source, rate = parent.stored.table, currency.stored.column("rate")
    if parent.rate is not None:
        rate = func.coalesce(parent.stored.column(parent.rate), rate)  # type: ignore[assignment]
    link = parent.stored.column(str(parent.currency))
    statement = select(source.c.id, rate).join_from(
        source, currency.stored.table, currency.stored.table.c.id == link).where(source.c.id.in_(ids))
    return {id_: value for id_, value in session.connection.execute(statement) if value is not None}
