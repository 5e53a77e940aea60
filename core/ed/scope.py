"""The names of the Model as one user sees them: what may not be read is as unknown as what is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from core.ed.access import Gate
from core.ed.columns import RecordColumns
from core.errors import Denied
from core.types.base import Type
from core.types.link import ANY, BETWEEN

if TYPE_CHECKING:
    from core.expression import NamedFunction, Scope, SetQuery


def visible(gate: Gate, table: str, name: str) -> bool:
    """Whether the user may read a field (or system column) of a table in some record."""
    def find() -> bool:
        if gate.hidden(table, name):
            return False
        field = gate.system.model.field(table, name)
        try:
            if field is not None and field.formula is not None:
                RecordColumns(gate.system, gate, table).value((name,))
            elif field is not None and field.type.is_through:
                RecordColumns(gate.system, gate, table).related((name,))
            elif field is not None and field.type.virtual:
                return gate.may(field.target or "", "read")
        except Denied:
            return False
        return True
    if gate.open:
        return True
    return gate.once(("visible", table, name), find)


def peekable(gate: Gate, table: str, name: str) -> bool:
    """Whether a link to the table shows the field even of records that may not be read."""
    return name in gate.system.model.tables[table].peek and gate.may(table, "peek")


def known_setting(gate: Gate, name: str) -> bool:
    """Whether the user may know a setting: whoever may compare with it could find its value."""
    found = gate.system.model.settings.get(name)
    return found is not None and (gate.open or gate.all or any(role.name in found.who for role in gate.roles))


class GatedScope:
    """The names of the Model as one user sees them: what may not be read is as unknown as what is not there.

    What definitions say by themselves (`shipped`) may use any setting.
    """

    def __init__(self, gate: Gate, scope: Scope, home: str, shipped: bool = False) -> None:
        self._gate = gate
        self._scope = scope
        self._home = home
        self._shipped = shipped

    @property
    def table(self) -> str | None:
        """The table of the record at hand."""
        return self._scope.table

    def member(self, table: str, name: str) -> Type | None:
        """The type of a field that the user may read; None for any other."""
        kind = self._scope.member(table, name)
        if kind is None or not self._sees(table, name):
            return None
        return kind

    def members(self, table: str) -> Iterable[str]:
        """The names that the user may use, for suggestions."""
        return [name for name in self._scope.members(table) if self._sees(table, name)]

    def variable(self, name: str) -> Type | None:
        """The type of a variable that the user may know."""
        return self._scope.variable(name) if self._knows(name) else None

    def variables(self) -> Iterable[str]:
        """The variables that the user may know."""
        return [name for name in self._scope.variables() if self._knows(name)]

    def is_kind_of(self, table: str, base: str) -> bool:
        """True if the table is the base or stands under it."""
        return self._scope.is_kind_of(table, base)

    def has_table(self, name: str) -> bool:
        """True if there is such a table and the user may read it."""
        return self._scope.has_table(name) and self._gate.may(name, "read")

    def choice_values(self, name: str) -> Collection[str] | None:
        """The values of a choices definition; None if any value may come."""
        return self._scope.choice_values(name)

    def tree(self, table: str) -> str | None:
        """The link by which records of the table stand above each other, if the user may read it."""
        link = self._scope.tree(table)
        return link if link is not None and self._sees(table, link) else None

    def query(self, name: str) -> SetQuery | None:
        """A query over a table that the user may read."""
        found = self._scope.query(name)
        return found if found is not None and self._gate.may(found.table, "read") else None

    def queries(self) -> Iterable[str]:
        """The queries that the user may use, for suggestions."""
        return [name for name in self._scope.queries() if self.query(name) is not None]

    def function(self, name: str) -> NamedFunction | None:
        """A named function."""
        return self._scope.function(name)

    def functions(self) -> Iterable[str]:
        """All named functions."""
        return self._scope.functions()

    def about(self, table: str | None, variables: Mapping[str, Type]) -> GatedScope:
        """The scope of what a definition says by itself, as far as the user may read what it reads."""
        return GatedScope(self._gate, self._scope.about(table, variables), table or "", shipped=True)

    def _knows(self, variable: str) -> bool:
        kind, _, name = variable.partition(".")
        return self._shipped or kind != "setting" or known_setting(self._gate, name)

    def _sees(self, table: str, name: str) -> bool:
        gate = self._gate
        if gate.open or BETWEEN in table:               # which of several tables a link leads to goes with it
            return True
        if table == ANY:
            return name not in gate.system.model.tables or gate.may(name, "read") or gate.may(name, "peek")
        if gate.may(table, "read") and visible(gate, table, name):
            return True
        return table != self._home and peekable(gate, table, name)


def gated_scope(gate: Gate, table: str, variables: Mapping[str, Type] | None = None) -> GatedScope:
    """The scope of what this user writes about a table: filters, orders, fields."""
    return GatedScope(gate, gate.system.model.scope(table, variables or {}), table)
