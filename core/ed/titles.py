"""Titles of records in SQL: what `display` says, as far as it may be read, and what records sort by."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Text, case, cast, func, null, or_

from core.ed.paths import concrete
from core.errors import Denied

if TYPE_CHECKING:
    from core.ed.columns import Node, Path, RecordColumns
    from core.ed.system import System

PLACE = re.compile(r"\{([^{}]+)\}")
DEEPEST_TITLE = 4                           # links from title to title: tables may show each other


def title(columns: RecordColumns, node: Node, depth: int = 0) -> ColumnElement[Any]:
    """What stands for a record: its table's `display`; empty where nothing of it may be read."""
    found = _displays(columns.system, node.table)
    if len(found) == 1:
        return _display(columns, node, found.pop(), depth)
    return case(*(_kind_title(columns, node, kind, depth) for kind in concrete(columns.system.model, node.table)))


def sort_value(columns: RecordColumns, path: Path) -> ColumnElement[Any]:
    """What lists sort by: the folded key of a text, the title of a linked record, else the value."""
    kind = columns.type_of(path)
    if kind is not None and kind.name == "any_link":
        return func.coalesce(*(sort_title(columns, one) for one in columns.nodes_of_any(path)), cast(null(), Text))
    if kind is not None and kind.name == "link" and not kind.many and path[-1] != "id":
        return sort_title(columns, columns.node(columns.root, path))
    if len(path) > 1:
        before = columns.type_of(path[:-1])
        if before is None or before.name != "link":
            return columns.value(path)
    return _sort_field(columns, columns.node(columns.root, path[:-1]), path[-1])


def sort_title(columns: RecordColumns, node: Node) -> ColumnElement[Any]:
    """What records sort by when they sort by title."""
    only = _only_field(columns.system, node.table)
    if only is not None and columns.definition(node, only) is not None:
        return _sort_field(columns, node, only)
    return func.lower(title(columns, node))


def found_by_search(system: System, table: str) -> bool:
    """Whether titles are a field that searches look into, so that nothing else need be compared."""
    only = _only_field(system, table)
    field = system.model.field(table, only) if only is not None else None
    return field is not None and field.search == "contains"


def _displays(system: System, table: str) -> set[str]:
    """The `display` of each kind of a table."""
    return {system.model.tables[kind].display for kind in concrete(system.model, table)}


def _only_field(system: System, table: str) -> str | None:
    """The field of the record itself that is all that its titles say, if it is one."""
    found = _displays(system, table)
    place = PLACE.fullmatch(found.pop()) if len(found) == 1 else None
    return place[1] if place is not None and "." not in place[1] else None


def _kind_title(columns: RecordColumns, node: Node, kind: str,
                depth: int) -> tuple[ColumnElement[bool], ColumnElement[Any]]:
    """The title of one kind of a base, by its own fields and the rights on these."""
    system = columns.system
    of_kind = replace(node, table=kind, stored=system.stored(kind))
    display = system.model.tables[kind].display
    return node.source.c["_type"] == system.identities[kind], _display(columns, of_kind, display, depth)


def _sort_field(columns: RecordColumns, node: Node, name: str) -> ColumnElement[Any]:
    field = columns.definition(node, name)
    has_key = field is not None and not field.virtual and any(
        part.name == "key" for part in field.type.parts(field.properties))
    return columns.field(node, name, "key" if has_key else "") if name != "id" else node.id


def _display(columns: RecordColumns, node: Node, display: str, depth: int) -> ColumnElement[Any]:
    pieces = PLACE.split(display)               # text, path, text, path, ..., text
    texts = [_text(columns, node, tuple(path.strip().split(".")), depth) for path in pieces[1::2]]
    if len(texts) == 1 and not pieces[0] and not pieces[2]:
        return texts[0]
    if not texts:
        return cast(display, Text)
    joined: list[Any] = [pieces[0]]
    for text, after in zip(texts, pieces[2::2], strict=True):
        joined += [text, after]
    return case((or_(*(text.is_not(None) for text in texts)), func.concat(*(j for j in joined if not _empty(j)))))


def _text(columns: RecordColumns, node: Node, path: Path, depth: int) -> ColumnElement[Any]:
    """The text of one place in a display; empty if it may not be read."""
    nothing = cast(null(), Text)
    try:
        kind = columns.end_type(node.table, path)
        if kind is not None and kind.name == "any_link":
            if depth >= DEEPEST_TITLE:
                return nothing
            return func.coalesce(*(title(columns, one, depth + 1) for one in columns.nodes_of_any(path, node)), nothing)
        if kind is not None and kind.name == "link" and not kind.many and path[-1] != "id":
            if depth >= DEEPEST_TITLE or kind.of not in columns.system.model.tables:
                return nothing
            return title(columns, columns.node(node, path), depth + 1)
        value = columns.value_from(node, path)
    except Denied:
        return nothing
    return value if kind is not None and kind.name in ("text", "choice") else cast(value, Text)


def _empty(piece: object) -> bool:
    return isinstance(piece, str) and not piece
