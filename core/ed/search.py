"""Finding records: by words in all tables, and by title in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, Text, cast, or_, select, union_all

from core.ed import conditions, search_index
from core.ed.columns import RecordColumns, live
from core.ed.schema import roots
from core.ed.statement import Statement, parameter
from core.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from core.ed.session import Session
    from core.expression import Expression


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a search found."""

    table: str
    id: int
    title: str


def search(session: Session, text: str, limit: int = 50) -> list[Found]:
    """The newest records of all tables that hold every word, as far as the user may read them, in one statement."""
    asked, parameters = conditions.looked_for(text)
    if asked is None:
        return []
    def build() -> Statement | None:
        selects = [one for root in roots(session.system.model) if (one := _of_table(session, root, asked)) is not None]
        if not selects:
            return None
        every = union_all(*selects).subquery()
        statement = select(every).order_by(every.c.id.desc()).limit(parameter("limit", type_=Integer))
        return Statement.compile(statement, session.connection.dialect)
    statement = session.system.cache.get(("search", session.user.shape, asked), build)
    if statement is None:
        return []
    rows = statement.rows(session.connection, session.parameters | parameters | {"limit": limit})
    return [Found(session.system.name_of(row[1]) or "", row[0], row[2] or "") for row in rows]


def lookup(session: Session, table: str, text: str, among: Expression | str | None,
           limit: int) -> list[tuple[int, str]]:
    """Records of a table whose title (or searched fields) hold the text, sorted by title; those to peek at too."""
    if table not in session.system.model.tables or not (session.gate.may(table, "read")
                                                        or session.gate.may(table, "peek")):
        raise NotFound('There is no table "{table}", or you may not read it.', table=table)
    asked, parameters = conditions.looked_for(text)
    wanted = conditions.ask(session, table, among, {}, None)
    statement = session.system.cache.get(("lookup", session.user.shape, table, asked, wanted.key),
                                         lambda: _looking_up(session, table, asked, wanted))
    given = {**session.parameters, **wanted.parameters, **parameters, "limit": max(1, min(limit, 100))}
    rows = statement.rows(session.connection, given)
    return [(row[0], row[1] or "") for row in rows]


def _looking_up(session: Session, table: str, asked: bool | None, wanted: conditions.Condition) -> Statement:
    columns = RecordColumns(session.system, session.gate, table)
    root = columns.root
    found = _present(columns)
    if columns.gate is not None:
        columns.peek()
        root = columns.root
        found.append(root.seen)
    title = columns.title(root)
    if asked is not None:
        found.append(_held(columns, title, asked))
    found += wanted.conditions(columns)
    order = columns.title_key()
    statement = (select(root.id, title.label("title")).select_from(columns.source).where(*found)
                 .order_by(order.nulls_last(), root.id).limit(parameter("limit", type_=Integer)))
    return Statement.compile(statement, session.connection.dialect)


def _present(columns: RecordColumns) -> list[ColumnElement[bool]]:
    """Rows of the table that are not in the trash, whoever may read them."""
    own = columns.root.stored.own_rows(columns.root.source)
    return [columns.root.source.c["_deleted_on"].is_(None), *([] if own is None else [own])]


def _held(columns: RecordColumns, title: ColumnElement[Any], words: bool) -> ColumnElement[bool]:
    """The title holds the text, or a searched field does; only titles without an index are compared themselves."""
    searched = conditions.searched(columns, words=words)
    if columns.titled_by_search():
        return searched
    return or_(title.ilike(parameter("contains", type_=Text)), searched)


def _of_table(session: Session, root: str, words: bool) -> Select[Any] | None:
    """The matching records of one physical table; None if there is nothing to search for this user."""
    if not search_index.fields(session.system, root) or not session.gate.may(root, "read"):
        return None
    columns = RecordColumns(session.system, session.gate, root)
    held = conditions.searched(columns, words=words)
    title = columns.title(columns.root)
    statement = select(columns.root.id.label("id"), columns.root.source.c["_type"].label("type"),
                       cast(title, Text).label("title")).select_from(columns.source).where(held, *live(columns))
    limited = statement.order_by(columns.root.id.desc()).limit(parameter("limit", type_=Integer)).subquery()
    return select(limited)
