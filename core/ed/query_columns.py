"""The rows of a query as columns for expressions: what RecordColumns is for records, over a select that is read from.

A column that the user may not read in the rows is not there: asking for it is refused as an unknown name is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Text, cast, func, null, select
from sqlalchemy.sql.selectable import FromClause

from core.ed.access import Gate, as_condition
from core.ed.columns import RecordColumns, RelatedRecords, unknown
from core.errors import Denied
from core.types.base import Type

if TYPE_CHECKING:
    from core.ed.system import System

Path = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Held:
    """One column of rows: its values, their type, and what rows sort by if that is something else."""

    element: ColumnElement[Any]
    type: Type
    key: ColumnElement[Any] | None = None


class RowColumns:
    """The Columns protocol over rows; links of rows are followed as far as the user may read what they lead to."""

    def __init__(self, system: System, gate: Gate | None, name: str, rows: FromClause,
                 held: Mapping[str, Held]) -> None:
        self.system = system
        self.gate = None if gate is not None and gate.open else gate
        self.name = name
        self.held = held
        self.rows = rows
        self._linked: dict[str, RecordColumns] = {}

    @property
    def source(self) -> FromClause:
        """What to select from, with the records that paths led to."""
        found = self.rows
        for name, linked in self._linked.items():
            on = linked.root.id == self.held[name].element
            if self.gate is not None:
                on = on & as_condition(self.gate.predicate(linked.root.table, "read", linked.root.source))
            found = found.outerjoin(linked.source, on)
        return found

    def value(self, path: Path) -> ColumnElement[Any]:
        """A column, or a field of the record that it leads to. Raises Denied."""
        held = self._held(path[0])
        return held.element if len(path) == 1 else self._record(path[0]).value(path[1:])

    def related(self, path: Path) -> RelatedRecords:
        """The records of a set that a link leads to, of a plural link, or of a whole table. Raises Denied."""
        if path[0] == "all" and len(path) == 2:
            return RelatedRecords(RecordColumns(self.system, self.gate, path[1]), [])
        held = self._held(path[0])
        if len(path) > 1:
            return self._record(path[0]).related(path[1:])
        inner = RecordColumns(self.system, self.gate, held.type.of or "")
        return RelatedRecords(inner, [inner.root.id == held.element.any_()])

    def variable(self, path: Path) -> ColumnElement[Any]:
        """A variable; the same from anywhere."""
        return RecordColumns(self.system, self.gate, "user").variable(path)

    def kind(self, path: Path, table: str) -> ColumnElement[bool]:
        """Whether the record that a column leads to is of a table."""
        return self._record(path[0]).kind(path[1:], table)

    def sort_value(self, path: Path) -> ColumnElement[Any]:
        """What rows sort by: folded texts, titles of linked records, else values."""
        held = self._held(path[0])
        if len(path) > 1:
            return self._record(path[0]).sort_value(path[1:])
        return held.key if held.key is not None else sort_key(self.system, self.gate, held.type, held.element)

    def _held(self, name: str) -> Held:
        if name not in self.held:
            raise unknown(self.name, name)
        return self.held[name]

    def _record(self, name: str) -> RecordColumns:
        """The record that a column of links leads to, joined once."""
        held = self._held(name)
        if name not in self._linked:
            table = held.type.of or ""
            if held.type.name != "link" or held.type.many or table not in self.system.model.tables:
                raise unknown(self.name, name)
            if self.gate is not None and not self.gate.may(table, "read"):
                raise Denied('There is no table "{table}", or you may not read it.', table=table)
            self._linked[name] = RecordColumns(self.system, self.gate, table)
        return self._linked[name]


def sort_key(system: System, gate: Gate | None, type: Type, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """What values of a type sort by."""
    if type.name == "link" and not type.many and (type.of or "") in system.model.tables:
        return func.lower(title_of(system, gate, type.of or "", element))
    return func.lower(element) if type.name == "text" else element


def title_of(system: System, gate: Gate | None, table: str, link: ColumnElement[Any]) -> ColumnElement[Any]:
    """The title of a linked record, as far as the user may read (or peek at) it."""
    if gate is not None and not gate.open and not (gate.may(table, "read") or gate.may(table, "peek")):
        return cast(null(), Text)
    columns = RecordColumns(system, gate, table)
    if columns.gate is not None:
        columns.peek()
    title = columns.title(columns.root)
    found = select(title).select_from(columns.source).where(columns.root.id == link)
    if columns.gate is not None:
        found = found.where(columns.root.seen)
    return found.correlate_except(*columns.tables).scalar_subquery()
