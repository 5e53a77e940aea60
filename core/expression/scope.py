"""The protocols an expression meets: names and their types, columns and their SQL, and what it is evaluated in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from sqlalchemy import ColumnElement, Select

from core.types.base import Type


@dataclass(frozen=True)
class Argument:
    """What a query or a named function takes under one name.

    `default` is a literal in normal form, `source` an expression that gives the default and knows no record.
    """

    type: Type
    required: bool = True
    default: object = None
    source: str = ""


@dataclass(frozen=True)
class Conditions:
    """Several conditions as one: `all` of them hold, `any` of them, or `not` (not all of them)."""

    how: Literal["all", "any", "not"]
    parts: tuple[str | Conditions, ...]


@dataclass(frozen=True)
class SetQuery:
    """A query as a set of records: those of `table` for which all of `where` hold.

    A condition is the source of an expression about a record of the table, or several joined by `Conditions`; it names
    what is asked for as `parameter.x`. `obstacle` names the property (group, union, limit...) for which the query's
    rows are no records of one table; such a query cannot be a set, and its conditions need not be given.
    """

    table: str
    parameters: Mapping[str, Argument] = field(default_factory=dict)
    where: tuple[str | Conditions, ...] = ()
    obstacle: str = ""


@dataclass(frozen=True)
class NamedFunction:
    """An expression with a name: `source` names its arguments as `parameter.x` and gives a value of type `gives`."""

    parameters: Mapping[str, Argument]
    gives: Type
    source: str


class Scope(Protocol):
    """The names an expression may use; `table` is the one whose record it is about, None if there is none."""

    @property
    def table(self) -> str | None:
        """The table of the record at hand."""

    def member(self, table: str, name: str) -> Type | None:
        """The type of a field or system column of a table."""

    def members(self, table: str) -> Iterable[str]:
        """All names a record of the table offers, for suggestions."""

    def variable(self, name: str) -> Type | None:
        """The type of a variable; a dotted name such as `parameter.city` is asked for when `parameter` is none."""

    def variables(self) -> Iterable[str]:
        """All variables, for suggestions."""

    def is_kind_of(self, table: str, base: str) -> bool:
        """True if the table is the base or stands under it."""

    def has_table(self, name: str) -> bool:
        """True if there is such a table."""

    def choice_values(self, name: str) -> Collection[str] | None:
        """The values of a choices definition; None if any value may come."""

    def tree(self, table: str) -> str | None:
        """The link by which records of the table stand above each other."""

    def query(self, name: str) -> SetQuery | None:
        """A query, as a set of records."""

    def queries(self) -> Iterable[str]:
        """All queries, for suggestions."""

    def function(self, name: str) -> NamedFunction | None:
        """A named function."""

    def functions(self) -> Iterable[str]:
        """All named functions, for suggestions."""

    def about(self, table: str | None, variables: Mapping[str, Type]) -> Scope:
        """The scope of what a definition says by itself: only variables known everywhere, and those given."""


class Columns(Protocol):
    """Where the fields of a record are found in SQL. A path is relative to the record; () and ("id",) are its id."""

    def value(self, path: tuple[str, ...]) -> ColumnElement[Any]:
        """The column of a field, through links; `amount.base` is the path's second part in base currency."""

    def related(self, path: tuple[str, ...]) -> Related:
        """The records of a `lines` path, or of a whole table for ("all", table)."""

    def variable(self, path: tuple[str, ...]) -> ColumnElement[Any]:
        """A variable as a bind parameter: ("today",), ("now",), ("zone",), ("user",), ("user", "manager") ..."""

    def kind(self, path: tuple[str, ...], table: str) -> ColumnElement[bool]:
        """Whether the linked record (() is the record itself) is of that table or one under it."""


class Related(Protocol):
    """The records of a set in SQL; expressions about one of them are compiled through `columns`."""

    @property
    def columns(self) -> Columns:
        """The columns of one record of the set."""

    def select(self, value: ColumnElement[Any], where: ColumnElement[bool] | None = None,
               order: Sequence[ColumnElement[Any]] = (), limit: int | None = None) -> Select[Any]:
        """A select over the set, correlated with the record around it; called after all paths were asked for."""


@dataclass(frozen=True)
class Environment:
    """What an expression may know beside the record; bound once for each request or run."""

    user: Mapping[str, object]
    today: date
    now: datetime
    zone: str
    variables: Mapping[str, object] = field(default_factory=dict)
