"""The history of a record, as far as a user may read its fields: changes, those of its lines, what people said of it.

One statement for a page of it, newest first; what was done by one request stands together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, any_, bindparam, cast, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from core.ed import read, tables
from core.ed.columns import RecordColumns
from core.ed.journal import VERSION
from core.ed.locked import UNLOCKED
from core.ed.scope import visible
from core.errors import NotFound

if TYPE_CHECKING:
    from core.ed.session import Session

MOST_CHANGES = 500
PAGE = 50                    # entries of history on one page of a time line
# Keys of history that are no fields and no columns of the system.
REMARK, ATTACHMENT, PURGED = "_remark", "_attachment", "_purged"
BESIDE = frozenset((VERSION, REMARK, ATTACHMENT, PURGED))
_IDS = bindparam("ids", type_=ARRAY(BigInteger))


@dataclass(frozen=True, slots=True)
class LineChange:
    """What a request did to one line of a record; `lines` is the field that holds it."""

    lines: str
    id: int
    fields: Mapping[str, tuple[Any, Any]]
    created: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """What somebody said; no text is left of one that was taken back."""

    id: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """What one request did to a record: field -> (before, after), in wire form; `_deleted_on` for the trash."""

    at: datetime
    user_id: int | None
    user_title: str | None
    how: str
    version: int | None                      # of the definitions
    import_id: int | None
    fields: Mapping[str, tuple[Any, Any]]
    id: int = 0                              # of its first entry in history
    record_version: int | None = None        # of the record, after it
    created: bool = False
    lines: Sequence[LineChange] = ()
    remark: Remark | None = None
    attachment: tuple[Any, Any] | None = None      # a file {id, name, ...} before and after


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a record's history; `older` is where the next one begins, None at its end."""

    changes: Sequence[Change]
    older: int | None = None


def history(session: Session, table: str, id: int) -> list[Change]:
    """The changes of a record, newest first. Raises NotFound if the user may not read it."""
    return list(timeline(session, table, id, most=MOST_CHANGES, lines=False).changes)


def timeline(session: Session, table: str, id: int, before: int | None = None, most: int = PAGE, *,
             lines: bool = True) -> Timeline:
    """One page of what happened to a record and its lines, newest first, older than the entry `before`.

    Raises NotFound if the user may not read the record.
    """
    if not read.may(session, table, "read", id):
        raise NotFound("There is no such record, or you may not read it.")
    held = _lines_of(session, table) if lines else {}
    open_ = shown(session, table, id, held)             # lines may be for some records only
    held = {name: statement for name, statement in held.items() if name in open_}
    log, said = tables.history, tables.remark
    own: list[Any] = [select(bindparam("record", id, BigInteger).label("id"), literal("", Text).label("line"))]
    own += [statement.add_columns(literal(name, Text)) for name, statement in held.items()]
    family = union_all(*own).cte("family")
    statement = select(
        log.c.id, log.c.record_id, log.c.at, log.c.user_id, log.c.how, log.c.version, log.c.import_id, log.c.change,
        family.c.line, said.c.id.label("remark_id"), said.c.text).join(
        family, family.c.id == log.c.record_id).outerjoin(
        said, said.c.id == cast(func.jsonb_extract_path_text(log.c.change, REMARK, "1"), BigInteger))
    if before is not None:
        statement = statement.where(log.c.id < before)
    rows: Sequence[Any] = session.connection.execute(statement.order_by(log.c.id.desc()).limit(most + 1),
                                      {**session.parameters, "record": id}).all()
    older = rows[most - 1].id if len(rows) > most else None
    return Timeline(_Reader(session, table, id, rows[:most]).changes(), older)


def inside(session: Session) -> bool:
    """Whether remarks and attachments are for this user: not for those who only hold roles of a portal."""
    roles = session.system.model.roles
    return session.gate.open or session.user.all or any(
        roles[name].kind != "portal" for name in session.user.roles if name in roles)


class _Reader:
    """Turns entries of history into changes, with what this user may not read left out."""

    def __init__(self, session: Session, table: str, id: int, rows: Sequence[Any]) -> None:
        self.session, self.table, self.id, self.rows = session, table, id, rows
        self.beside = inside(session)
        self.children = {name: lines.target or "" for name, lines in session.system.model.tables[table].lines.items()}
        self.open = self._open()
        self.people = _titles(session, {row.user_id for row in rows if row.user_id is not None})

    def changes(self) -> list[Change]:
        """The changes, newest first."""
        return [change for group in self._groups() if (change := self._change(group)) is not None]

    def _groups(self) -> Iterator[list[Any]]:
        """Entries that one request wrote, with no more than one of the record itself."""
        group: list[Any] = []
        for row in self.rows:
            same = group and (row.at, row.user_id, row.how, row.import_id) == (
                group[0].at, group[0].user_id, group[0].how, group[0].import_id)
            if not same or (row.line == "" and any(one.line == "" for one in group)):
                if group:
                    yield group
                group = []
            group.append(row)
        if group:
            yield group

    def _change(self, group: Sequence[Any]) -> Change | None:
        first = group[0]
        main = next((row for row in group if row.line == ""), None)
        lines = tuple(line for row in reversed(group) if row.line and (line := self._line(row)) is not None)
        change: Mapping[str, Any] = {} if main is None else main.change
        fields = self._fields(self.table, self.id, change)
        spoken = self.beside and main is not None and main.remark_id is not None
        remark = Remark(main.remark_id, main.text) if main is not None and spoken else None
        attachment = tuple(change[ATTACHMENT]) if self.beside and ATTACHMENT in change else None
        if not (fields or lines or remark or attachment or (main is not None and not change)):
            return None
        versions = change.get(VERSION) or (None, None)
        return Change(first.at, first.user_id, self.people.get(first.user_id), first.how, first.version,
                      first.import_id, fields, first.id, versions[1], VERSION in change and versions[0] is None, lines,
                      remark, attachment)

    def _line(self, row: Any) -> LineChange | None:
        fields = self._fields(self.children[row.line], row.record_id, row.change)
        created = row.change.get(VERSION, (0,))[0] is None
        return LineChange(row.line, row.record_id, fields, created) if fields or created else None

    def _fields(self, table: str, id: int, change: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        open_: set[str] = self.open.get((table, id), set())
        return {name: (pair[0], pair[1]) for key, pair in change.items()
                if (name := field_name(self.session, key)) is not None and name in open_
                and (self.beside or name != UNLOCKED)}

    def _open(self) -> dict[tuple[str, int], set[str]]:
        """The fields that may be read in each record."""
        named: dict[str, tuple[set[int], set[str]]] = {}
        for row in self.rows:
            table = self.children[row.line] if row.line else self.table
            ids, names = named.setdefault(table, (set(), set()))
            ids.add(row.record_id)
            names |= {name for key in row.change if (name := field_name(self.session, key)) is not None}
        return {(table, id): found for table, (ids, names) in named.items()
                for id, found in shown_in(self.session, table, sorted(ids), names).items()}


def _lines_of(session: Session, table: str) -> dict[str, Select[Any]]:
    """For each field with lines that the user may read: the ids of all of them, those in the trash too."""
    found: dict[str, Select[Any]] = {}
    for name, lines in session.system.model.tables[table].lines.items():
        child = lines.target or ""
        by = str(getattr(lines.properties, "by", ""))
        if not by or not visible(session.gate, table, name):
            continue
        stored = session.system.stored(child)
        source = stored.table.alias()
        predicate: bool | ColumnElement[Any] = session.gate.predicate(child, "read", source)
        if predicate is not False:
            statement = select(source.c.id.label("id")).where(
                stored.column(by, source=source) == bindparam("record", type_=BigInteger))
            found[name] = statement if predicate is True else statement.where(predicate)
    return found


def field_name(session: Session, key: str) -> str | None:
    """The name that a key of history has in this version; None for what is no field and no system column."""
    if key in BESIDE:
        return None
    if not key.isdecimal():
        return key
    path = session.system.name_of(int(key))
    return None if path is None else path.partition(".")[2]


def shown(session: Session, table: str, id: int, names: Iterable[str]) -> set[str]:
    """The fields whose values this user may read in this record."""
    return shown_in(session, table, [id], names)[id]


def shown_in(session: Session, table: str, ids: Sequence[int], names: Iterable[str]) -> dict[int, set[str]]:
    """The fields whose values this user may read, in each of some records: at most one statement."""
    gate, model = session.gate, session.system.model
    plain = {name for name in names if name.startswith("_")}
    known = {name for name in names if name not in plain and model.field(table, name) and visible(gate, table, name)}
    columns = RecordColumns(session.system, gate, table)
    masks = {name: gate.mask(table, name, columns.root.source) for name in sorted(known)}
    asked = {name: mask for name, mask in masks.items() if not isinstance(mask, bool)}
    always = plain | {name for name, mask in masks.items() if mask is True}
    found = {id: set(always) for id in ids}
    if asked:
        statement = select(columns.root.id, *asked.values()).where(columns.root.id == any_(_IDS))
        for row in session.connection.execute(statement, {**session.parameters, "ids": list(ids)}):
            found[row[0]] |= {name for name, may in zip(asked, row[1:], strict=True) if may}
    return found


def _titles(session: Session, ids: set[int]) -> dict[int | None, str]:
    """The names of the people who changed it, for those who may read them."""
    if not ids or not session.gate.may("user", "read"):
        return {}
    return {record["id"]: record["_title"] for record in read.read(session, "user", sorted(ids), ["_title"])}
