"""Comparisons: == != < <= > >=, in, is; chained ones become several."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from core.errors import Words, words
from core.expression import sets, type_rules
from core.expression.errors import ExpressionError
from core.expression.functions.dates import read_clock, read_date, read_datetime
from core.expression.nodes import (
    Among,
    And,
    Compare,
    Holds,
    IsEmpty,
    IsKind,
    Literal,
    Node,
    Path,
    Rows,
    Values,
    Variable,
)
from core.expression.paths import suggestion
from core.expression.type_rules import BOOLEAN, NULL, describe
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.check import Checker

OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


# What a written text is read as where it meets such a type, and how that is written.
READ: Mapping[str, tuple[Callable[[str], object], str]] = {
    "date": (read_date, "2026-01-31"), "datetime": (read_datetime, "2026-01-31T10:00:00Z"),
    "time": (read_clock, "09:30")}


def compare(checker: Checker, tree: ast.Compare) -> Node:
    """One comparison, or a chain as `and` of several; raises ExpressionError where types do not meet."""
    for middle in tree.comparators[:-1]:
        _check_middle(checker, middle)
    parts: list[Node] = []
    left_tree = tree.left
    for operator, right_tree in zip(tree.ops, tree.comparators, strict=True):
        parts.append(_pair(checker, left_tree, operator, right_tree))
        left_tree = right_tree
    if len(parts) == 1:
        return parts[0]
    return And(type=BOOLEAN, parts=tuple(parts), column=checker.source.column(tree))


def _check_middle(checker: Checker, tree: ast.expr) -> None:
    """The middle of a chain is worked out twice, so it must be small: nesting would double it at each level."""
    if any(isinstance(node, ast.Compare | ast.IfExp) or (isinstance(node, ast.Call) and node.args)
           for node in ast.walk(tree)):
        raise ExpressionError("the middle of a chained comparison must be a plain value; "
                              'write two comparisons with "and"', checker.source.column(tree))


def _pair(checker: Checker, left_tree: ast.expr, operator: ast.cmpop, right_tree: ast.expr) -> Node:
    column = checker.source.column(left_tree)
    if isinstance(operator, ast.Is | ast.IsNot):
        return _is(checker, left_tree, right_tree, isinstance(operator, ast.IsNot))
    if isinstance(operator, ast.In | ast.NotIn):
        return _in(checker, left_tree, right_tree, isinstance(operator, ast.NotIn))
    left, right = _both(checker, checker.value(left_tree), checker.value(right_tree))
    symbol = OPERATORS[type(operator)]
    if symbol in ("==", "!="):
        return _equality(checker, left, symbol, right, column)
    if not type_rules.ordered(left.type, right.type):
        raise ExpressionError(_message(symbol, left.type, right.type), column)
    return Compare(type=BOOLEAN, operator=symbol, left=left, right=right, column=column)


def equality(checker: Checker, left: Node, right_tree: ast.expr) -> Node:
    """Whether a value equals what is written; raises ExpressionError where the types do not meet."""
    left, right = _both(checker, left, checker.value(right_tree))
    return _equality(checker, left, "==", right, right.column)


def _both(checker: Checker, left: Node, right: Node) -> tuple[Node, Node]:
    return _met(checker, left, right), _met(checker, right, left)


def _met(checker: Checker, node: Node, other: Node) -> Node:
    return node if other.type.many else as_type(checker, node, other.type)


def _equality(checker: Checker, left: Node, symbol: str, right: Node, column: int) -> Node:
    for value, other in ((left, right), (right, left)):
        if isinstance(other, Literal) and other.value is None:
            return IsEmpty(type=BOOLEAN, value=value, negated=symbol == "!=", column=column)
    if not type_rules.equal(left.type, right.type, checker.scope.is_kind_of):
        raise ExpressionError(_message(symbol, left.type, right.type), column)
    return Compare(type=BOOLEAN, operator=symbol, left=left, right=right, column=column)


def apart(symbol: str, left: Type, right: Type) -> Words:
    """The words for two types that an operator does not bring together."""
    return words('"{operator}" does not go between {first} and {second}', operator=symbol, first=describe(left),
                 second=describe(right))


def _message(symbol: str, left: Type, right: Type) -> Words:
    said = apart(symbol, left, right)
    if {left.name, right.name} == {"date", "datetime"}:
        return words("{problem}; use date(...)", problem=said)
    if left.many or right.many:
        return words("{problem}; use in", problem=said)
    return said


def as_type(checker: Checker, node: Node, wanted: Type) -> Node:
    """A written text as the date, moment or choice it is compared with; raises ExpressionError if it is none."""
    if not isinstance(node, Literal) or node.type.name != "text" or node.value is None:
        return node
    if wanted.name == "choice" and wanted.of is not None:
        _check_choice(checker, str(node.value), wanted.of, node.column)
        return dataclasses.replace(node, type=Type("choice", wanted.of))
    if wanted.name not in READ:
        return node
    read, example = READ[wanted.name]
    try:
        return dataclasses.replace(node, type=Type(wanted.name), value=read(str(node.value)))
    except ValueError:
        raise ExpressionError("{what} is written as '{example}'", node.column, what=describe(wanted),
                              example=example) from None


def _check_choice(checker: Checker, value: str, choices: str, column: int) -> None:
    values = checker.scope.choice_values(choices)
    if values is not None and value not in values:
        raise ExpressionError('"{value}" is not a value of {choices}', column, suggestion(value, values), value=value,
                              choices=choices)
    checker.mention("choice", choices, value, column + 1)


def _is(checker: Checker, left_tree: ast.expr, right_tree: ast.expr, negated: bool) -> Node:
    column = checker.source.column(left_tree)
    left = checker.value(left_tree)
    if isinstance(right_tree, ast.Constant) and right_tree.value is None:
        return IsEmpty(type=BOOLEAN, value=left, negated=negated, column=column)
    if not isinstance(right_tree, ast.Name):
        raise ExpressionError('after "is" comes None or the name of a table; to compare values write "=="',
                              checker.source.column(right_tree))
    table = right_tree.id
    if not checker.scope.has_table(table):
        raise ExpressionError('there is no table "{table}"; to compare values write "=="',
                              checker.source.column(right_tree), table=table)
    checker.mention("table", "", table, checker.source.column(right_tree))
    if not isinstance(left, Path) or left.type.name not in ("link", "any_link") or left.type.many or not left.type.of:
        raise ExpressionError('only a record or a link can be asked "is {table}", not {what}', column, table=table,
                              what=describe(left.type))
    if not type_rules.meet(left.type, Type("link", table), checker.scope.is_kind_of):
        first = left.type.of if left.type.name == "link" else describe(left.type)
        raise ExpressionError('a {first} is never "{second}"', checker.source.column(right_tree), first=first,
                              second=table)
    return IsKind(type=BOOLEAN, value=left, table=table, negated=negated, column=column)


def _in(checker: Checker, left_tree: ast.expr, right_tree: ast.expr, negated: bool) -> Node:
    left, column = checker.value(left_tree), checker.source.column(left_tree)
    if isinstance(right_tree, ast.List | ast.Tuple):
        options = tuple(_option(checker, left, each) for each in right_tree.elts)
        if left.type == NULL or left.type.many:
            raise ExpressionError("{what} cannot be looked for in a list", column, what=describe(left.type))
        # Each computed option repeats the left side, so that it must be small: nesting would multiply it.
        if not isinstance(left, Path | Variable | Literal) and not all(isinstance(o, Literal) for o in options):
            raise ExpressionError('a list with fields in it needs a field before "in"', column)
        return Among(type=BOOLEAN, value=left, options=options, negated=negated, column=column)
    right = checker.node(right_tree)
    if isinstance(right, Rows | Values):
        return _in_set(checker, left, right, negated, column)
    if right.type.many:
        single = dataclasses.replace(right.type, many=False)
        left = as_type(checker, left, single)
        if not type_rules.equal(left.type, single, checker.scope.is_kind_of):
            raise ExpressionError("{first} is never among {second}", column, first=describe(left.type),
                                  second=describe(right.type))
        return Holds(type=BOOLEAN, many=right, value=left, negated=negated, column=column)
    said = words('after "in" comes a list, a set or a plural field, not {what}', what=describe(right.type))
    if right.type.name == "text":
        said = words("{problem}; use contains(text, part)", problem=said)
    raise ExpressionError(said, right.column)


def _in_set(checker: Checker, left: Node, right: Rows | Values, negated: bool, column: int) -> Node:
    """Whether a link leads to a record of a set, or a value is among those of a field."""
    wanted = right.value.type if isinstance(right, Values) else Type("link", right.table)
    left = as_type(checker, left, wanted)
    if left.type == NULL or not type_rules.equal(left.type, wanted, checker.scope.is_kind_of):
        raise ExpressionError("{first} is never among {second}", column, first=describe(left.type),
                              second=describe(right.type if isinstance(right, Rows) else wanted))
    return sets.member(left, right, negated, column)


def _option(checker: Checker, left: Node, tree: ast.expr) -> Node:
    option = as_type(checker, checker.value(tree), left.type)
    if not type_rules.equal(left.type, option.type, checker.scope.is_kind_of):
        raise ExpressionError(_message("in", left.type, option.type), option.column)
    return option
