"""What a read selects: the fields of records as columns, and how rows become records again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, null, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from core.ed import tables
from core.ed.columns import Path, RecordColumns
from core.ed.scope import GatedScope, gated_scope
from core.ed.statement import Made, Reader
from core.errors import BadRequest, Denied, words
from core.types.base import FieldType, Type
from core.types.file import FileValue
from core.types.link import Linked, tables_of

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.access import Gate
    from core.ed.system import System

ALWAYS = ("id", "_version")
MOST_STEPS = 8                                # of a path: each but the last is a join
OWN_KEYS = ("_title", "_type", "_version", "_deleted_on")


class Selection:
    """Collects the columns of one select and what becomes of them, key by key."""

    def __init__(self, columns: RecordColumns) -> None:
        self.columns = columns
        self._plain: list[tuple[str, ColumnElement[Any]]] = []
        self._rest: list[ColumnElement[Any]] = []
        self._made: list[tuple[str, list[ColumnElement[Any]], Callable[[tuple[Any, ...]], Any]]] = []
        self._flags: list[tuple[ColumnElement[Any], str]] = []
        self._order: list[str] = []
        self.open: list[str] = []               # open links, whose titles are read afterwards
        root = columns.root
        for key in ALWAYS:
            self.plain(key, root.source.c[key])
        if root.stored.shared:
            names = columns.system.names
            self.made("_type", [root.source.c["_type"]], lambda values: names.get(values[0]))

    def plain(self, key: str, column: ColumnElement[Any]) -> None:
        """A key whose value is the column's."""
        if key not in self._order:
            self._order.append(key)
            self._plain.append((key, column))

    def made(self, key: str, columns: list[ColumnElement[Any]], make: Callable[[tuple[Any, ...]], Any]) -> None:
        """A key whose value is made from columns."""
        if key not in self._order:
            self._order.append(key)
            self._made.append((key, columns, make))

    def add(self, name: str) -> None:
        """Add a field, a path or one of `_title _type _deleted_on`. Raises Denied."""
        path = tuple(name.split("."))
        if name == "_title":
            self.plain(name, self.columns.title(self.columns.root))
        elif name == "_deleted_on":
            self.plain(name, self.columns.root.source.c[name])
        elif name not in self._order and name not in OWN_KEYS:
            self._add_path(name, path)

    def finish(self, extra: Iterable[ColumnElement[Any]] = ()) -> tuple[list[ColumnElement[Any]], Reader, int]:
        """All columns, the reader of their rows, and the position of the first extra column."""
        chosen = [column for _, column in self._plain]
        made = []
        for key, columns, make in self._made:
            made.append(Made(key, tuple(range(len(chosen), len(chosen) + len(columns))), make))
            chosen += columns
        flags = []
        for column, key in self._flags:
            flags.append((len(chosen), key))
            chosen.append(column)
        first = len(chosen)
        chosen += extra
        labelled: list[ColumnElement[Any]] = [column.label(f"c{number}") for number, column in enumerate(chosen)]
        return labelled, Reader(tuple(key for key, _ in self._plain), tuple(made), tuple(flags)), first

    def _add_path(self, name: str, path: Path) -> None:
        kind = self.columns.type_of(path)
        node = self.columns.node(self.columns.root, path[:-1]) if len(path) > 1 and self._links(path) else None
        table = node.table if node is not None else self.columns.root.table
        field = self.columns.system.model.field(table, path[-1]) if node is not None or len(path) == 1 else None
        if field is not None and field.type.is_through:
            value = self.columns.linked_ids(path)
            self.plain(name, value)
            self._add_titles(name, path, Type("link", field.target, True), value)
            return
        if kind is not None and kind.name == "any_link":
            self._add_any(name, path, kind)
            return
        value = self.columns.value(path)
        if field is not None and field.type.is_file:
            self._add_file(name, value)
        elif kind is not None and kind.name == "link" and path[-1] != "id":
            self.plain(name, value)
            (self._add_titles if kind.many else self._add_title)(name, path, kind, value)
        elif field is not None and _converts(field.type):
            self._add_converted(name, path, field, value)
        else:
            self.plain(name, value)

    def _links(self, path: Path) -> bool:
        """Whether what stands before the last name is a record."""
        kind = self.columns.type_of(path[:-1])
        return kind is not None and kind.name == "link"

    def _add_any(self, name: str, path: Path, kind: Type) -> None:
        """A link to one of several tables, with the table and the title; an open one gets its title afterwards."""
        columns, names = self.columns, self.columns.system.names
        targets = tables_of(kind)
        parts = [columns.part(path, part) for part in targets or ("", "table")]
        if not targets:
            self.made(name, parts, lambda values: _opened(values, names))
            self.made(f"{name}_table", parts, lambda values: names.get(values[1] or 0))
            self.open.append(name)
            return
        self.made(name, parts, lambda values: next(
            (Linked(one, table) for one, table in zip(values, targets, strict=True) if one is not None), None))
        self.made(f"{name}_table", parts, lambda values: next(
            (table for one, table in zip(values, targets, strict=True) if one is not None), None))
        nodes = columns.nodes_of_any(path)
        nothing = cast(null(), Text)
        self.plain(f"{name}_title", func.coalesce(*(columns.title(node) for node in nodes), nothing))
        trashed = [and_(node.source.c["_deleted_on"].is_not(None), node.seen) for node in nodes]
        if trashed:
            self._flags.append((or_(*trashed), f"{name}_trashed"))

    def _add_converted(self, name: str, path: Path, field: Field, value: ColumnElement[Any]) -> None:
        """A field whose type must see its columns before they are a value."""
        kept, properties, count = field.type, field.properties, len(field.type.parts(field.properties))
        values = [value]
        if not field.virtual:
            values += [self.columns.value((*path, part.name)) for part in kept.parts(properties)[1:]]
        blanks = (None,) * (count - len(values))
        self.made(name, values, lambda parts: kept.from_columns(parts + blanks, properties))

    def _add_title(self, name: str, path: Path, kind: Type, value: ColumnElement[Any]) -> None:
        """The title of a linked record, if the user may read (or peek at) it, and whether it lies in the trash."""
        try:
            node = self.columns.node(self.columns.root, path)
        except Denied:
            self.plain(f"{name}_title", cast(null(), Text))
            return
        self.plain(f"{name}_title", self.columns.title(node))
        trashed = node.source.c["_deleted_on"].is_not(None)
        self._flags.append((trashed if node.shown is True else and_(trashed, node.seen), f"{name}_trashed"))

    def _add_titles(self, name: str, path: Path, kind: Type, value: ColumnElement[Any]) -> None:
        """The titles of several linked records, in their order; None for those that may not be read."""
        self.plain(f"{name}_title", titles_of(self.columns.system, self.columns.gate, kind.of or "", value))

    def _add_file(self, name: str, value: ColumnElement[Any]) -> None:
        file = tables.file.alias()
        self.columns.source = self.columns.source.outerjoin(file, file.c.id == value)
        self.columns.tables.append(file)
        self.made(name, [file.c.id, file.c.name, file.c.type, file.c.size],
                  lambda values: None if values[0] is None else FileValue(*values))


def titles_of(system: System, gate: Gate | None, table: str, links: ColumnElement[Any]) -> ColumnElement[Any]:
    """The titles of several linked records, in their order; None for those that may not be read."""
    if table not in system.model.tables or (gate and not (gate.may(table, "read") or gate.may(table, "peek"))):
        return cast(null(), ARRAY(Text))
    linked = func.unnest(links).table_valued("id", with_ordinality="position").render_derived()
    inner = RecordColumns(system, gate, table)
    if inner.gate is not None:
        inner.peek()
    inner.source = linked.outerjoin(inner.root.source, inner.root.id == linked.c.id)
    title = inner.title(inner.root)
    shown = title if inner.root.shown is True else case((inner.root.seen, title))
    ordered = func.array_agg(aggregate_order_by(shown, linked.c.position))
    return select(ordered).select_from(inner.source).correlate_except(linked, *inner.tables).scalar_subquery()


def check_path(gate: Gate, table: str, name: str, *, at: str) -> Type | None:
    """The type of a path that a user names, as far as this user can see; a hidden field is as unknown as none.

    Raises BadRequest with `at`, naming the part that is not understood and what may have been meant.
    """
    scope = gated_scope(gate, table)
    current, kind = table, None
    names = name.split(".")
    if len(names) > MOST_STEPS:
        raise BadRequest("A path has at most {most} steps.", at, most=MOST_STEPS)
    for position, part in enumerate(names):
        kind = scope.member(current, part) if part else None
        if kind is None:
            raise _unknown(scope, current, part, at)
        if position < len(names) - 1:
            if kind.name == "money" and names[position + 1:] == ["base"]:
                return kind
            if kind.name == "any_link":
                current = kind.of or ""
                continue
            if kind.name != "link" or kind.many or kind.of is None or kind.of not in gate.system.model.tables:
                raise BadRequest('"{name}" leads to no single record, so that nothing can follow it.', at, name=part)
            current = kind.of
    return kind


def readable_paths(gate: Gate, table: str, paths: Iterable[str]) -> list[str]:
    """Those of some paths that the user may read in some record: definitions name paths that not all people may."""
    if not gate.may(table, "read"):
        return []
    return [path for path in paths if _is_readable(gate, table, path)]


def _is_readable(gate: Gate, table: str, path: str) -> bool:
    try:
        check_path(gate, table, path, at="")
    except BadRequest:
        return False
    return True


def _unknown(scope: GatedScope, table: str, name: str, at: str) -> BadRequest:
    from difflib import get_close_matches

    said = words('There is no field "{name}" on "{table}"', name=name[:100], table=table)
    near = get_close_matches(name, list(scope.members(table)), n=1)
    if near:
        said = words('{problem} (did you mean "{name}"?)', problem=said, name=near[0])
    return BadRequest(said, at)


def _opened(values: tuple[Any, ...], names: Mapping[int, str]) -> Linked | None:
    return None if values[0] is None else Linked(values[0], names.get(values[1], ""), values[1])


def _converts(kind: FieldType[Any]) -> bool:
    return type(kind).from_columns is not FieldType.from_columns

