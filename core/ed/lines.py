"""Lines of the records that are read: one statement for each field of lines, whatever the number of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Integer, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.ed import read, relations
from core.ed.access import as_condition
from core.ed.columns import RecordColumns, live
from core.ed.scope import visible
from core.ed.selection import check_path
from core.ed.statement import Reader, Record, Statement, parameter
from core.errors import BadRequest

if TYPE_CHECKING:
    from core.ed.session import Session

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """A field of lines that is read: of which table, by which link, and which of their fields."""

    of: str                     # whose lines they are
    name: str
    table: str
    by: str
    fields: Names


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read of records: their own fields and paths, and their lines."""

    plain: Names
    lines: tuple[Lines, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """The statement of some lines, and how its rows are read; their parent comes last in a row."""

    statement: Statement
    reader: Reader
    parent: int
    open: Names                 # open links, whose titles are read afterwards


def split(session: Session, table: str, names: Sequence[str]) -> Asked:
    """Tell lines from the rest: `lines` are all fields of them, `lines.price` is one. Raises BadRequest."""
    return session.system.cache.get(("asked", session.user.shape, table, tuple(names)),
                                    lambda: _split(session, table, names))


def add(session: Session, asked: Sequence[Lines], records: list[Record], most: int | None = None,
        right: str = "read") -> None:
    """Put the lines of records into them; `most`: no more than that many of a single record.

    A `right` beside reading narrows them to the lines, and the values, on which the user has that one too.
    """
    for one in asked:
        found = _read(session, one, [record["id"] for record in records], most if len(records) == 1 else None, right)
        for record in records:
            record[one.name] = found.get(record["id"], [])


def is_lines(session: Session, table: str, name: str) -> bool:
    """Whether that field is records that belong to this one."""
    field = session.system.model.field(table, name)
    return field is not None and field.type.is_lines


def _split(session: Session, table: str, names: Sequence[str]) -> Asked:
    plain: list[str] = []
    wanted: dict[str, list[str]] = {}
    for name in names:
        first, _, rest = name.partition(".")
        if is_lines(session, table, first):
            wanted.setdefault(first, []).append(rest)
        else:
            plain.append(name)
    return Asked(tuple(plain), tuple(_lines(session, table, name, parts) for name, parts in wanted.items()))


def _lines(session: Session, table: str, name: str, parts: Sequence[str]) -> Lines:
    field = session.system.model.field(table, name)
    if field is None or not visible(session.gate, table, name):
        check_path(session.gate, table, name, at="fields")
        raise BadRequest('There is no field "{name}" on "{table}"', "fields", name=name, table=table)
    target, by = field.target or "", str(getattr(field.properties, "by", ""))
    inner = tuple(dict.fromkeys(part for part in parts if part))
    if "" in parts:
        inner = tuple(one for one in session.gate.readable(target) if one != by and not is_lines(session, target, one))
    return Lines(table, name, target, by, inner)


def _read(session: Session, asked: Lines, parents: list[int], most: int | None,
          right: str) -> dict[int, list[Record]]:
    if not (session.gate.may(asked.table, "read") and session.gate.may(asked.table, right)):
        return {}
    reading = session.system.cache.get(("lines", session.user.shape, asked, most is None, right),
                                       lambda: _reading(session, asked, most is None, right))
    rows = reading.statement.rows(session.connection, {**session.parameters, "ids": parents, "most": most})
    records = reading.reader.records(rows)
    if reading.open:
        relations.add_titles(session, reading.open, records)
    found: dict[int, list[Record]] = {}
    for row, record in zip(rows, records, strict=True):
        found.setdefault(row[reading.parent], []).append(record)
    return found


def _reading(session: Session, asked: Lines, whole: bool, right: str) -> _Reading:
    columns = RecordColumns(session.system, session.gate, asked.table)
    columns.right = right
    gate, source = session.gate, columns.root.source
    fields = asked.fields if right == "read" else [
        name for name in asked.fields if gate.limit(asked.table, name.partition(".")[0], right, source) is not False]
    selection = read.select_fields(session, asked.table, columns, fields)
    link = columns.root.stored.column(asked.by, source=columns.root.source)
    chosen, reader, parent = selection.finish([link])
    ids = parameter("ids", type_=ARRAY(BigInteger)).any_()
    found = [link == ids, *live(columns), *(live(columns, right=right)[1:] if right != "read" else ())]
    holder = session.system.stored(asked.of).table.alias()
    shown = session.gate.mask(asked.of, asked.name, holder)
    if shown is not True:                           # they may be read in some records only
        found.append(link.in_(select(holder.c["id"]).where(as_condition(shown)).correlate_except(holder)))
    statement = select(*chosen).select_from(columns.source).where(*found).order_by(columns.root.id)
    if not whole:
        statement = statement.limit(parameter("most", type_=Integer))
    return _Reading(Statement.compile(statement, session.connection.dialect, fixed=True), reader, parent,
                    tuple(selection.open))
