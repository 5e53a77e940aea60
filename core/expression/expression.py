"""A checked expression: what it gives, what it reads, and its two back ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement

from core.expression.errors import EvaluationError
from core.expression.evaluate import needs_around
from core.expression.evaluate_sets import compile_python
from core.expression.mentions import Mention
from core.expression.nodes import (
    Aggregate,
    Call,
    First,
    GroupAggregate,
    IsKind,
    Node,
    Path,
    Reach,
    Rows,
    Running,
    Under,
    Values,
    Variable,
    children,
    lifted,
    walk,
)
from core.expression.reading import Around
from core.expression.scope import Columns, Environment
from core.expression.sql import compile_sql
from core.types.base import Type

STEPS = 100_000      # records that one evaluation may look at
NOTHING: Mapping[str, object] = {}


class Expression:
    """An expression that was checked; made by `check`, never changed."""

    def __init__(self, source: str, node: Node, is_kind_of: Callable[[str, str], bool],
                 mentions: tuple[Mention, ...] = ()) -> None:
        self.source = source
        self.node = node
        self.type: Type = node.type
        self.mentions = mentions            # every name of the Model in the text, with its column
        self._is_kind_of = is_kind_of

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    @cached_property
    def reads(self) -> frozenset[tuple[str, ...]]:
        """The paths read from the record: ("company", "name"), ("lines", "total"); ("all", table, field) of others."""
        return frozenset(_reads(self.node, ((),)))

    @cached_property
    def sets(self) -> frozenset[tuple[str, ...]]:
        """The paths among those read that lead to sets of records: ("lines",)."""
        return frozenset(_sets(self.node, ((),)))

    @cached_property
    def variables(self) -> frozenset[tuple[str, ...]]:
        """The variables it knows: ("user",), ("user", "manager"), ("today",), ("now",), ("zone",)."""
        return frozenset(_variables(self.node))

    @cached_property
    def functions(self) -> frozenset[str]:
        """The functions it calls."""
        return frozenset(node.function.name for node in walk(self.node) if isinstance(node, Call))

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables whose records it reads by `all.table`."""
        return frozenset(node.table for node in walk(self.node) if isinstance(node, Rows) and node.everywhere)

    @cached_property
    def grouped(self) -> bool:
        """True if it holds an aggregate over the rows of a group."""
        return any(isinstance(node, GroupAggregate) for node in walk(self.node))

    @cached_property
    def running(self) -> bool:
        """True if it holds a value that runs over the rows of a result."""
        return any(isinstance(node, Running) for node in walk(self.node))

    @cached_property
    def plain(self) -> frozenset[tuple[str, ...]]:
        """The paths read outside aggregates of the group: where rows are grouped, it must be by these."""
        return frozenset(path for path in _reads(self.node, ((),), plain=True) if path[:1] != ("all",))

    @property
    def indexable(self) -> bool:
        """True if an index can hold its SQL: it reads columns of the record itself alone, and no variables."""
        return not self.variables and all(len(path) == 1 for path in self.reads) and not any(
            isinstance(node, Rows | Reach | Under) or (isinstance(node, IsKind) and bool(node.value.names))
            or (isinstance(node, Call) and node.function.selects) for node in walk(self.node))

    @property
    def needs_database(self) -> bool:
        """True if it cannot be evaluated in Python, for it asks for all records of a table, or for a group of rows."""
        return bool(self.tables) or self.grouped or self.running or any(
            isinstance(node, Under) for node in walk(self.node))

    @cached_property
    def _python(self) -> Callable[[Mapping[str, Any], Any], Any]:
        run = compile_python(self.node, self._is_kind_of)
        if not needs_around(self.node):
            return run          # what is around is never looked at
        return lambda record, environment: run(record, Around(NOTHING, None, environment, [STEPS]))

    def evaluate(self, record: Mapping[str, object], environment: Environment) -> object:
        """The value over one record; None is empty, and unknown for a condition. Raises EvaluationError."""
        try:
            return self._python(record, environment)
        except (ArithmeticError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise EvaluationError(f"{self.source!r} does not fit what it was given: {error}") from error

    def sql(self, columns: Columns, order: Sequence[ColumnElement[Any]] = ()) -> ColumnElement[Any]:
        """The value as SQL; NULL is empty, and unknown for a condition. `order` is what running values go by."""
        return compile_sql(self.node, columns, order=order)

    def lifted(self, prefix: str) -> tuple[Expression, Mapping[str, object]]:
        """The same with the literals it compares as parameters `prefix`_n, and their values.

        Expressions that differ only in such values have the same `node`, so that one statement serves them all; the
        result is for SQL only.
        """
        values: dict[str, object] = {}
        return Expression(self.source, lifted(self.node, prefix, values), self._is_kind_of), values

    def where(self, columns: Columns) -> ColumnElement[bool]:
        """A condition for WHERE, ON, FILTER and CASE WHEN, where unknown is as good as false; indexes can serve it."""
        return compile_sql(self.node, columns, loose=True)

    def passes(self, columns: Columns) -> ColumnElement[bool]:
        """A condition for a check: true unless it is known to be false."""
        return compile_sql(self.node, columns).is_not(False)


def is_true(value: object) -> bool:
    """Whether a condition holds, for where, if and show: unknown does not."""
    return value is True


def passes(value: object) -> bool:
    """Whether a check passes: unknown does."""
    return value is not False


def holds(element: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same as `is_true` in SQL, for a condition that is selected as a value or negated."""
    return element.is_(True)


def _reads(node: Node, around: tuple[tuple[str, ...], ...], plain: bool = False) -> Iterator[tuple[str, ...]]:
    """Paths from the outermost record; `around` has the prefix of each record around, the innermost first.

    With `plain` the aggregates of a group are left out.
    """
    match node:
        case GroupAggregate() if plain:
            return
        case Reach(start=start, table=table, names=names):
            yield from _reads(start, around, plain)
            yield ("all", table, *names)
        case Under(value=value, top=top, table=table, link=link):
            yield from _reads(value, around, plain)
            yield from _reads(top, around, plain)
            yield ("all", table, link)
        case Path(level=level, names=names):
            yield around[level] + (names or ("id",))
        case Rows():
            yield _prefix(node, around)
            if node.start is not None:
                yield from _reads(node.start, around, plain)
                yield ("all", node.home, *node.names)
            if node.where is not None:
                yield from _reads(node.where, (_prefix(node, around), *around))
        case Values() | Aggregate() | First():
            yield from _reads(node.rows, around)
            for inner in (node.value, *(each.value for each in getattr(node, "order", ()))):
                if inner is not None:
                    yield from _reads(inner, (_prefix(node.rows, around), *around))
        case _:
            for child in children(node):
                yield from _reads(child, around, plain)


def _sets(node: Node, around: tuple[tuple[str, ...], ...]) -> Iterator[tuple[str, ...]]:
    match node:
        case Rows():
            yield _prefix(node, around)
            if node.where is not None:
                yield from _sets(node.where, (_prefix(node, around), *around))
        case Values() | Aggregate() | First():
            yield from _sets(node.rows, around)
            for inner in (node.value, *(each.value for each in getattr(node, "order", ()))):
                if inner is not None:
                    yield from _sets(inner, (_prefix(node.rows, around), *around))
        case _:
            for child in children(node):
                yield from _sets(child, around)


def _prefix(rows: Rows, around: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    if rows.start is not None:
        return ("all", rows.table)
    return rows.path if rows.everywhere else around[rows.level] + rows.names


def _variables(node: Node) -> Iterator[tuple[str, ...]]:
    for each in walk(node):
        if isinstance(each, Reach | Rows) and isinstance(each.start, Variable):
            yield (*each.start.names, *each.names)
        if isinstance(each, Variable):
            yield each.names
        elif isinstance(each, Call):
            yield from ((name,) for name in each.function.environment)
