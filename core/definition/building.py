"""The state of building a Model: the values so far, the problems, and the references met."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from core.definition.lookup import Definitions, Fact, Values
from core.definition.names import suggestion
from core.definition.references import KEY, Reference, References, place, position
from core.definition.renames import Alias
from core.definition.scope import ModelScope, Names, Written
from core.definition.values import BodyPath, Merged
from core.errors import Problem
from core.types.link import ANY, BETWEEN

if TYPE_CHECKING:
    from core.definition.kinds.base import Kind
    from core.definition.model import Table
    from core.expression.mentions import Mention
    from core.types.base import FieldType, Type

NO_VARIABLES: Mapping[str, Type] = MappingProxyType({})


__all__ = ["NO_VARIABLES", "Building", "Reference"]


@dataclass
class Building:
    """Collects what kinds build and find; `broken` are definitions whose own errors are told already."""

    kinds: Mapping[str, Kind]
    types: Mapping[str, FieldType[Any]]
    names: Names
    merged: Definitions
    values: dict[str, Values[Any]] = field(default_factory=dict)
    facts: dict[tuple[str, str], set[Fact]] | None = None       # what each definition looked at, if somebody asks
    broken: set[tuple[str, str]] = field(default_factory=set)
    problems: set[Problem] = field(default_factory=set)
    references: References = field(default_factory=References)
    verbs: Mapping[str, Any] = field(default_factory=dict)      # of the steps of agents, transitions and scenarios
    flows: tuple[Any, ...] | None = None    # what tables know of workflows, read once
    aliases: list[Alias] = field(default_factory=list)  # former names in use: all is built again with those of now

    def tell(self, merged: Merged, path: BodyPath, message: str, inside: int | None = None) -> None:
        """A problem at a path of a definition; `inside` is a column within the value, from 1."""
        self.problems.add(merged.mark(path).problem(message, inside))

    @contextmanager
    def noted(self, key: tuple[str, str]) -> Iterator[None]:
        """What is looked at in the block is looked at by this definition."""
        with self.names.notes.into(None if self.facts is None else self.facts.setdefault(key, set())):
            yield

    def known(self, kind: str) -> list[str]:
        """The names of a kind, those with errors too."""
        return [name for k, name in self.merged if k == kind]

    def refer(self, merged: Merged, path: BodyPath, kind: str, name: str, inside: int | None = None) -> None:
        """Remember that a definition names another, or a part of it; `inside` as in Reference."""
        self.references.append(Reference(merged.kind, merged.name, path, kind, name, inside))

    def find(self, merged: Merged, path: BodyPath, kind: str, name: str, inside: int | None = None) -> Any | None:
        """What a path of a definition names; None, with a problem told unless it is broken itself."""
        found = self._value(kind, name)
        if found is None and (kind, name) not in self.merged:
            now = self.names.renames.definition(kind, name)
            if now is not None and self.alias(merged, path, name, now, inside):
                return None                     # what hangs on it is checked once it has its name of now
        self.refer(merged, path, kind, name, inside)
        if found is None and (kind, name) not in self.broken:
            verb = "are" if kind == "choices" else "is"
            self.tell(merged, path, f'there {verb} no {kind} "{name}"' + suggestion(name, self.known(kind)))
        return found

    def _value(self, kind: str, name: str) -> Any | None:
        values = self.values.get(kind)
        return values.get(name) if values is not None else None

    def alias(self, merged: Merged, path: BodyPath, old: str, new: str, inside: int | None = None) -> bool:
        """Remember that a former name stands at a path; False if nobody can tell where it stands there."""
        whole = self.merged.get((merged.kind, merged.name), merged)     # what is given may count from within a text
        found = place(whole.body, path, old, inside)
        origin = whole.origin.get(found.path) if found is not None else None
        if found is None or origin is None:
            return False
        self.aliases.append(Alias(origin.mark, found, old, new, position(whole, found)))
        return True

    def field(self, merged: Merged, path: BodyPath, table: str, name: str, inside: int | None = None) -> Type | None:
        """The type of a field or path of a table; None, with a problem told."""
        current, kind = table, None
        parts = name.split(".")
        for index, part in enumerate(parts):
            at = inside if inside in (None, KEY) else inside + len(".".join(parts[:index])) + bool(index)
            kind = self.names.member(current, part)
            if kind is None:
                part = self._now(merged, path, current, part, at)
                kind = self.names.member(current, part)
            if kind is None:
                self._tell_missing(merged, path, current, part, at)
                return None
            self._refer_field(merged, path, current, part, at)
            if index < len(parts) - 1:
                if kind.name not in ("link", "set", "any_link") or kind.of is None:
                    self.tell(merged, path, f'"{part}" of table "{current}" is no link, so nothing can follow it')
                    return None
                current = kind.of
        return kind

    def now_in(self, merged: Merged, path: BodyPath, name: str, known: Container[str],
               inside: int | None = None) -> bool:
        """Whether a name that is not known is the former one of one that is, such as a column named like its field."""
        found = [now for now in self.names.renames.anywhere(name) if now in known]
        return len(found) == 1 and self.alias(merged, path, name, found[0], inside)

    def _now(self, merged: Merged, path: BodyPath, table: str, name: str, inside: int | None) -> str:
        """The name of now of a field that is written with a former one, which is remembered."""
        now = self.names.now(table, name)
        return now if now is not None and self.alias(merged, path, name, now, inside) else name

    def _tell_missing(self, merged: Merged, path: BodyPath, table: str, name: str, inside: int | None) -> None:
        if table in self.names.broken or name in self.names.lost:
            return
        if table in self.names.results and not self.names.touched:
            if self.now_in(merged, path, name, self.names.members(table), inside):
                return
            self.tell(merged, path, f'"{name}" is no column of the {table}'
                      + suggestion(name, self.names.members(table)))
        if table == ANY or BETWEEN in table:
            self.tell(merged, path, f'a link to several tables is followed by the table it leads to, not by "{name}"'
                      + suggestion(name, self.names.members(table)))
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
                      + suggestion(name, self.names.members(table)))

    def scope(self, table: str | None, variables: Mapping[str, Type] = NO_VARIABLES) -> ModelScope:
        """The names an expression about a record of the table may use."""
        return ModelScope(self.names, table, variables, forgiving=True)

    def check(self, merged: Merged, path: BodyPath, written: Written | None, shift: int = 0, begin: int = 0) -> None:
        """Type an expression; tell what is wrong with it, and which fields it names.

        `shift` is what stands before it in the value, `begin` what stands before the text that `merged` counts from.
        """
        from core.expression import ExpressionError
        if written is None:
            return
        self.names.touched = False
        try:
            expression = written.expression
        except ExpressionError as error:
            if not self.names.touched and not error.own and not self._goes_nowhere(written.expects):
                hint = f' (did you mean "{error.suggestion}"?)' if error.suggestion else ""
                message = self._known_reason(written.scope.table, error.message) or error.message + hint
                if (rows := written.scope.table) in self.names.results:
                    message = message.replace(f'on table "{rows}"', f"a column of the {rows}")
                self.tell(merged, path, message, inside=error.column + shift)
            return
        for one in expression.mentions:
            self._mention(merged, path, one, one.column - 1 + shift + begin)

    def _goes_nowhere(self, expected: object) -> bool:
        """True where records of a table are expected that is not there, which is told where it is named."""
        of = getattr(expected, "of", None) if getattr(expected, "name", "") in ("link", "set") else None
        return of is not None and of not in self.names.tables

    def _mention(self, merged: Merged, path: BodyPath, one: Mention, inside: int) -> None:
        """Remember a name in an expression, and what it stands for if it is a former one."""
        if one.kind == "field":
            name = one.name
            if self.names.member(one.owner, name) is None:
                name = self._now(merged, path, one.owner, name, inside)
            self._refer_field(merged, path, one.owner, name, inside)
            return
        kind = "choices" if one.kind == "choice" else one.kind
        name = f"{one.owner}.{one.name}" if one.owner else one.name
        if one.kind == "choice":
            self.choice(merged, path, one.owner, one.name, inside)
        elif (kind, name) not in self.merged and (now := self.names.renames.definition(kind, name)) is not None:
            self.alias(merged, path, name, now, inside)
        else:
            self.refer(merged, path, kind, name, inside)

    def declared(self, table: str, collection: str, member: str) -> tuple[str, str]:
        """The kind and name of a table's record role, rule...: of the table, mixin or base that writes it."""
        waiting = [("table", table)]
        while waiting:
            kind, name = waiting.pop(0)
            merged = self.merged.get((kind, name))
            body = merged.body if merged is not None else {}
            members, uses, base = (body.get(key) for key in (collection, "uses", "base"))
            if isinstance(members, dict) and member in members:
                return kind, f"{name}.{collection}.{member}"
            waiting += [("mixin", str(one)) for one in (uses if isinstance(uses, list) else ())]
            waiting += [("table", base)] if isinstance(base, str) else []
        return "table", f"{table}.{collection}.{member}"

    def choice(self, merged: Merged, path: BodyPath, choices: str, value: str, inside: int | None = None) -> bool:
        """Remember that a value of choices is named; True if it is one, under its name of now or a former one."""
        found = self.names.choices.get(choices)
        if "." in choices:              # those that core makes of states: "ticket.state"
            if found is not None and value in found.values:
                kind, _, name = found.values[value].path.partition(" ")
                self.refer(merged, path, kind, name, inside)
            return found is not None and value in found.values
        if choices == "role":
            self.refer(merged, path, "role", value, inside)
            return found is not None and value in found.values
        if found is not None and value not in found.values:
            now = self.names.renames.member("choices", choices, value)
            if now is not None and self.alias(merged, path, value, now, inside):
                value = now
        self.refer(merged, path, "choices", f"{choices}.{value}", inside)
        return found is not None and value in found.values

    def _refer_field(self, merged: Merged, path: BodyPath, table: str, name: str, inside: int | None) -> None:
        """Remember that a field is named, by the table that declares it and the mixin that it comes from."""
        if table == ANY or BETWEEN in table:
            self.refer(merged, path, "table", name, inside)
            return
        if table in self.names.results:
            self.refer(merged, path, "query", f"{table.rpartition(' ')[2]}.{name}", inside)
            return
        found = self.names.field(table, name)
        self.refer(merged, path, "table", f"{found.table if found else table}.{name}", inside)
        source = found.path.partition(".")[0] if found is not None else ""
        if source.startswith("mixin "):
            self.refer(merged, path, "mixin", f"{source.removeprefix('mixin ')}.{name}", inside)

    def _known_reason(self, table: str | None, message: str) -> str | None:
        """Why a name is not there, where an expression only knows that it is not: it is ambiguous."""
        if table is None or table not in self.names.tables:
            return None
        for name in re.findall(r'"(\w+)"', message):
            below = self.names.below(table, name)
            if len(below) > 1:
                kinds = ", ".join(f'"{kind}"' for kind in below)
                return f'field "{name}" is ambiguous on table "{table}": the tables {kinds} under it each have one'
        return None

    def table(self, name: str) -> Table | None:
        """A table that could be built."""
        return self.names.tables.get(name)
