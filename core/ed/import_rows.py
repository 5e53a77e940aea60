"""From the rows of a file to records: texts, links by name, values in normal form, and a reason for each bad row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, and_, select

from core.ed import import_texts
from core.ed.columns import RecordColumns, live
from core.ed.former import Translation
from core.ed.json_file import MARK
from core.ed.mapping import ImportMapping, Source, directive
from core.ed.records import Records
from core.ed.rowset import encode, rowset
from core.ed.statement import Statement
from core.ed.table_file import FileRow
from core.errors import Invalid
from core.types.base import BadValue, Locale
from core.types.folding import sort_key

if TYPE_CHECKING:
    from core.definition.model import Field, Table
    from core.ed.session import Session

ISO = Locale("root")               # no language: days only as YYYY-MM-DD, so that none is taken for another


@dataclass(slots=True)
class ImportRow:
    """One row on its way: its texts by field, then its values, the record it matches, and why it fails."""

    source: FileRow
    texts: dict[str, str | None] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    id: int | None = None
    version: int | None = None
    reasons: list[str] = field(default_factory=list)

    def fail(self, name: str, message: str, params: dict[str, Any] | None = None) -> None:
        """Note why the row cannot be taken."""
        for key, value in (params or {}).items():
            message = message.replace("{" + key + "}", str(value))
        self.reasons.append(f"{name}: {message}" if name else message)


class Reader:
    """Turns rows into values by a mapping, within one session; keeps what links were found for the batch."""

    def __init__(self, session: Session, table: Table, mapping: ImportMapping, header: Sequence[str],
                 is_json: bool = False) -> None:
        self.session = session
        self.table = table
        self.mapping = mapping
        self.header = tuple(header)
        self.locale = Locale(mapping.language, mapping.zone)
        self.is_json = is_json
        self.texts = import_texts.reader(self.header, mapping)
        self.skipped: Counter[tuple[str, str]] = Counter()     # values left empty because nothing has that name

    def read(self, rows: Iterable[FileRow]) -> list[ImportRow]:
        """Read a batch of rows; those that fail have reasons."""
        read = [ImportRow(row) for row in rows]
        good = [row for row in read if not self._misshapen(row)]
        for row in good:
            row.texts = self.texts(row.source)
        for name, source in self.mapping.fields.items():
            target = self.table.fields[name]
            if source.by is not None:
                self._links(target, source, good)
            else:
                convert = self._converter(target, source)
                _convert(name, good, _structured(target, convert) if self.is_json else convert,
                         keep=source.empty == "keep")
        return read

    def _misshapen(self, row: ImportRow) -> bool:
        if row.source.problem:
            row.fail("", row.source.problem)
        return bool(row.source.problem)

    def _converter(self, target: Field, source: Source) -> Callable[[str], Any]:
        kind, properties = target.type, target.properties
        if source.format is not None:
            return self._dates(target, directive(source.format), source.format)
        if target.expression_type.name == "choice":
            return self._choices(target, source)
        if target.plural and source.split:
            return lambda text: kind.parse(text.replace(source.split or ",", ","), properties, self.locale)
        locale = ISO if kind.name == "date" else self.locale
        return lambda text: kind.parse(text, properties, locale)

    def _dates(self, target: Field, directive_: str, format_: str) -> Callable[[str], Any]:
        def read(text: str) -> Any:
            try:
                moment = datetime.strptime(text.strip(), directive_)
            except ValueError:
                raise BadValue("date", '"{value}" is not a date written as {format}.', value=text[:40],
                               format=format_) from None
            if target.type.name == "date":
                return target.type.validate(moment.date(), target.properties)
            zoned = moment.replace(tzinfo=ZoneInfo(self.mapping.zone)).astimezone(UTC)
            return target.type.validate(zoned, target.properties)
        return read

    def _choices(self, target: Field, source: Source) -> Callable[[str], Any]:
        """Choices by name, of now or a former one, or by title as people know them."""
        former = Translation(self.session)
        values = self.session.system.model.choices[getattr(target.properties, "of", "")].values
        known = {value.title.casefold(): name for name, value in values.items()}
        known |= {name.casefold(): name for name in values}

        def one(text: str) -> str | None:
            bare = text.strip()
            found = known.get(bare.casefold()) or known.get(
                str(former.value(target.table, target.name, bare)).casefold())
            if found is not None:
                return found
            if source.unknown == "skip":
                self.skipped[target.name, text] += 1
                return None
            raise BadValue("choice", '"{value}" is not one of the choices; map it under `values`.', value=text[:80])

        if not target.many:
            return one
        separator = source.split or ","
        return lambda text: [found for part in text.split(separator) if part.strip()
                             and (found := one(part)) is not None] or None

    # Links by a field of the other table

    def _links(self, target: Field, source: Source, rows: Sequence[ImportRow]) -> None:
        named = [(row, self._names(target, source, row.texts[target.name])) for row in rows]
        wanted = dict.fromkeys(name for _, names in named for name in names)
        found: dict[str, list[int]] = {}
        for table in target.targets:                # one, or several of which each may have such a field
            if self.session.system.model.field(table, source.by or "") is not None:
                for name, there in find_by(self.session, table, source.by or "", list(wanted)).items():
                    found.setdefault(name, []).extend(there)
        problems = self._create_unknown(target, source, [name for name in wanted if name not in found], found)
        for row, names in named:
            first = found.get(names[0], ()) if len(names) == 1 and not target.plural else ()
            if len(first) == 1:
                row.values[target.name] = first[0]
                continue
            if not names:
                if source.empty == "null":
                    row.values[target.name] = None
                continue
            ids = [self._resolve(row, target, source, name, found.get(name, []), problems) for name in names]
            known = [id_ for id_ in ids if id_ is not None]
            row.values[target.name] = known or None if target.plural else next(iter(known), None)

    def _names(self, target: Field, source: Source, text: str | None) -> list[str]:
        if text is None:
            return []
        if not target.plural:
            return [text]
        if text[0] == MARK and self.is_json:
            return [str(part) for part in json.loads(text[1:]) if part is not None]
        return [part.strip() for part in text.split(source.split or ",") if part.strip()]

    def _resolve(self, row: ImportRow, target: Field, source: Source, name: str, ids: Sequence[int],
                 problems: dict[str, str]) -> int | None:
        if len(ids) == 1:
            return ids[0]
        if len(ids) > 1:
            which = ", ".join(map(str, sorted(ids)[:5]))
            row.fail(target.name, f'there are {len(ids)} records of {called(target)} with {source.by} "{name[:80]}" '
                                  f"({which}{', ...' if len(ids) > 5 else ''})")
        elif source.unknown == "skip":
            self.skipped[target.name, name] += 1
        else:
            reason = problems.get(name) or f'there is no {called(target)} with {source.by} "{name[:80]}"'
            row.fail(target.name, reason)
        return None

    def _create_unknown(self, target: Field, source: Source, names: Sequence[str],
                        found: dict[str, list[int]]) -> dict[str, str]:
        """Create the records that a link names and that are not there, if the mapping wants it; gives what failed."""
        problems: dict[str, str] = {}
        if source.unknown != "create":
            return problems
        other = self.session.system.model.tables[target.target or ""]
        for name in names:
            try:
                values = {source.by or "": name, **{
                    key: other.fields[key].type.parse(text, other.fields[key].properties, self.locale)
                    for key, text in source.with_.items()}}
                with self.session.connection.begin_nested():
                    found[name] = list(Records(self.session).create(other.name, [values]))
            except BadValue as bad:
                problems[name] = str(bad)
            except Invalid as invalid:
                problems[name] = f'"{name[:80]}" could not be created: {invalid}'
        return problems


def _convert(name: str, rows: Sequence[ImportRow], convert: Callable[[str], Any], *, keep: bool) -> None:
    """The values of one field in all rows; an empty cell empties it, unless what is there is kept."""
    for row in rows:
        text = row.texts[name]
        if text is not None:
            try:
                row.values[name] = convert(text)
            except BadValue as bad:
                row.fail(name, bad.message, bad.params)
        elif not keep:
            row.values[name] = None


def _structured(target: Field, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Lists and objects of a JSON file are in wire form; all else is text as anywhere."""
    def read(text: str) -> Any:
        if text[0] != MARK:
            return convert(text)
        value = json.loads(text[1:])
        return target.type.from_wire(value, target.properties) if value else None
    return read


def called(target: Field) -> str:
    """The tables that a link may lead to, in words."""
    return " or ".join(target.targets)


def find_by(session: Session, table: str, by: str, names: Sequence[str]) -> dict[str, list[int]]:
    """The records whose field has one of the texts, as far as the user may read them."""
    target = session.system.model.field(table, by)
    if target is None:
        raise KeyError(f"{table}.{by}")
    normal: dict[Any, list[str]] = {}
    for name in names:
        try:
            normal.setdefault(target.type.parse(name, target.properties, Locale()), []).append(name)
        except BadValue:
            continue                                      # what the field could not hold is not there
    found: dict[str, list[int]] = {}
    for id_, (value,), _ in _records(session, table, (by,), [(value,) for value in normal]):
        for name in normal[value]:
            found.setdefault(name, []).append(id_)
    return found


def match(session: Session, table: str, by: Sequence[str], rows: Sequence[ImportRow]) -> None:
    """Find the record that each row updates, by the values of its match fields; notes rows that match several."""
    keyed: dict[tuple[Any, ...], list[ImportRow]] = {}
    for row in rows:
        key = tuple(row.values.get(name) for name in by)
        if any(value is None for value in key):
            row.fail("", f"the row cannot be found again: {', '.join(by)} must be filled in")
        else:
            keyed.setdefault(key, []).append(row)
    for id_, key, version in _records(session, table, by, list(keyed)):
        for row in keyed[key]:
            if row.id is not None and row.id != id_:
                row.fail("", f"several records have the same {', '.join(by)}")
            row.id, row.version = id_, version


def _records(session: Session, table: str, by: Sequence[str],
             keys: Sequence[tuple[Any, ...]]) -> list[tuple[int, tuple[Any, ...], int]]:
    """Id, key and version of the records with those keys, outside the trash and readable; one statement.

    Raises Denied for keys that the user may not read: what is found by them would tell them.
    """
    if not keys or not session.gate.may(table, "read"):
        return []
    folds = [_fold(session, table, name) for name in by]
    statement = session.system.cache.get(("import keys", session.user.shape, table, tuple(by)),
                                         lambda: _finding(session, table, by, folds))
    asked = [{f"k{n}": value for n, value in enumerate(key)}
             | {f"f{n}": sort_key(str(value)) for n, value in enumerate(key) if folds[n] is not None} for key in keys]
    rows = statement.rows(session.connection, {**session.parameters, **encode(asked)})
    return [(row[0], tuple(row[2:]), row[1]) for row in rows]


def _fold(session: Session, table: str, name: str) -> str | None:
    """The column with the folded text of a field: lists are sorted by it, so it often has the index."""
    try:
        return session.system.stored(table).name(name, "key")
    except KeyError:
        return None


def _finding(session: Session, table: str, by: Sequence[str], folds: Sequence[str | None]) -> Statement:
    source = RecordColumns(session.system, session.gate, table)
    stored = source.root.stored
    columns: list[ColumnElement[Any]] = [source.value((name,)) for name in by]
    kinds = {f"k{n}": stored.column(name).type for n, name in enumerate(by)}
    kinds |= {f"f{n}": Text() for n, fold in enumerate(folds) if fold is not None}
    asked = rowset(kinds)
    same = [column == asked.c[f"k{n}"] for n, column in enumerate(columns)]
    same += [source.root.source.c[fold] == asked.c[f"f{n}"] for n, fold in enumerate(folds) if fold is not None]
    found = select(source.root.id, source.root.source.c["_version"], *columns).select_from(
        source.source.join(asked, and_(*same))).where(*live(source))
    return Statement.compile(found, session.connection.dialect)
