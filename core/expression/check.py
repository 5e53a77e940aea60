"""From text to a typed expression: every error that can be known without a record is found here."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from typing import Literal as Literal_

from core.errors import Words, words
from core.expression import calls, comparisons, paths, type_rules
from core.expression.errors import ExpressionError
from core.expression.expression import Expression
from core.expression.functions import BUILT_IN, Functions
from core.expression.mentions import Mention
from core.expression.nodes import (
    And,
    Arithmetic,
    Compare,
    Conditional,
    GroupAggregate,
    Literal,
    Negate,
    Node,
    Not,
    Or,
    Path,
    Truth,
    Variable,
    may_be_empty,
    shifted,
    sql_depth,
    walk,
)
from core.expression.parse import Source, parse
from core.expression.scope import Scope
from core.expression.type_rules import BOOLEAN, NULL, NUMBERS, describe
from core.types.base import Type

MOST_DIGITS = 60
MOST_SETS = 3        # within each other: PostgreSQL plans them together, in a time that grows with every one
MOST_DAYS = 600_000
MOST_PARTS = 2_000   # of queries and functions that are called, and of what they are given
MOST_FRAMES = 350    # of Python's 1000: formulas within conditions within requests have to fit
SMALLEST = 15        # digits that a quotient may gain, when the divisor is a field
OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}


Over = Literal_["record", "group", "result"]


def check(source: str, scope: Scope, expects: str | Type | None = None, functions: Functions = BUILT_IN,
          over: Over = "record") -> Expression:
    """Parse and type an expression; `expects` names the type it must give. Raises ExpressionError.

    `expects="records"` takes one record or a set of them, whose expression is only read, not compiled.
    `over` says what it is worked out over: one record, a group of them (aggregates take plain values), or a row of a
    result (`running` is allowed).
    """
    checker = Checker(parse(source), scope, functions, over=over)
    if expects == "records":
        node = checker.records(checker.source.tree)
    elif expects in ("boolean", BOOLEAN):
        node = checker.condition(checker.source.tree)
    else:
        node = checker.value(checker.source.tree)
    if expects is not None and expects != "records":
        node = checker.fit(node, expects)
    if sql_depth(node) > MOST_FRAMES:
        raise ExpressionError("this is nested too deeply")
    return Expression(source, node, scope.is_kind_of, tuple(dict.fromkeys(checker.mentions)))


@dataclass(frozen=True)
class Body:
    """What is checked in place of a call of a query or named function.

    `chain` has the calls on the way to it, `arguments` what its parameters stand for, `depth` how many records there
    are around the call, of which the body knows nothing.
    """

    chain: tuple[str, ...] = ()
    arguments: Mapping[str, Node] = field(default_factory=dict)
    depth: int = 0


class Checker:
    """One walk over one syntax tree; `tables` has the table of the record at hand last, and those around it before."""

    def __init__(self, source: Source, scope: Scope, functions: Functions, over: str = "record") -> None:
        self.source = source
        self.scope = scope
        self.functions = functions
        self.over = over
        self.tables: list[str | None] = [scope.table]
        self.mentions: list[Mention] = []
        self.body = Body()
        self.parts = [MOST_PARTS]       # that may still come in place of calls; shared with all bodies

    def within(self, source: Source, scope: Scope, body: Body) -> Checker:
        """The checker of a body that stands in place of a call."""
        inner = Checker(source, scope, self.functions)
        inner.tables, inner.body, inner.parts = list(self.tables), body, self.parts
        return inner

    def spend(self, parts: int, column: int) -> None:
        """Count parts that come in place of calls; raises ExpressionError if there are too many."""
        self.parts[0] -= parts
        if self.parts[0] < 0:
            raise ExpressionError("with all that it calls, an expression has at most {most} parts", column,
                                  most=MOST_PARTS)

    def argument(self, name: str, column: int) -> Node:
        """What a parameter of the body stands for, read from the record at hand; raises ExpressionError."""
        node, by = self.body.arguments[name], len(self.tables) - self.body.depth
        parts = list(walk(node))
        self.spend(len(parts), column)
        if by and any(isinstance(part, GroupAggregate) for part in parts):
            raise ExpressionError('"{name}" is of a group and cannot be used within a set', column, name=name)
        return shifted(node, by)

    def mention(self, kind: str, owner: str, name: str, column: int) -> None:
        """Remember that a name of the Model stands here."""
        self.mentions.append(Mention(kind, owner, name, column))

    @property
    def table(self) -> str | None:
        """The table of the record at hand."""
        return self.table_at(0)

    def table_at(self, level: int) -> str | None:
        """The table of the record so many levels out; None if there is none."""
        return self.tables[-1 - level] if level < len(self.tables) - self.body.depth else None

    @contextmanager
    def inside(self, table: str, column: int) -> Iterator[None]:
        """Check something about one record of a set; raises ExpressionError for sets too deep within each other."""
        if len(self.tables) > MOST_SETS:
            raise ExpressionError("sets stand in sets at most {most} deep", column, most=MOST_SETS)
        self.tables.append(table)
        over, self.over = self.over, "record"
        yield
        self.tables.pop()
        self.over = over

    def node(self, tree: ast.expr) -> Node:
        """Any part, also a set."""
        return VISITORS[type(tree)](self, tree)

    def value(self, tree: ast.expr) -> Node:
        """A single value or a plural field; sets stand only inside aggregates."""
        node = self.node(tree)
        if node.type.name == "set":
            raise ExpressionError("this is {what}; use it inside exists, count, sum, min, max or first", node.column,
                                  what=describe(node.type))
        return node

    def records(self, tree: ast.expr) -> Node:
        """One record or a set of them; raises ExpressionError if it is none."""
        node = paths.as_rows(self.node(tree))
        if node.type.name not in ("link", "set"):
            raise ExpressionError("this is {what}, not a record or a set of them", node.column,
                                  what=describe(node.type))
        return node

    def condition(self, tree: ast.expr) -> Node:
        """Something that holds or not; an empty boolean counts as no."""
        node = self.value(tree)
        if node.type != BOOLEAN:
            raise ExpressionError("this is {what}, not a condition; compare it with something", node.column,
                                  what=describe(node.type))
        if isinstance(node, And | Or | Not | Compare | Literal) or not may_be_empty(node):
            return node
        return Truth(type=BOOLEAN, value=node, column=node.column)

    def fit(self, node: Node, expects: str | Type) -> Node:
        """The node as a value of the expected type; raises ExpressionError if it is of another."""
        wanted = expects if isinstance(expects, Type) else Type(expects)
        node = comparisons.as_type(self, node, wanted)
        if not type_rules.fits(node.type, expects) or not type_rules.related(node.type, wanted, self.scope.is_kind_of):
            said = words("this is {what}, where {wanted} is expected", what=describe(node.type),
                         wanted=describe(wanted))
            if wanted.name == "integer" and node.type.name in NUMBERS:
                said = words("{problem}; use round, floor or ceil", problem=said)
            raise ExpressionError(said, node.column)
        return node

    def bounded(self, type: Type, size: int, column: int) -> int:
        """The size, if a value so large can be kept exact everywhere; raises ExpressionError if not."""
        if type.name in NUMBERS and size > MOST_DIGITS:
            raise ExpressionError("this number could grow beyond {most} digits", column, most=MOST_DIGITS)
        if type.name in ("date", "datetime", "duration") and size > MOST_DAYS:
            raise ExpressionError("this date could lie too far away", column)
        return size


def _constant(checker: Checker, tree: ast.Constant) -> Node:
    value, column = tree.value, checker.source.column(tree)
    if value is None:
        return Literal(type=NULL, value=None, column=column)
    if isinstance(value, bool):
        return Literal(type=BOOLEAN, value=value, column=column)
    if isinstance(value, str):
        return Literal(type=type_rules.TEXT, value=value or None, column=column)
    number = checker.source.number(tree)
    type = type_rules.INTEGER if isinstance(number, int) else type_rules.DECIMAL
    return Literal(type=type, value=number, size=len(str(abs(int(number)))), column=column)


def _logic(checker: Checker, tree: ast.BoolOp) -> Node:
    parts = tuple(checker.condition(part) for part in tree.values)
    node = And if isinstance(tree.op, ast.And) else Or
    return node(type=BOOLEAN, parts=parts, column=checker.source.column(tree))


def _unary(checker: Checker, tree: ast.UnaryOp) -> Node:
    column = checker.source.column(tree)
    if isinstance(tree.op, ast.Not):
        return Not(type=BOOLEAN, value=checker.condition(tree.operand), column=column)
    value = checker.value(tree.operand)
    if not (type_rules.is_number(value.type) or value.type == NULL) or value.type.many:
        raise ExpressionError("{what} has no sign", column, what=describe(value.type))
    if isinstance(value, Literal):
        return dataclasses.replace(value, value=None if value.value is None else -value.value,  # type: ignore[operator]
                                   column=column)
    return Negate(type=value.type, value=value, size=value.size, column=column)


def _arithmetic(checker: Checker, tree: ast.BinOp) -> Node:
    operator, column = OPERATORS[type(tree.op)], checker.source.column(tree)
    left, right = checker.value(tree.left), checker.value(tree.right)
    type_ = type_rules.arithmetic(operator, left.type, right.type)
    if type_ is None:
        raise ExpressionError(_arithmetic_message(operator, left.type, right.type), column)
    if operator == "%" and not isinstance(right, Literal | Path | Variable):
        raise ExpressionError('the right side of "%" is a number or a field', right.column)
    size = checker.bounded(type_, _size(operator, left, right), column)
    return Arithmetic(type=type_, operator=operator, left=left, right=right, size=size, column=column)


def _arithmetic_message(operator: str, left: Type, right: Type) -> Words:
    said = comparisons.apart(operator, left, right)
    names = {left.name, right.name}
    if operator == "+" and "text" in names and names & NUMBERS:
        return words("{problem}; use concat and text(number)", problem=said)
    if names & {"date", "datetime"} and names & NUMBERS:
        return words("{problem}; use days(number)", problem=said)
    if names == {"date", "datetime"}:
        return words("{problem}; use date(...)", problem=said)
    return said


def _size(operator: str, left: Node, right: Node) -> int:
    if left.type.name not in NUMBERS and right.type.name not in NUMBERS:
        if left.type == right.type and left.type.name in ("date", "datetime"):
            return left.size + right.size + 110_000       # the days between 1900 and 2200
        return left.size + right.size
    if operator == "*":
        return left.size + right.size
    if operator == "/":
        whole = isinstance(right, Literal) and (right.value is None or abs(right.value) >= 1)  # type: ignore[arg-type]
        return left.size + (0 if whole else SMALLEST)
    return right.size if operator == "%" else max(left.size, right.size) + 1


def _conditional(checker: Checker, tree: ast.IfExp) -> Node:
    test = checker.condition(tree.test)
    then, otherwise = checker.value(tree.body), checker.value(tree.orelse)
    type_ = type_rules.unify(then.type, otherwise.type, checker.scope.is_kind_of)
    if type_ is None:
        raise ExpressionError('"if" gives either {first} or {second}; both must be of one type',
                              checker.source.column(tree), first=describe(then.type), second=describe(otherwise.type))
    return Conditional(type=type_, test=test, then=then, otherwise=otherwise, size=max(then.size, otherwise.size),
                       column=checker.source.column(tree))


def _list(checker: Checker, tree: ast.List | ast.Tuple) -> Node:
    raise ExpressionError('a list stands only after "in"', checker.source.column(tree))


VISITORS: Mapping[type[ast.expr], Callable[[Checker, Any], Node]] = {
    ast.Constant: _constant, ast.Name: paths.name, ast.Attribute: paths.attribute, ast.Subscript: paths.subscript,
    ast.Call: calls.call, ast.Compare: comparisons.compare, ast.BoolOp: _logic, ast.UnaryOp: _unary,
    ast.BinOp: _arithmetic, ast.IfExp: _conditional, ast.List: _list, ast.Tuple: _list,
}
