"""Exports: the records of a list as a file, of one moment and as a stream: it holds a thousand records at a time.

The right `export` decides which records go out, the gate which of their values do; each export is written down in
sys.export, in the transaction that reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.expression import bindparam

from core.ed import messages, read
from core.ed.export_formats import Column, ExportFormat, Sheet, built_in
from core.ed.grouping import field_at
from core.ed.lines import is_lines
from core.ed.query_words import choice_title
from core.ed.selection import OWN_KEYS, check_path
from core.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.read import Record
    from core.ed.session import Session

BATCH = 1_000
_NOTE = text("""
    insert into sys.export (table_name, format, fields, condition, rows, how, by, version)
    values (:table, :format, :fields, :condition, :rows, :how, :by, :version)
    """).bindparams(bindparam("fields", type_=JSONB), bindparam("condition", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported.

    `links` says what stands for a linked record: its title, its id, or both; `titles` are headings for people, by path,
    and choices are then told by their titles too; without them a file can be imported again.
    """

    table: str
    fields: Sequence[str] | None = None
    where: Any = None
    filters: Mapping[str, object] = field(default_factory=dict)
    order: Sequence[str] = ()
    search: str | None = None
    links: Literal["title", "id", "both"] = "title"
    titles: Mapping[str, str] | None = None
    called: Mapping[str, str] = field(default_factory=dict)     # what the caller calls paths, where not by their names


def format_of(name: str, more: Mapping[str, Any]) -> ExportFormat:
    """A format by its name: built in, or of an addon. Raises BadRequest."""
    found = {**built_in(), **more}
    if name not in found:
        raise BadRequest("There is no format {name}; there are: {names}.", "format", name=name[:40],
                         names=", ".join(sorted(found)))
    made: ExportFormat = found[name]
    return made


def export(session: Session, wanted: Wanted, format_: ExportFormat, out: BinaryIO) -> int:
    """Write all records that are wanted to a file; gives how many. Raises BadRequest, NotFound, Denied."""
    if wanted.table not in session.system.model.tables or not session.gate.may(wanted.table, "read"):
        raise NotFound('There is no table "{table}", or you may not read it.', table=wanted.table)
    if not session.gate.may(wanted.table, "export"):
        raise messages.denied(session, wanted.table, "export")
    fields = tuple(default_fields(session, wanted.table) if wanted.fields is None else wanted.fields)
    found = [(path, _field_at(session, wanted.table, path)) for path in fields]
    if not format_.nested:
        _flat(wanted.table, found)
    count = 0

    def counted() -> Iterator[list[Record]]:
        nonlocal count
        for records in read.stream(session, wanted.table, fields, wanted.where, filters=wanted.filters,
                                   order=wanted.order, search=wanted.search, right="export", size=BATCH):
            count += len(records)
            yield records
    columns = tuple(column for path, found_ in found for column in _columns(session, wanted, path, found_))
    format_.write(Sheet(wanted.table, columns, counted()), out)
    session.connection.execute(_NOTE, {
        "table": wanted.table, "format": format_.name, "fields": list(fields), "condition": _told(wanted),
        "rows": count, "how": session.how, "by": session.user.user_id, "version": session.system.version})
    return count


def default_fields(session: Session, table: str) -> list[str]:
    """What is exported where nothing is named: the stored fields that the user may read and export, but files."""
    fields, source = session.system.model.tables[table].fields, session.system.stored(table).table
    return [name for name in session.gate.readable(table)
            if name in fields and not fields[name].virtual and not fields[name].type.is_file
            and session.gate.limit(table, name, "export", source) is not False]


def _field_at(session: Session, table: str, path: str) -> Field | None:
    """The field at the end of a path that the user may read, also within lines. Raises BadRequest."""
    first, _, rest = path.partition(".")
    if is_lines(session, table, first):
        check_path(session.gate, table, first, at="fields")
        if rest:
            check_path(session.gate, session.system.model.tables[table].fields[first].target or "", rest, at="fields")
    elif path not in OWN_KEYS:
        check_path(session.gate, table, path, at="fields")
    return field_at(session, table, path)


def _flat(table: str, found: Sequence[tuple[str, Field | None]]) -> None:
    for path, field_ in found:
        if field_ is not None and field_.type.is_lines:
            raise BadRequest('"{name}" are records of "{table}": export them from there.', "fields", name=path,
                             table=field_.target or table)


def _columns(session: Session, wanted: Wanted, path: str, field_: Field | None) -> Iterator[Column]:
    """The columns for a path: one, or two for a link of which title and id are wanted."""
    name = wanted.called.get(path, path)
    title = (wanted.titles or {}).get(path, name)
    wire = _named(path, name, _wire(session, path, field_))
    if field_ is None or not field_.type.is_link:
        yield Column(path, title, _cell(session, wanted, path, field_), wire)
        return
    if wanted.links != "id":
        yield Column(path, title, _title(path), wire)
    if wanted.links != "title":
        plain = _cell(session, wanted, path, field_)
        if wanted.links == "id":
            yield Column(path, title, plain, wire)
        else:
            yield Column(f"{path}.id", f"{title} (id)" if wanted.titles else f"{name}.id", plain, None)


def _cell(session: Session, wanted: Wanted, path: str, field_: Field | None) -> Callable[[Record], Any]:
    if field_ is None or field_.type.virtual:
        return lambda record: record.get(path)
    kind, p, of = field_.type, field_.properties, field_.expression_type.of
    if wanted.titles is not None and field_.expression_type.name == "choice" and of is not None:
        model, language = session.system.model, session.language
        known = {name: choice_title(model, of, name, language) for name in model.choices[of].values}
        return lambda record: _choice(known, record.get(path))
    return lambda record: None if (value := record.get(path)) is None else kind.plain(value, p)


def _choice(known: Mapping[str, str], value: Any) -> str | None:
    if value is None:
        return None
    return ", ".join(known.get(one, one) for one in value) if isinstance(value, list) else known.get(value, value)


def _title(path: str) -> Callable[[Record], str | None]:
    key = f"{path}_title"

    def read_title(record: Record) -> str | None:
        title = record.get(key)
        if isinstance(title, (list, tuple)):
            return ", ".join(one or "" for one in title)
        return None if title is None else str(title)
    return read_title


def _wire(session: Session, path: str, field_: Field | None) -> Callable[[Record], Mapping[str, Any]]:
    """What JSON says of a path: its value as the API sends it, and the title of what it links to."""
    if field_ is None:
        return lambda record: {path: record.get(path)}
    kind, p = field_.type, field_.properties
    if kind.is_lines:
        inner = _lines_wire(session, field_)
        return lambda record: {path: [inner(line) for line in record.get(path) or ()]}
    if kind.is_link:
        extra = (f"{path}_title", f"{path}_table")
        return lambda record: {path: kind.to_wire(record.get(path), p),
                               **{key: record[key] for key in extra if key in record}}
    return lambda record: {path: kind.to_wire(record.get(path), p)}


def _named(path: str, name: str, wire: Callable[[Record], Mapping[str, Any]]) -> Callable[[Record], Mapping[str, Any]]:
    """What JSON says of a path, under the name that the caller has for it."""
    if name == path:
        return wire
    return lambda record: {name + key[len(path):]: value for key, value in wire(record).items()}


def _lines_wire(session: Session, field_: Field) -> Callable[[Record], dict[str, Any]]:
    table = field_.target or ""
    fields = session.system.model.tables[table].fields

    def give(line: Record) -> dict[str, Any]:
        return {key: fields[key].type.to_wire(value, fields[key].properties) if key in fields else value
                for key, value in line.items()}
    return give


def _told(wanted: Wanted) -> dict[str, Any]:
    """The condition as it is noted: what was typed or chosen, as text."""
    where = wanted.where if isinstance(wanted.where, (list, tuple)) else [wanted.where]
    told = {"where": [str(getattr(one, "source", one)) for one in where if one is not None],
            "filters": {name: str(value) for name, value in wanted.filters.items()}, "search": wanted.search,
            "order": list(wanted.order)}
    return {key: value for key, value in told.items() if value}
