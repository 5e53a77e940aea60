"""From the rows of a file to records: texts, links by name, values in normal form, and a reason for each bad row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, tuple_

from core.ed.columns import RecordColumns, live
from core.ed.mapping import ImportMapping, Source, directive, fill
from core.ed.records import Records
from core.ed.table_file import FileRow
from core.errors import Invalid
from core.types.base import BadValue, Locale

if TYPE_CHECKING:
    from core.definition.model import Field, Table
    from core.ed.session import Session

ISO = Locale("root")               # no language: days only as YYYY-MM-DD, so that none is taken for another
_AT_ONCE = 5_000                   # keys looked up by one statement


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

    def __init__(self, session: Session, table: Table, mapping: ImportMapping, header: Sequence[str]) -> None:
        self.session = session
        self.table = table
        self.mapping = mapping
        self.header = tuple(header)
        self.locale = Locale(mapping.language, mapping.zone)
        self.skipped: Counter[tuple[str, str]] = Counter()     # values left empty because nothing has that name

    def read(self, rows: Iterable[FileRow]) -> list[ImportRow]:
        """Read a batch of rows; those that fail have reasons."""
        read = [ImportRow(row) for row in rows]
        good = [row for row in read if not self._misshapen(row)]
        for row in good:
            row.texts = texts(row.source, self.header, self.mapping)
        for name, source in self.mapping.fields.items():
            target = self.table.fields[name]
            if source.by is not None:
                self._links(target, source, good)
            else:
                convert = self._converter(target, source)
                for row in good:
                    self._value(row, target, source, convert)
        return read

    def _misshapen(self, row: ImportRow) -> bool:
        if row.source.problem:
            row.fail("", row.source.problem)
        return bool(row.source.problem)

    def _value(self, row: ImportRow, target: Field, source: Source, convert: Callable[[str], Any]) -> None:
        text = row.texts[target.name]
        if text is None:
            if source.empty == "null":
                row.values[target.name] = None
            return
        try:
            row.values[target.name] = convert(text)
        except BadValue as bad:
            row.fail(target.name, bad.message, bad.params)

    def _converter(self, target: Field, source: Source) -> Callable[[str], Any]:
        kind, properties = target.type, target.properties
        if source.format is not None:
            return self._dates(target, directive(source.format), source.format)
        if target.expression_type.name == "choice":
            return self._choices(target, source)
        if target.many and source.split:
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
        """Choices by name, or by title as people know them."""
        values = self.session.system.model.choices[getattr(target.properties, "of", "")].values
        known = {value.title.casefold(): name for name, value in values.items()}
        known |= {name.casefold(): name for name in values}

        def one(text: str) -> str | None:
            found = known.get(text.strip().casefold())
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
        found = find_by(self.session, target.target or "", source.by or "", list(wanted))
        problems = self._create_unknown(target, source, [name for name in wanted if name not in found], found)
        for row, names in named:
            if not names:
                if source.empty == "null":
                    row.values[target.name] = None
                continue
            ids = [self._resolve(row, target, source, name, found.get(name, []), problems) for name in names]
            known = [id_ for id_ in ids if id_ is not None]
            row.values[target.name] = known or None if target.many else next(iter(known), None)

    def _names(self, target: Field, source: Source, text: str | None) -> list[str]:
        if text is None:
            return []
        if not target.many:
            return [text]
        return [part.strip() for part in text.split(source.split or ",") if part.strip()]

    def _resolve(self, row: ImportRow, target: Field, source: Source, name: str, ids: Sequence[int],
                 problems: dict[str, str]) -> int | None:
        if len(ids) == 1:
            return ids[0]
        if len(ids) > 1:
            row.fail(target.name, f'there are {len(ids)} records of {target.target} with {source.by} "{name[:80]}"')
        elif source.unknown == "skip":
            self.skipped[target.name, name] += 1
        else:
            reason = problems.get(name) or f'there is no {target.target} with {source.by} "{name[:80]}"'
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


def texts(row: FileRow, header: Sequence[str], mapping: ImportMapping) -> dict[str, str | None]:
    """What a row says for each field, as text; None where it says nothing. Needs no database."""
    cells = dict(zip(header, row.cells, strict=True))
    found: dict[str, str | None] = {}
    for name, source in mapping.fields.items():
        if source.template:
            continue
        said = ",".join(source.value) if source.value is not None else cells[source.column or ""]
        found[name] = _meaning(said, source, mapping)
    filled = {**cells, **{name: text or "" for name, text in found.items()}}
    for name, source in mapping.fields.items():
        if source.template:
            found[name] = next((text for one in source.template if (text := fill(one, filled)) is not None), None)
    return {name: found[name] for name in mapping.fields}


def _meaning(text: str, source: Source, mapping: ImportMapping) -> str | None:
    stripped = text.strip()
    if stripped in source.values:
        stripped = source.values[stripped]
    elif stripped in source.nulls or stripped in mapping.nulls:
        return None
    return (text if stripped == text.strip() else stripped) if stripped else None


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
    """Id, key and version of the records with those keys, outside the trash and readable.

    Raises Denied for keys that the user may not read: what is found by them would tell them.
    """
    if not session.gate.may(table, "read"):
        return []
    source = RecordColumns(session.system, session.gate, table)
    columns: list[ColumnElement[Any]] = [source.value((name,)) for name in by]
    wanted = select(source.root.id, source.root.source.c["_version"], *columns).where(*live(source))
    found = []
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start:start + _AT_ONCE]
        chosen = columns[0].in_([key[0] for key in some]) if len(columns) == 1 else tuple_(*columns).in_(some)
        found += [(row[0], tuple(row[2:]), row[1])
                  for row in session.connection.execute(wanted.where(chosen), session.parameters)]
    return found
