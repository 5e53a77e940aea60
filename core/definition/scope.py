"""The names of the Model as expressions see them: fields, links, choices and variables, each with its type."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from core.definition.lookup import Fact, Notes, Values
from core.definition.renames import Renames
from core.types.base import Type
from core.types.link import ANY, BETWEEN

if TYPE_CHECKING:
    from core.definition.model import Choices, Field, Table
    from core.expression import Expression, NamedFunction, SetQuery
    from core.expression.check import Over
    from core.expression.functions import Functions

class Results(Protocol):
    """The rows of a query, as expressions about them see them."""

    def member(self, name: str) -> Type | None:
        """The type of a column; None if there is none. Raises ExpressionError if it is wrong itself."""

    def field(self, name: str) -> Field | None:
        """The field that a column shows as it is; None if it is worked out."""

    def members(self) -> tuple[str, ...]:
        """The names of the columns."""


SYSTEM_COLUMNS = ("id", "created_on", "created_by", "changed_on", "changed_by")


class Names:
    """What expressions may name, filled while a Model is built.

    `broken` are tables with errors of their own; a query, function or setting is there as "query x", "function x".
    """

    def __init__(self, functions: Functions | None = None) -> None:
        self.functions = functions  # of the expression language; None: the built-in ones
        self.renames = Renames()
        self.notes = Notes()
        self.under: dict[str, list[str]] = {}       # the tables under each base that hold records
        self.families: dict[str, list[str]] = {}    # all tables that are stored with each topmost base, that first
        self.people: list[str] = []                 # the tables whose records stand for people
        self.scopes: tuple[str, ...] = ()           # paths from the user into trees, of all record roles
        self.tables: Values[Table] = Values("table", self.notes)
        self.choices: Values[Choices] = Values("choices", self.notes)
        self.queries: Values[SetQuery] = Values("query", self.notes)
        self.results: dict[str, Results] = {}  # what bare names mean in "query x" and "union x"
        self.named_functions: Values[NamedFunction] = Values("function", self.notes)
        self.settings: Values[Type] = Values("setting", self.notes)
        self.broken: set[str] = set()  # tables that could not be built
        self.lost: set[str] = set()  # fields and parameters that could not be built, or lead to nothing
        self.touched = False  # one of those was asked for: errors that follow from it are not told

    def field(self, table: str, name: str) -> Field | None:
        """A field of a table; from a base also one that exactly one of its kinds declares."""
        found = self.tables.quiet(table)
        self.notes.add("table", table, name)
        if found is None:
            return None
        if name in found.fields:
            return found.fields[name]
        below = self.below(table, name)
        return next(iter(below.values())) if len(below) == 1 else None

    def field_at(self, table: str, name: str) -> Field | None:
        """A field of a table, or the one that a column of a query's rows shows as it is."""
        return self.results[table].field(name) if table in self.results else self.field(table, name)

    def below(self, table: str, name: str) -> dict[str, Field]:
        """The fields of that name which tables under a base declare, by the table that declares each."""
        found = self.tables.quiet(table)
        kinds = (self.tables.quiet(kind) for kind in (found.kinds if found is not None else ()))
        return {f.table: f for kind in kinds if kind is not None and (f := kind.fields.get(name)) is not None}

    def member(self, table: str, name: str) -> Type | None:
        """The type of a field or system column of a table; of a link to several tables, the link to one of them."""
        if table == ANY or BETWEEN in table:
            return self._narrowed(table, name)
        if table in self.broken or name in self.lost or self._absent(table):
            self.touched = True
        if table in self.results:
            self.notes.add("query", table.rpartition(" ")[2])
            return self._column(self.results[table], name)
        if table not in self.tables:
            return None
        found = self.field(table, name)
        return found.expression_type if found else self._system(table, name)

    def _absent(self, table: str) -> bool:
        """True of what is no table and no rows of a query: that is told where it is named."""
        return table not in self.tables and table not in self.results

    def now(self, table: str, name: str) -> str | None:
        """What a field of a table, or of a kind under it, is called now that had this name before."""
        if table in self.results:           # a column is named like its field, and follows it
            columns = [now for now in self.renames.anywhere(name) if now in self.results[table].members()]
            return columns[0] if len(columns) == 1 else None
        found = self.tables.quiet(table)
        names = (self.renames.field(each, name) for each in (table, *found.kinds)) if found else ()
        return next((now for now in names if now is not None and self.member(table, now) is not None), None)

    def members(self, table: str) -> tuple[str, ...]:
        """All names a record of the table offers; of a link to several tables, these."""
        if BETWEEN in table:
            return tuple(table.split(BETWEEN))
        found = self.tables.get(table)
        if found is None:
            return self.results[table].members() if table in self.results else ()
        below = (name for kind in found.kinds if kind in self.tables for name in self.tables[kind].fields)
        return tuple(dict.fromkeys((*found.fields, *below, *SYSTEM_COLUMNS)))

    def is_kind_of(self, table: str, base: str) -> bool:
        """True if the table is the base, or stands anywhere under it."""
        current = table
        while (found := self.tables.quiet(current)) is not None:
            if current == base:
                return True
            current = found.base or ""
        return False

    def _narrowed(self, tables: str, name: str) -> Type | None:
        if name in self.broken:
            self.touched = True
        there = name in self.tables and (tables == ANY or name in tables.split(BETWEEN))
        return Type("link", name) if there else None

    def _column(self, results: Results, name: str) -> Type | None:
        from core.expression import ExpressionError
        try:
            return results.member(name)
        except ExpressionError:         # told where the column stands
            self.touched = True
            return None

    def _system(self, table: str, name: str) -> Type | None:
        if name == "id":
            return Type("link", table)
        if name in ("created_by", "changed_by"):
            return Type("link", "user")
        if name in ("created_on", "changed_on"):
            return Type("datetime")
        return None


@dataclass(frozen=True)
class ModelScope:
    """The Scope protocol of expressions over a Model: the record's table, and variables such as `user`."""

    names: Names
    table: str | None
    given: Mapping[str, Type] = field(default_factory=dict)
    forgiving: bool = False     # former names are known too: whoever checks looks them up in the mentions

    def member(self, table: str, name: str) -> Type | None:
        """The type of a field of a table, or None."""
        found = self.names.member(table, name)
        if found is None and self.forgiving and (table == ANY or BETWEEN in table):
            return self.names.member(table, self.names.renames.definition("table", name) or name)
        if found is None and self.forgiving:
            table = self._now(table)
            now = self.names.now(table, name) or name
            return self.names.member(table, now)
        return found

    def members(self, table: str) -> Iterable[str]:
        """All names a record of the table offers."""
        return self.names.members(table)

    def variable(self, name: str) -> Type | None:
        """The type of a variable, or None."""
        if name.rpartition(".")[2] in self.names.lost:
            self.names.touched = True
        if name == "user" and name not in self.given:
            return Type("link", "user")
        if name.startswith("setting.") and name not in self.given:
            setting = name.removeprefix("setting.")
            self._touch("setting", setting)
            found = self.names.settings.get(setting)
            if found is None and self.forgiving:
                found = self.names.settings.get(self.names.renames.definition("setting", setting) or "")
            return found
        return self.given.get(name)

    def variables(self) -> Iterable[str]:
        """All variables."""
        return ("user", *self.given, *(f"setting.{name}" for name in self.names.settings))

    def is_kind_of(self, table: str, base: str) -> bool:
        """True if the table is the base, or stands anywhere under it."""
        return self.names.is_kind_of(self._now(table), self._now(base))

    def has_table(self, name: str) -> bool:
        """True if there is such a table."""
        if name in self.names.broken:
            self.names.touched = True
        return self._now(name) in self.names.tables

    def _now(self, table: str) -> str:
        """A table under its name of now."""
        if not self.forgiving or table in self.names.tables:
            return table
        return self.names.renames.definition("table", table) or table

    def choice_values(self, name: str) -> Collection[str] | None:
        """The values of a choices definition; None if there is none, or administrators may add values."""
        found = self.names.choices.get(name)
        if found is None or found.open_in_live:
            return None
        return (*found.values, *self.names.renames.former("choices", name)) if self.forgiving else tuple(found.values)

    def tree(self, table: str) -> str | None:
        """The link by which records of the table stand above each other."""
        found = self.names.tables.get(table)
        fields = found.fields.values() if found is not None else ()
        return next((each.name for each in fields if getattr(each.properties, "tree", False)
                     and each.expression_type == Type("link", each.table)), None)

    def query(self, name: str) -> SetQuery | None:
        """A query, as a set of records."""
        self._touch("query", name)
        return self.names.queries.get(name)

    def queries(self) -> Iterable[str]:
        """All queries."""
        return self.names.queries

    def function(self, name: str) -> NamedFunction | None:
        """A named function."""
        self._touch("function", name)
        return self.names.named_functions.get(name)

    def functions(self) -> Iterable[str]:
        """All named functions."""
        return self.names.named_functions

    def about(self, table: str | None, variables: Mapping[str, Type]) -> ModelScope:
        """The scope of what a definition says by itself."""
        return ModelScope(self.names, table, variables, self.forgiving)

    def _touch(self, kind: str, name: str) -> None:
        if f"{kind} {name}" in self.names.broken:
            self.names.touched = True


@dataclass(frozen=True, eq=False)
class Written:
    """An expression as written; it is parsed and typed on first use, for a stored version was checked before."""

    source: str
    scope: ModelScope
    expects: str | Type | None = None
    over: Over = "record"

    @property
    def expression(self) -> Expression:
        """The typed expression; raises ExpressionError if it never was checked and is wrong."""
        expression, facts = self._checked
        notes = self.scope.names.notes
        if notes.facts is not None:
            notes.facts |= facts
        return expression

    @cached_property
    def _checked(self) -> tuple[Expression, frozenset[Fact]]:
        """The expression and what checking it looked at: whoever asks for it looked at that too."""
        from core.expression import check
        from core.expression.functions import BUILT_IN
        names, facts = self.scope.names, set[Fact]()
        with names.notes.into(facts if names.notes.facts is not None else None):
            expression = check(self.source, self.scope, self.expects, names.functions or BUILT_IN, self.over)
        return expression, frozenset(facts)
