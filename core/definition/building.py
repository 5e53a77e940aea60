"""The state of building a Model: the values so far, the problems, and the references met."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.definition.names import suggestion
from core.definition.scope import ModelScope, Names, Written
from core.definition.values import BodyPath, Mark, Merged
from core.errors import Problem

if TYPE_CHECKING:
    from core.definition.kinds.base import Kind
    from core.definition.model import Table
    from core.types.base import FieldType, Type

NO_VARIABLES: Mapping[str, Type] = MappingProxyType({})


@dataclass(frozen=True)
class Reference:
    """One definition names another, or a part of it ("table.field"), at a path of its body."""

    kind: str
    name: str
    path: BodyPath
    to_kind: str
    to_name: str


@dataclass
class Building:
    """Collects what kinds build and find; `broken` are definitions whose own errors are told already."""

    kinds: Mapping[str, Kind]
    types: Mapping[str, FieldType[Any]]
    names: Names
    merged: dict[tuple[str, str], Merged]
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)
    removed: Mapping[tuple[str, str, str], Mark] = field(default_factory=dict)  # what layers took away, and where
    problems: set[Problem] = field(default_factory=set)
    references: list[Reference] = field(default_factory=list)

    def tell(self, merged: Merged, path: BodyPath, message: str, inside: int | None = None) -> None:
        """A problem at a path of a definition; `inside` is a column within the value, from 1."""
        self.problems.add(merged.mark(path).problem(message, inside))

    def known(self, kind: str) -> list[str]:
        """The names of a kind, those with errors too."""
        return [name for k, name in self.merged if k == kind]

    def find(self, merged: Merged, path: BodyPath, kind: str, name: str) -> Any | None:
        """What a path of a definition names; None, with a problem told unless it is broken itself."""
        self.references.append(Reference(merged.kind, merged.name, path, kind, name))
        found = self.values.get(kind, {}).get(name)
        if found is None and (kind, name) not in self.broken:
            verb = "are" if kind == "choices" else "is"
            self.tell(merged, path, f'there {verb} no {kind} "{name}"' + suggestion(name, self.known(kind)))
        return found

    def field(self, merged: Merged, path: BodyPath, table: str, name: str) -> Type | None:
        """The type of a field or path of a table; None, with a problem told."""
        current, kind = table, None
        parts = name.split(".")
        for index, part in enumerate(parts):
            kind = self.names.member(current, part)
            if kind is None:
                self._tell_missing(merged, path, current, part)
                return None
            self._refer_field(merged, path, current, part)
            if index < len(parts) - 1:
                if kind.name not in ("link", "set") or kind.of is None:
                    self.tell(merged, path, f'"{part}" of table "{current}" is no link, so nothing can follow it')
                    return None
                current = kind.of
        return kind

    def _tell_missing(self, merged: Merged, path: BodyPath, table: str, name: str) -> None:
        if table in self.names.broken or name in self.names.lost:
            return
        found = self.names.tables.get(table)
        if found is None:
            return                      # the missing table is told where it is named
        below = self.names.below(table, name)
        if len(below) > 1:
            kinds = ", ".join(f'"{kind}"' for kind in below)
            self.tell(merged, path, f'field "{name}" is ambiguous on table "{table}": the tables {kinds} under it '
                                    "each have one")
        else:
            self.tell(merged, path, f'field "{name}" is not on table "{table}"'
                      + (self._removal(table, name) or suggestion(name, self.names.members(table))))

    def scope(self, table: str | None, variables: Mapping[str, Type] = NO_VARIABLES) -> ModelScope:
        """The names an expression about a record of the table may use."""
        return ModelScope(self.names, table, variables)

    def check(self, merged: Merged, path: BodyPath, written: Written | None, shift: int = 0) -> None:
        """Type an expression; tell what is wrong with it, and which fields it names."""
        from core.expression import ExpressionError
        if written is None:
            return
        self.names.touched = False
        try:
            expression = written.expression
        except ExpressionError as error:
            if not self.names.touched:
                hint = f' (did you mean "{error.suggestion}"?)' if error.suggestion else ""
                message = self._known_reason(written.scope.table, error.message) or error.message + hint
                self.tell(merged, path, message, inside=error.column + shift)
            return
        for read in expression.reads:
            self._refer(merged, path, written.scope.table, read)

    def _refer(self, merged: Merged, path: BodyPath, table: str | None, read: Iterable[str]) -> None:
        current, parts = table, list(read)
        if parts[:1] == ["all"]:
            current, parts = parts[1], parts[2:]
            self.references.append(Reference(merged.kind, merged.name, path, "table", current))
        for part in parts:
            if current is None:
                return
            self._refer_field(merged, path, current, part)
            kind = self.names.member(current, part)
            current = kind.of if kind is not None and kind.name in ("link", "set") else None

    def _refer_field(self, merged: Merged, path: BodyPath, table: str, name: str) -> None:
        """Remember that a field is named, by the table that declares it."""
        found = self.names.field(table, name)
        owner = found.table if found else table
        self.references.append(Reference(merged.kind, merged.name, path, "table", f"{owner}.{name}"))

    def _removal(self, table: str, name: str) -> str:
        """Where a layer removed a field, for whoever still names it."""
        mark = self.removed.get(("table", table, name))
        return f" ({mark.file}:{mark.line} removes it)" if mark else ""

    def _known_reason(self, table: str | None, message: str) -> str | None:
        """Why a name is not there, where an expression only knows that it is not: ambiguous, or removed."""
        if table is None or table not in self.names.tables:
            return None
        for name in re.findall(r'"(\w+)"', message):
            below = self.names.below(table, name)
            if len(below) > 1:
                kinds = ", ".join(f'"{kind}"' for kind in below)
                return f'field "{name}" is ambiguous on table "{table}": the tables {kinds} under it each have one'
            if self._removal(table, name):
                return message + self._removal(table, name)
        return None

    def table(self, name: str) -> Table | None:
        """A table that could be built."""
        return self.names.tables.get(name)
