"""Trees: the way up from a record, as far as the user may read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Text, cast, literal, select

from core.ed.columns import RecordColumns, live
from core.ed.scope import visible
from core.ed.statement import Statement, parameter
from core.expression.evaluate import HIGHEST_TREE

if TYPE_CHECKING:
    from core.ed.session import Session


@dataclass(frozen=True, slots=True)
class Above:
    """A record above another."""

    id: int
    title: str


def tree_of(session: Session, table: str) -> str | None:
    """The link by which records of a table stand above each other, if there is one and the user may read it."""
    def find() -> str | None:
        link = session.system.model.scope(table).tree(table)
        readable = link is not None and session.gate.may(table, "read") and visible(session.gate, table, link)
        return link if readable else None
    return session.gate.once(("tree", table), find)


def above(session: Session, table: str, id: int) -> list[Above]:
    """The records above a record, the topmost first, by one statement; it ends at what the user may not read."""
    link = tree_of(session, table)
    if link is None:
        return []
    statement = session.system.cache.get(("above", session.user.shape, table), lambda: _build(session, table, link))
    rows = statement.rows(session.connection, session.parameters | {"start": id})
    return [Above(row[0], row[1] or f"#{row[0]}") for row in rows]


def _build(session: Session, table: str, link: str) -> Statement:
    home = str(session.system.model.tables[table].fields[link].target)      # the base, for a tree of its kinds
    first, further, shown = (RecordColumns(session.system, session.gate, of) for of in (table, home, home))
    up = select(first.value((link,)).label("id"), literal(1).label("step")).select_from(first.source).where(
        first.root.id == parameter("start", type_=BigInteger()), *live(first)).cte("up", recursive=True)
    next_ = further.value((link,))
    up = up.union_all(select(next_, up.c.step + 1).select_from(further.source).where(
        further.root.id == up.c.id, up.c.step < HIGHEST_TREE, *live(further)))
    title = cast(shown.title(shown.root), Text)
    found = select(shown.root.id, title).select_from(shown.source.join(up, up.c.id == shown.root.id)).where(
        *live(shown)).order_by(up.c.step.desc())
    return Statement.compile(found, session.connection.dialect, fixed=True)
