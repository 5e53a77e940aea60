"""The statement that works out a table's stored formulas, whatever the number of records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    any_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DataError, IntegrityError

from core.ed import store, tables
from core.ed.columns import Node, RecordColumns, as_kept
from core.ed.formulas import kept
from core.ed.rowset import encode, rowset
from core.ed.shape import Shape, shape
from core.ed.statement import Statement, parameter
from core.errors import N_, FieldProblem, Invalid

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.session import Session
    from core.ed.system import System

IDS = parameter("ids", ARRAY(BigInteger))
TOO_LARGE = N_("What is worked out from this would be too large.")


class _Fresh(RecordColumns):
    """The columns of one record whose own stored formulas are worked out, as are all that wait for a promotion."""

    def keeps(self, node: Node, one: Field) -> bool:
        """Only what stands on other records is read as it is stored."""
        return node.source is not self.root.source and super().keeps(node, one)


@dataclass(frozen=True, slots=True)
class _Renewing:
    """The statement that works out a table's stored formulas, and what is left to do in Python."""

    statement: Statement
    folded: tuple[str, ...]                 # fields whose type has to see the value: sort keys of texts


def work_out(session: Session, table: str, ids: Iterable[int]) -> list[int]:
    """Write the stored formulas of records that this transaction holds; gives the ids of those that had other values.

    Raises Invalid.
    """
    shaped = shape(session.system, table)
    renewing = session.system.cache.get(("work out", table), lambda: _renewing(session, shaped))
    try:
        rows = renewing.statement.rows(session.connection, {"ids": sorted(ids)})
        if rows and renewing.folded:
            _fold(session, shaped, renewing.folded, rows)
    except IntegrityError as error:
        raise store.refused(session, shaped, error, ()) from None
    except DataError:
        raise Invalid([FieldProblem("", "too_large", TOO_LARGE)]) from None
    changed = [row[0] for row in rows]
    if changed and any(one.search for one in kept(session.system, table).fields):
        _queue(session, shaped, changed)
    return changed


def _renewing(session: Session, shaped: Shape) -> _Renewing:
    target, fields = shaped.stored.table, kept(session.system, shaped.table.name).fields
    fresh = fresh_values(session.system, shaped.table.name)
    new = fresh.select.where(fresh.id == any_(IDS)).cte("new").prefix_with("MATERIALIZED")
    values: dict[Any, Any] = {}
    differs = []
    for one in fields:
        column, value = target.c[shaped.kept[one.name].columns[0]], new.c[one.name]
        differs.append(column.is_distinct_from(value))
        values[column] = value
        base = shaped.kept[one.name].base
        if base is not None:
            moved = func.round(value * new.c["rate"], getattr(one.properties, "scale", 2))
            values[target.c[base]] = case((differs[-1], moved), else_=target.c[base])
    folded = tuple(one.name for one in fields if set(_parts(one)) - {"", "base"})
    texts = [target.c[shaped.kept[name].columns[0]] for name in folded]
    statement = update(target).values(values).where(target.c.id == new.c.id, or_(*differs))
    statement = statement.returning(target.c.id, *texts)
    return _Renewing(Statement.compile(statement, session.connection.dialect, fixed=True), folded)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A select of what stored formulas ought to be, by field, with the id of the record and its currency's rate."""

    select: Any
    id: ColumnElement[int]
    columns: Mapping[str, ColumnElement[Any]]
    source: Any


def fresh_values(system: System, table: str) -> Fresh:
    """The stored formulas of a table's own records, outside the trash, as they ought to be."""
    columns = _Fresh(system, None, table)
    found = {one.name: as_kept(one, columns.value((one.name,))) for one in kept(system, table).fields}
    labelled = [value.label(name) for name, value in found.items()]
    shaped = shape(system, table)
    if any(shaped.kept[one.name].base for one in kept(system, table).fields):
        labelled.append(_rate(columns, shaped).label("rate"))
    own = shaped.stored.own_rows(columns.root.source)
    there = columns.root.source.c["_deleted_on"].is_(None)
    statement = select(columns.root.id.label("id"), *labelled).select_from(columns.source).where(
        there, *(() if own is None else (own,)))
    return Fresh(statement, columns.root.id, found, columns.root.source)


def _rate(columns: RecordColumns, shaped: Shape) -> ColumnElement[Any]:
    """What a unit of the record's currency is worth: its own, else that of what it is a line of, else 1."""
    path: tuple[str, ...] | None = None
    if shaped.currency is not None:
        path = (shaped.currency, "rate")
    elif shaped.currency_through is not None:
        path = (shaped.currency_through, "currency", "rate")
    return literal(1) if path is None else func.coalesce(columns.value(path), 1)


def _parts(one: Field) -> list[str]:
    return [part.name for part in one.type.parts(one.properties)]


def _fold(session: Session, shaped: Shape, names: Sequence[str], rows: Sequence[Any]) -> None:
    """Write what types make of values beside them, such as the sort key of a text."""
    target = shaped.stored.table
    further = [column for name in names for column in shaped.kept[name].columns[1:]]

    def build() -> Statement:
        new = rowset({"id": BigInteger(), **{column: target.c[column].type for column in further}})
        values = {target.c[column]: new.c[column] for column in further}
        return Statement.compile(update(target).values(values).where(target.c.id == new.c.id),
                                 session.connection.dialect, fixed=True)
    statement = session.system.cache.get(("fold", shaped.table.name), build)
    encoded = []
    for id_, *texts in rows:
        made = [pair for name, text in zip(names, texts, strict=True)
                for pair in shaped.kept[name].to_columns(text).items()]
        encoded.append({"id": id_, **{column: value for column, value in made if column in further}})
    statement.run(session.connection, encode(encoded))


def _queue(session: Session, shaped: Shape, ids: Sequence[int]) -> None:
    """Let searches find what was worked out: it is no entry of history, which queues the rest."""
    wanted = func.unnest(cast(literal(list(ids), ARRAY(BigInteger)), ARRAY(BigInteger))).column_valued("id")
    session.connection.execute(insert(tables.search_queue).from_select(
        ["record_id", "table_id"], select(wanted, cast(shaped.stored.type_id, BigInteger)), include_defaults=False))
