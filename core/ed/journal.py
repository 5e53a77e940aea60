"""What a request did to records: their history and the search queue, all written by one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Dialect, Text, bindparam, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from core.ed import tables
from core.ed.rowset import encode, rowset
from core.ed.shape import Shape
from core.ed.statement import Statement

if TYPE_CHECKING:
    from core.ed.session import Session

VERSION = "_version"                         # in a change: the version of the record before and after
Change = dict[str, list[Any]]                # a field's identity -> [before, after] in wire form


@dataclass(frozen=True, slots=True)
class Entry:
    """What was done to one record; its keys are identities of fields, or system columns such as `_deleted_on`."""

    record_id: int
    shape: Shape
    change: Change


def difference(shape: Shape, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    """The fields of `after` whose value is another than before, with both values; empty fields are left out."""
    change: Change = {}
    for name, value in after.items():
        old = before.get(name)
        if value != old:
            kept = shape.kept[name]
            change[kept.identity] = [kept.to_wire(old), kept.to_wire(value)]
    return change


def write(session: Session, entries: Sequence[Entry]) -> None:
    """Write the history of records whose tables keep it, and queue those that are searched."""
    rows = [{"record_id": e.record_id, "table_id": e.shape.stored.type_id,
             "change": e.change if e.shape.history else None, "queue": e.shape.searched}
            for e in entries if e.shape.history or e.shape.searched]
    if rows:
        statement = session.system.cache.get("journal", lambda: _statement(session.connection.dialect))
        statement.run(session.connection, {
            **encode(rows), "by_user": session.user.user_id, "by_how": session.how,
            "by_import": session.import_id, "by_version": session.system.version})


def _statement(dialect: Dialect) -> Statement:
    columns: dict[str, Any] = {"record_id": BigInteger(), "table_id": BigInteger(), "change": JSONB(),
                               "queue": Boolean()}
    told = select(rowset(columns)).cte("rows")             # used twice, so read once
    history = insert(tables.history).from_select(
        ["record_id", "table_id", "user_id", "how", "import_id", "version", "change"],
        select(told.c.record_id, told.c.table_id, bindparam("by_user", type_=BigInteger()),
               bindparam("by_how", type_=Text()), bindparam("by_import", type_=BigInteger()),
               bindparam("by_version", type_=BigInteger()), told.c.change)
        .where(told.c.change.is_not(None)), include_defaults=False).cte("told")
    queue = insert(tables.search_queue).from_select(
        ["record_id", "table_id"], select(told.c.record_id, told.c.table_id).where(told.c.queue),
        include_defaults=False).add_cte(history)
    return Statement.compile(queue, dialect, fixed=True)
