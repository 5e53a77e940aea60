"""Queries of the Model: which records or rows they give, with which parameters, columns, groups and order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Literal

from core.definition.scope import ModelScope, Names, Written
from core.definition.values import BodyPath
from core.definition.written_out import written_out
from core.expression import ExpressionError
from core.expression.nodes import And, Node, Not, Or, Path
from core.expression.type_rules import BOOLEAN, unify
from core.types.base import Type

if TYPE_CHECKING:
    from core.definition.model import Field

How = Literal["all", "any", "not"]


@dataclass(frozen=True, eq=False)
class Condition:
    """One condition, and where it stands in its definition."""

    written: Written
    at: BodyPath


@dataclass(frozen=True, eq=False)
class Conditions:
    """Named conditions: all of them hold, any of them, or `not`: not all of them."""

    how: How
    parts: Mapping[str, Condition | Conditions]

    def each(self) -> Iterator[Condition]:
        """The conditions themselves, however deep."""
        for part in self.parts.values():
            if isinstance(part, Condition):
                yield part
            else:
                yield from part.each()

    @cached_property
    def node(self) -> Node:
        """The same as one condition; raises ExpressionError if a part is wrong."""
        parts = tuple(part.written.expression.node if isinstance(part, Condition) else part.node
                      for part in self.parts.values())
        joined = parts[0] if len(parts) == 1 else \
            (Or if self.how == "any" else And)(type=BOOLEAN, parts=parts)
        return Not(type=BOOLEAN, value=joined) if self.how == "not" else joined


@dataclass(frozen=True, eq=False)
class QueryColumn:
    """One column of the rows that a query gives."""

    name: str
    title: str | None               # None: the title of the field it ends at, or the name in words
    written: Written
    at: BodyPath                    # where the expression stands in its definition
    total: Literal["sum", "average", "min", "max", "count"] | None = None
    badge: bool = False
    hidden: bool = False
    path: str = ""                  # of its texts: "query deals.columns.amount"

    @property
    def node(self) -> Node:
        """The typed tree, in which earlier columns are variables. Raises ExpressionError."""
        return self.written.expression.node

    @property
    def type(self) -> Type:
        """What it gives. Raises ExpressionError."""
        return self.written.expression.type


@dataclass(frozen=True, eq=False)
class Reading:
    """What is read before rows are grouped and put in order: a query, or one part of a union.

    `source` is what bare names belong to: a table, or "query x" for the rows of another query, or "union x" for those
    of the parts. `table` is the table whose records are read, also through other queries; None where rows are none.
    """

    names: Names = field(repr=False)
    of: str
    source: str
    table: str | None
    query: Query | None
    where: Conditions | None
    columns: Mapping[str, QueryColumn]

    @cached_property
    def conditions(self) -> tuple[Conditions, ...]:
        """All conditions over the source: those of the queries whose records it reads come first."""
        below = self.query.conditions if self.query is not None and self.source == self.table else ()
        return (*below, *((self.where,) if self.where is not None else ()))

    @cached_property
    def given(self) -> Mapping[str, QueryColumn]:
        """The columns of its rows: its own, or else those of the query it is of."""
        return self.columns or (self.query.results if self.query is not None and self.source != self.table else {})

    def node(self, name: str) -> Node:
        """A column with the earlier columns it uses written out; raises ExpressionError if that grows too large."""
        return self._nodes[name]

    @cached_property
    def _nodes(self) -> Mapping[str, Node]:
        nodes: dict[str, Node] = {}
        for name, column in self.columns.items():
            nodes[name] = written_out(column.node, nodes)
        return nodes

    def overgrown(self) -> QueryColumn | None:
        """The first column that grows too large with those it uses. Raises ExpressionError if one is wrong itself."""
        nodes: dict[str, Node] = {}
        for name, column in self.columns.items():
            node = column.node
            try:
                nodes[name] = written_out(node, nodes)
            except ExpressionError:
                return column
        return None

    def tree(self, name: str) -> Node:
        """A column of its rows over its source, with all it uses written out. Raises ExpressionError."""
        return self.node(name) if name in self.columns else self.path(name)

    def path(self, path: str) -> Node:
        """A path of the source as a tree. Raises ExpressionError."""
        return Written(path, ModelScope(self.names, self.source)).expression.node

    def field(self, name: str) -> Field | None:
        """The field that a column shows as it is; None if it is worked out. Raises ExpressionError."""
        if name not in self.columns:
            return self.query.field(name) if self.query is not None else None
        return self.field_of(self.node(name))

    def titled(self, name: str) -> QueryColumn | None:
        """The column that says the title of a column: itself, or the one of the rows it shows; None if nobody does."""
        column = self.columns.get(name)
        if column is not None and column.title is not None:
            return column
        node = self.node(name) if column is not None else None
        below = node.names[0] if isinstance(node, Path) and len(node.names) == 1 and not node.level else name
        if (node is not None and not isinstance(node, Path)) or self.source == self.table:
            return None
        source = self.below
        return source.titled(below) if source is not None and below in source.given else None

    @property
    def below(self) -> Reading | None:
        """What its rows are made of, if these are rows themselves."""
        return self.query if self.source != self.table else None

    def field_of(self, node: Node) -> Field | None:
        """The field that a tree is, if it is a path and no more."""
        if not isinstance(node, Path) or node.level or not node.names:
            return None
        current: str | None = self.source
        found = None
        for name in node.names:
            found = self.names.field_at(current or "", name)
            kind = self.names.member(current or "", name)
            current = kind.of if kind is not None else None
        return found

    def written_out(self, node: Node) -> Node:
        """A tree with the columns in it written out. Raises ExpressionError."""
        return written_out(node, self._nodes)


@dataclass(frozen=True, eq=False)
class Query(Reading):
    """A query: rows of a table, of another query or of a union."""

    name: str
    title: str
    help: str = ""
    parameters: Mapping[str, Field] = field(default_factory=dict)   # its own, and those of the queries it reads
    parts: Mapping[str, Reading] = field(default_factory=dict)      # of a union
    group: tuple[str, ...] | None = None                            # columns and paths; () for one row of everything
    having: Conditions | None = None
    order: tuple[str, ...] = ()                                     # columns and paths; "-name" from high to low
    limit: int | None = None

    @property
    def obstacle(self) -> str:
        """The property for which its rows are no records of one table; empty if they are."""
        if self.parts:
            return "union"
        if self.group is not None:
            return "group"
        if self.limit is not None:
            return "limit"
        return "" if self.source == self.table else "of"

    @cached_property
    def keys(self) -> tuple[Node, ...]:
        """What is grouped by: columns, or paths of the source. Raises ExpressionError."""
        return tuple(self.tree(name) for name in self.group or ())

    @property
    def chooses(self) -> bool:
        """Whether it chooses records of its table, and says nothing of how they are shown."""
        return not self.obstacle and not self.columns

    @cached_property
    def results(self) -> Mapping[str, QueryColumn]:
        """The columns of its rows, in order; none if it chooses records."""
        below = {}
        if self.parts and self.group is None:
            first = next(iter(self.parts.values()))
            below = dict(first.given)
        return {**below, **(self.columns if self.parts else self.given)}

    # What the rows offer to those who read them, for core/definition/scope.py

    def member(self, name: str) -> Type | None:
        """The type of a column of its rows; None if there is none. Raises ExpressionError if it is wrong."""
        if self.parts and self.group is None and name not in self.columns:
            return Union(self.parts, self.names).member(name)
        found = self.results.get(name)
        return found.type if found is not None else None

    def members(self) -> tuple[str, ...]:
        """The names of the columns of its rows."""
        return tuple(self.results)

    @property
    def below(self) -> Reading | None:
        """What its rows are made of, if these are rows themselves: of a union the first part."""
        return next(iter(self.parts.values())) if self.parts else super().below

    def field(self, name: str) -> Field | None:
        """The field that a column shows as it is; None if it is worked out."""
        if self.parts and name not in self.columns:
            return next(iter(self.parts.values())).field(name)
        return super().field(name)


@dataclass(frozen=True, eq=False)
class Union:
    """The rows of all parts of a union, as those see them who read it."""

    parts: Mapping[str, Reading]
    names: Names

    def member(self, name: str) -> Type | None:
        """What a column is in all parts; None if a part has none, or the parts do not meet."""
        types = [part.given[name].type if name in part.given else None for part in self.parts.values()]
        met = reduce(self._both, types)
        if met is None and any(type is not None for type in types):
            self.names.touched = True           # the parts do not fit, which is told of them
        return met

    def _both(self, left: Type | None, right: Type | None) -> Type | None:
        return unify(left, right, self.names.is_kind_of) if left is not None and right is not None else None

    def field(self, name: str) -> Field | None:
        """The field that the first part shows there."""
        return next(iter(self.parts.values())).field(name)

    def members(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(dict.fromkeys(name for part in self.parts.values() for name in part.given))


def rows_of(query: Query, name: str, columns: Mapping[str, QueryColumn], where: Conditions | None = None,
            order: tuple[str, ...] = ()) -> Query:
    """A query of the rows of another, under a name of its own; in that one's order if it says none."""
    return Query(query.names, query.name, f"query {query.name}", None, query, where, columns, name, query.title,
                 parameters=query.parameters, order=order)


class Known(Mapping[str, Type]):
    """The variables of an expression in a query: its parameters, and the columns that stand before it.

    Types of columns are found when they are asked for; a column that is wrong itself is told there, and only there.
    """

    def __init__(self, names: Names, parameters: Mapping[str, Type], columns: Mapping[str, QueryColumn]) -> None:
        self._names = names
        self._parameters = parameters
        self._columns = columns

    def __getitem__(self, name: str) -> Type:
        if name in self._parameters:
            return self._parameters[name]
        column = self._columns[name]
        touched = self._names.touched
        try:
            found = column.type
        except ExpressionError:
            self._names.touched = True
            raise KeyError(name) from None
        self._names.touched = touched
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._parameters
        yield from self._columns

    def __len__(self) -> int:
        return len(self._parameters) + len(self._columns)
