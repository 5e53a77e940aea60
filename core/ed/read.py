"""Reading records: one statement for a page or a set of records, whatever links its fields follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Integer, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.database.engine import execute
from core.ed import budget, conditions, cursor, lines, relations
from core.ed.columns import RecordColumns, live
from core.ed.conditions import Condition, Filters
from core.ed.paths import end_of
from core.ed.selection import OWN_KEYS, Selection, check_path
from core.ed.statement import Reader, Record, Statement, parameter
from core.errors import BadRequest, Denied, NotFound
from core.types.base import Type
from core.types.link import tables_of

if TYPE_CHECKING:
    from core.ed.session import Session

LARGEST_PAGE = 1000
LARGEST_OFFSET = 10_000
MOST_FIELDS = 100
MOST_KEYS = 5


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next` is the cursor behind it, None on the last one, `previous` the one before it."""

    records: list[Record]
    next: str | None
    more: bool
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page's statement with what is needed to read its rows and to go on behind them."""

    statement: Statement
    reader: Reader
    first_key: int                  # the position of the first sort value in a row
    open: tuple[str, ...] = ()      # open links, whose titles are read afterwards


def page(session: Session, table: str, fields: Sequence[str], where: Any, *, filters: Mapping[str, object],
         order: Sequence[str], limit: int, after: str | None, offset: int, search: str | None, trash: bool,
         before: str | None = None) -> Page:
    """One page of a table's records; see Records.page."""
    _check_table(session, table)
    _check_bounds(fields, order, limit, offset)
    asked = conditions.ask(session, table, where, filters, search)
    asked_for = lines.split(session, table, fields)
    plain = asked_for.plain
    kinds = order_kinds(session, table, order)
    place, back = after if after is not None else before, after is None and before is not None
    values = cursor.decode(place, order, kinds) if place is not None else []
    empty = tuple(value is None for value in values) if place is not None else None
    listing = session.system.cache.get(
        ("page", session.user.shape, table, plain, asked.key, tuple(order), empty, back, trash),
        lambda: _listing(session, table, plain, asked, order, empty, trash, back))
    parameters = {**session.parameters, **asked.parameters, "limit": limit + 1, "offset": offset}
    parameters |= {f"after_{number}": value for number, value in enumerate(values)}
    rows = budget.rows(session, listing.statement, parameters, typed=asked.typed)
    more = len(rows) > limit
    rows = rows[:limit][::-1] if back else rows[:limit]
    following = cursor.encode(order, rows[-1][listing.first_key:]) if rows and (more or back) else None
    first = cursor.encode(order, rows[0][listing.first_key:]) if rows and (more if back else place) else None
    records = opened(session, listing, listing.reader.records(rows))
    lines.add(session, asked_for.lines, records)
    return Page(records, following, following is not None, first)


def stream(session: Session, table: str, fields: Sequence[str], where: Any, *, filters: Mapping[str, object],
           order: Sequence[str], search: str | None, right: str, size: int) -> Iterator[list[Record]]:
    """All records of a list on which the user has a right, `size` at a time, as they all were at one moment.

    One statement with a cursor of the database: it holds `size` records, however many there are.
    """
    _check_table(session, table)
    _check_bounds(fields, order, 1, 0)
    asked = conditions.ask(session, table, where, filters, search)
    asked_for = lines.split(session, table, fields)
    listing = _listing(session, table, asked_for.plain, asked, order, None, False, False, right)
    parameters = {**listing.statement.constants, **session.parameters, **asked.parameters, "limit": None, "offset": 0}
    execute(session.connection, "declare streamed no scroll cursor for " + listing.statement.sql, parameters).close()
    while True:
        with execute(session.connection, "fetch %(size)s from streamed", {"size": size}) as fetched:
            rows = fetched.fetchall()
        if not rows:
            break
        records = opened(session, listing, listing.reader.records(rows))
        lines.add(session, asked_for.lines, records, right=right)
        yield records
    execute(session.connection, "close streamed", {}).close()


def read(session: Session, table: str, ids: Sequence[int], fields: Sequence[str] | None, *,
         trash: bool = False, most_lines: int | None = None) -> list[Record]:
    """Records by id, in that order; see Records.read."""
    _check_table(session, table)
    names = _readable(session, table) if fields is None else tuple(fields)
    _check_bounds(names if fields is not None else (), (), 1, 0)
    asked_for = lines.split(session, table, names)
    listing = session.system.cache.get(("read", session.user.shape, table, asked_for.plain, trash),
                                       lambda: _by_ids(session, table, asked_for.plain, trash))
    rows = listing.statement.rows(session.connection, session.parameters | {"ids": list(ids)})
    found = {record["id"]: record for record in opened(session, listing, listing.reader.records(rows))}
    records = [found[id] for id in dict.fromkeys(ids) if id in found]
    lines.add(session, asked_for.lines, records, most_lines)
    return records


def _readable(session: Session, table: str) -> tuple[str, ...]:
    return session.system.cache.get(("readable", session.user.shape, table), lambda: session.gate.readable(table))


def count(session: Session, table: str, where: Any, *, filters: Mapping[str, object], search: str | None,
          trash: bool, cap: int) -> tuple[int, bool]:
    """How many records there are, up to `cap`, and whether there are more; see Records.count."""
    _check_table(session, table)
    asked = conditions.ask(session, table, where, filters, search)
    statement = session.system.cache.get(("count", session.user.shape, table, asked.key, trash),
                                         lambda: _counting(session, table, asked, trash))
    given = {**session.parameters, **asked.parameters, "limit": cap + 1}
    found = int(budget.rows(session, statement, given, typed=asked.typed)[0][0])
    return min(found, cap), found > cap


def may(session: Session, table: str, right: str, id: int | None) -> bool:
    """Whether the user has a right on a table or on one of its records; see Records.may."""
    _check_name(session, table)
    if not session.gate.may(table, right):
        return False
    return id is None or id in with_right(session, table, right, [id])


def rights(session: Session, table: str, id: int) -> frozenset[str]:
    """Which of the rights to change and to delete the user has on a record that they read; see Records.rights."""
    def build() -> tuple[frozenset[str], dict[str, int], Statement | None]:
        source = RecordColumns(session.system, session.gate, table).root.source
        found = {right: session.gate.predicate(table, right, source) for right in ("change", "delete")
                 if session.gate.may(table, right)}
        always = frozenset(right for right, allowed in found.items() if allowed is True)
        asked = {right: allowed for right, allowed in found.items() if not isinstance(allowed, bool)}
        if not asked:
            return always, {}, None
        statement = select(*asked.values()).select_from(source).where(source.c["id"] == _ids())
        return always, {right: number for number, right in enumerate(asked)}, _compile(session, statement, fixed=True)
    _check_name(session, table)
    always, asked, statement = session.system.cache.get(("rights", session.user.shape, table), build)
    rows = statement.rows(session.connection, session.parameters | {"ids": [id]}) if statement is not None else ()
    return always.union(right for row in rows for right, number in asked.items() if row[number])


def with_right(session: Session, table: str, right: str, ids: Sequence[int]) -> set[int]:
    """Those of some records, in the trash or not, on which the user has a right."""
    def build() -> Statement:
        columns = RecordColumns(session.system, session.gate, table)
        root = columns.root
        found = live(columns, right=right)[1:]      # in the trash or not
        return _compile(session, select(root.id).where(root.id == _ids(), *found), fixed=True)
    if not session.gate.may(table, right):
        return set()
    statement = session.system.cache.get(("with right", session.user.shape, table, right), build)
    return {row[0] for row in statement.rows(session.connection, session.parameters | {"ids": list(ids)})}


def order_kinds(session: Session, table: str, order: Sequence[str]) -> list[str]:
    """How the sort values of an order travel in a cursor; the id comes last. Raises BadRequest for the order."""
    kinds = []
    for entry in order:
        name = entry.removeprefix("-")
        kind = check_path(session.gate, table, name, at="order")
        if kind is None or not _sorts(session, table, name, kind):
            raise BadRequest('Records cannot be sorted by "{name}".', "order", name=name)
        kinds.append("text" if kind.name in ("link", "any_link") and name.rpartition(".")[2] != "id" else kind.name)
    return [*kinds, "link"]


def _sorts(session: Session, table: str, name: str, kind: Type) -> bool:
    """Whether lists can be sorted by a path: links by their titles, if the user may see any of these."""
    if kind.name == "any_link":
        return any(session.gate.may(one, "read") or session.gate.may(one, "peek") for one in tables_of(kind))
    if kind.many or kind.name == "set":
        return False
    holder, _, last = name.rpartition(".")
    around = end_of(session.system.model, table, holder) if holder and last != "base" else table
    field = session.system.model.field(around, last)
    if field is not None and not field.type.sortable:
        return False
    if kind.name != "link" or last == "id":
        return True
    return kind.of is not None and (session.gate.may(kind.of, "read") or session.gate.may(kind.of, "peek"))


def _listing(session: Session, table: str, fields: Sequence[str], asked: Condition, order: Sequence[str],
             empty: tuple[bool, ...] | None, trash: bool, back: bool, right: str = "read") -> Listing:
    """Build and compile the statement of a page: behind a place, or (backwards) before it.

    A `right` beside reading narrows it to the records, and the values, on which the user has that one too.
    """
    columns = RecordColumns(session.system, session.gate, table)
    columns.right = right
    selection = select_fields(session, table, columns, fields, trash)
    columns.right = "read"
    keys = keys_of(session, columns, table, order)
    found = [*live(columns, trash=trash), *asked.conditions(columns)]
    if right != "read":
        found += live(columns, right=right)[1:]
    if empty is not None:
        found.append((cursor.ahead if back else cursor.behind)(keys, empty))
    chosen, reader, first = selection.finish([key.column for key in keys])
    statement = select(*chosen).select_from(columns.source).where(*found)
    statement = statement.order_by(*(key.clause(back) for key in keys)).limit(parameter("limit", type_=Integer))
    statement = statement.offset(parameter("offset", type_=Integer))
    return Listing(_compile(session, statement), reader, first, tuple(selection.open))


def _by_ids(session: Session, table: str, fields: Sequence[str], trash: bool) -> Listing:
    columns = RecordColumns(session.system, session.gate, table)
    selection = select_fields(session, table, columns, fields, trash)
    chosen, reader, first = selection.finish()
    wanted = [columns.root.id == _ids(), *live(columns, trash=trash)]
    statement = select(*chosen).select_from(columns.source).where(*wanted)
    return Listing(_compile(session, statement, fixed=True), reader, first, tuple(selection.open))


def _counting(session: Session, table: str, asked: Condition, trash: bool) -> Statement:
    columns = RecordColumns(session.system, session.gate, table)
    found = [*live(columns, trash=trash), *asked.conditions(columns)]
    inside = select(literal(1)).select_from(columns.source).where(*found).limit(parameter("limit", type_=Integer))
    return _compile(session, select(func.count()).select_from(inside.subquery()))


def select_fields(session: Session, table: str, columns: RecordColumns, fields: Sequence[str],
                  trash: bool = False) -> Selection:
    """The selection of some fields; raises BadRequest for what the user may not read."""
    selection = Selection(columns)
    for name in fields:
        if name not in OWN_KEYS:
            check_path(session.gate, table, name, at="fields")
        try:
            selection.add(name)
        except Denied as error:
            raise BadRequest(error.words, "fields") from None
    if trash:
        selection.add("_deleted_on")
    return selection


def keys_of(session: Session, columns: RecordColumns, table: str, order: Sequence[str]) -> list[cursor.Key]:
    """What a page is sorted by; its last key, the id, goes the way of the one before it, so that an index fits."""
    kinds = order_kinds(session, table, order)
    keys = []
    for entry, kind in zip(order, kinds, strict=False):
        name = entry.removeprefix("-")
        keys.append(cursor.Key(name, kind, columns.sort_value(tuple(name.split("."))), entry.startswith("-"),
                               empty=name not in ("id", "created_on", "changed_on")))
    down = bool(order) and order[-1].startswith("-")
    return [*keys, cursor.Key("id", "link", columns.root.id, down, empty=False)]


def opened(session: Session, listing: Listing, records: list[Record]) -> list[Record]:
    """The records with the titles of what their open links lead to: one more statement, if there are such links."""
    if listing.open:
        relations.add_titles(session, listing.open, records)
    return records


def _ids() -> ColumnElement[Any]:
    return parameter("ids", type_=ARRAY(BigInteger)).any_()


def _compile(session: Session, statement: Any, *, fixed: bool = False) -> Statement:
    return Statement.compile(statement, session.connection.dialect, fixed=fixed)


def _check_name(session: Session, table: str) -> None:
    if table not in session.system.model.tables:
        raise NotFound('There is no table "{table}", or you may not read it.', table=table)


def _check_table(session: Session, table: str) -> None:
    """A table that may not be read is as unknown as one that is not there."""
    _check_name(session, table)
    if not session.gate.may(table, "read"):
        raise NotFound('There is no table "{table}", or you may not read it.', table=table)


def _check_bounds(fields: Sequence[str], order: Sequence[str], limit: int, offset: int) -> None:
    if len(fields) > MOST_FIELDS:
        raise BadRequest("At most {most} fields can be read at once.", "fields", most=MOST_FIELDS)
    if len(order) > MOST_KEYS:
        raise BadRequest("Records can be sorted by at most {most} fields.", "order", most=MOST_KEYS)
    if not 1 <= limit <= LARGEST_PAGE:
        raise BadRequest("A page has between 1 and {most} records.", "limit", most=LARGEST_PAGE)
    if not 0 <= offset <= LARGEST_OFFSET:
        raise BadRequest("Skip at most {most} records; go on with `after` beyond that.", "offset",
                         most=LARGEST_OFFSET)


__all__ = ["Filters", "Page", "Record", "count", "may", "page", "read", "with_right"]
