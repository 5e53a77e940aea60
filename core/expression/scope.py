"""The protocols an expression meets: names and their types, columns and their SQL, and what it is evaluated in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select

from core.types.base import Type


@dataclass(frozen=True)
class Argument:
    """What a query or a named function takes under one name; `default` is a literal in normal form."""

    type: Type
    required: bool = True
    default: object = None


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
