"""Finding records: by words in all tables, and by title in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, array

from core.ed import budget, conditions, search_index, tables, titles
from core.ed.columns import RecordColumns, live
from core.ed.conditions import Needle
from core.ed.statement import Row, Statement, parameter
from core.errors import Denied, NotFound

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.session import Session
    from core.expression import Expression

MOST_COUNTED = 1000             # of what is found in one table
LONGEST_SHOWN = 5000            # characters of a field, of which a part around what was found is shown


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a search found; `texts` are its searched fields that this user may read, by field."""

    table: str
    id: int
    title: str
    texts: tuple[tuple[Field, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found in one table: the best of it, and how much there is (more than `count` if `more`)."""

    table: str
    found: tuple[Found, ...]
    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class _Searching:
    """The statement over all tables, and which fields the texts of a row are, by the table's identity."""

    statement: Statement
    fields: dict[int, tuple[Field, ...]]


def search(session: Session, text: str, limit: int = 50) -> list[Found]:
    """The newest records of all tables that hold every word, as far as the user may read them, in one statement."""
    found = [one for hits in everywhere(session, text, limit) for one in hits.found]
    return sorted(found, key=lambda one: -one.id)[:limit]


def everywhere(session: Session, text: str, each: int = 5) -> list[Hits]:
    """What all tables hold of a text, in one statement: where it begins a title, then words of titles, then the rest.

    The newest come first among equals; tables come by their best record. Raises BadRequest.
    """
    needle, parameters = conditions.looked_for(text)
    if needle is None:
        return []
    searching = session.system.cache.get(("search", session.user.shape, needle), lambda: _searching(session, needle))
    if searching is None:
        return []
    rows = budget.rows(session, searching.statement, session.parameters | parameters | {"limit": each})
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return [_hits(session, searching, table, several) for table, several in found.items()]


def lookup(session: Session, table: str, text: str, among: Expression | str | None,
           limit: int) -> list[tuple[int, str]]:
    """Records of a table whose title (or searched fields) hold the text, sorted by title; those to peek at too."""
    if table not in session.system.model.tables or not (session.gate.may(table, "read")
                                                        or session.gate.may(table, "peek")):
        raise NotFound('There is no table "{table}", or you may not read it.', table=table)
    needle, parameters = conditions.looked_for(text)
    wanted = conditions.ask(session, table, among, {}, None)
    statement = session.system.cache.get(("lookup", session.user.shape, table, needle, wanted.key),
                                         lambda: _looking_up(session, table, needle, wanted))
    given = {**session.parameters, **wanted.parameters, **parameters, "limit": max(1, min(limit, 100))}
    rows = statement.rows(session.connection, given)
    return [(row[0], row[1] or "") for row in rows]


# One table


def _looking_up(session: Session, table: str, needle: Needle | None, wanted: conditions.Condition) -> Statement:
    columns = RecordColumns(session.system, session.gate, table)
    root = columns.root
    found = _present(columns)
    if columns.gate is not None:
        columns.peek()
        root = columns.root
        found.append(root.seen)
    title = columns.title(root)
    if needle is not None:
        found.append(_held(columns, title, needle))
    found += wanted.conditions(columns)
    order = titles.sort_title(columns, root)
    statement = (select(root.id, title.label("title")).select_from(columns.source).where(*found)
                 .order_by(order.nulls_last(), root.id).limit(parameter("limit", type_=Integer)))
    return Statement.compile(statement, session.connection.dialect)


def _present(columns: RecordColumns) -> list[ColumnElement[bool]]:
    """Rows of the table that are not in the trash, whoever may read them."""
    own = columns.root.stored.own_rows(columns.root.source)
    return [columns.root.source.c["_deleted_on"].is_(None), *([] if own is None else [own])]


def _held(columns: RecordColumns, title: ColumnElement[Any], needle: Needle) -> ColumnElement[bool]:
    """The title holds the text, or a searched field does; only titles without an index are compared themselves."""
    searched = conditions.searched(columns, needle)
    if titles.found_by_search(columns.system, columns.root.table):
        return searched
    return or_(title.ilike(parameter("contains", type_=Text)), searched)


# All tables


def _searching(session: Session, needle: Needle) -> _Searching | None:
    """One select for each table over the words that match, which are looked up once for all of them."""
    words = _matching_words() if needle.words else None
    fields: dict[int, tuple[Field, ...]] = {}
    selects = []
    for name, table in session.system.model.tables.items():
        if not table.abstract and search_index.fields(session.system, name) and session.gate.may(name, "read"):
            candidates = _candidates(session, name, needle, words)
            if candidates is not None:
                one, fields[session.system.identities[name]] = _of_table(session, name, candidates)
                selects.append(one)
    if not selects:
        return None
    every = union_all(*selects).subquery()
    best = func.min(every.c.place).over(partition_by=every.c.table)
    statement = select(every).order_by(best, every.c.table, every.c.place, every.c.id.desc())
    return _Searching(Statement.compile(statement, session.connection.dialect, fixed=True), fields)


def _matching_words() -> CTE:
    index = tables.search
    query, titled = (cast(parameter(name, type_=Text), TSQUERY) for name in ("query", "titled"))
    match: Callable[[Any], ColumnElement[Any]] = index.c.tsv.op("@@")
    return select(index.c.record_id, index.c.table_id, index.c.part, match(titled).label("titled")).where(
        match(query)).cte("words")


def _of_table(session: Session, table: str, candidates: Subquery) -> tuple[Select[Any], tuple[Field, ...]]:
    """The best records of one table with their titles and texts, and how many there are up to a bound."""
    columns = RecordColumns(session.system, session.gate, table)
    title = cast(columns.title(columns.root), Text)
    shown, texts = _texts(columns)
    place = func.least(candidates.c.place, func.coalesce(cast(
        title.not_ilike(parameter("starts", type_=Text)), Integer), 1) * 3)
    statement = select(
        literal(session.system.identities[table], Integer).label("table"), columns.root.id.label("id"),
        title.label("title"), place.label("place"), func.count().over().label("count"), texts.label("texts"))
    statement = statement.select_from(columns.source.join(candidates, candidates.c.id == columns.root.id))
    statement = statement.order_by(place, columns.root.id.desc()).limit(parameter("limit", type_=Integer))
    return select(statement.subquery()), shown


def _candidates(session: Session, table: str, needle: Needle, words: CTE | None) -> Subquery | None:
    """The ids of the records that hold the text and may be read: 1 where a title has all words, else 2."""
    columns = RecordColumns(session.system, session.gate, table)
    found = [ids.with_only_columns(ids.selected_columns[0].label("id"), literal(2, Integer).label("place"))
             for ids in conditions.containing(columns, needle)]
    if words is not None:
        found += search_index.among(columns, words)
    if not found:
        return None
    hits = union_all(*found).subquery()
    each = select(hits.c.id, func.min(hits.c.place).label("place")).group_by(hits.c.id).subquery()
    statement = select(columns.root.id.label("id"), each.c.place.label("place"))
    statement = statement.select_from(columns.source.join(each, each.c.id == columns.root.id)).where(*live(columns))
    return statement.order_by(each.c.place, columns.root.id.desc()).limit(MOST_COUNTED + 1).subquery()


def _texts(columns: RecordColumns) -> tuple[tuple[Field, ...], ColumnElement[Any]]:
    """What of the searched fields this user may read, as one array."""
    shown: list[Field] = []
    values: list[ColumnElement[Any]] = []
    for field in search_index.fields(columns.system, columns.root.table):
        part = "" if "" in field.type.searched else field.type.searched[0]
        try:
            value = columns.value((field.name, part) if part else (field.name,))
        except Denied:
            continue
        shown.append(field)
        plain = func.array_to_string(value, ", ") if isinstance(value.type, ARRAY) else cast(value, Text)
        values.append(func.left(plain, LONGEST_SHOWN))
    return tuple(shown), cast(array(values, type_=Text), ARRAY(Text))


def _hits(session: Session, searching: _Searching, identity: int, rows: Sequence[Row]) -> Hits:
    table, fields = session.system.name_of(identity) or "", searching.fields[identity]
    found = tuple(Found(table, row[1], row[2] or "", tuple(
        (field, text) for field, text in zip(fields, row[5], strict=True) if text)) for row in rows)
    count = int(rows[0][4])
    return Hits(table, found, min(count, MOST_COUNTED), count > MOST_COUNTED)
