"""Comparisons: == != < <= > >=, in, is; chained ones become several."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.expression import type_rules
from core.expression.errors import ExpressionError
from core.expression.functions.dates import read_date, read_datetime
from core.expression.nodes import Among, And, Compare, Holds, IsEmpty, IsKind, Literal, Node, Path, Variable
from core.expression.paths import suggestion
from core.expression.type_rules import BOOLEAN, NULL, describe
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.check import Checker

OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


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
    left, right = checker.value(left_tree), checker.value(right_tree)
    left, right = _met(checker, left, right), _met(checker, right, left)
    symbol = OPERATORS[type(operator)]
    if symbol in ("==", "!="):
        return _equality(checker, left, symbol, right, column)
    if not type_rules.ordered(left.type, right.type):
        raise ExpressionError(_message(symbol, left.type, right.type), column)
    return Compare(type=BOOLEAN, operator=symbol, left=left, right=right, column=column)


def _met(checker: Checker, node: Node, other: Node) -> Node:
    return node if other.type.many else as_type(checker, node, other.type)


def _equality(checker: Checker, left: Node, symbol: str, right: Node, column: int) -> Node:
    for value, other in ((left, right), (right, left)):
        if isinstance(other, Literal) and other.value is None:
            return IsEmpty(type=BOOLEAN, value=value, negated=symbol == "!=", column=column)
    if not type_rules.equal(left.type, right.type, checker.scope.is_kind_of):
        raise ExpressionError(_message(symbol, left.type, right.type), column)
    return Compare(type=BOOLEAN, operator=symbol, left=left, right=right, column=column)


def _message(symbol: str, left: Type, right: Type) -> str:
    said = f'"{symbol}" does not go between {describe(left)} and {describe(right)}'
    if {left.name, right.name} == {"date", "datetime"}:
        return f"{said}; use date(...)"
    if left.many or right.many:
        return f"{said}; use in"
    return said


def as_type(checker: Checker, node: Node, wanted: Type) -> Node:
    """A written text as the date, moment or choice it is compared with; raises ExpressionError if it is none."""
    if not isinstance(node, Literal) or node.type.name != "text" or node.value is None:
        return node
    if wanted.name == "choice" and wanted.of is not None:
        _check_choice(checker, str(node.value), wanted.of, node.column)
        return dataclasses.replace(node, type=Type("choice", wanted.of))
    if wanted.name not in ("date", "datetime"):
        return node
    read = read_date if wanted.name == "date" else read_datetime
    try:
        return dataclasses.replace(node, type=Type(wanted.name), value=read(str(node.value)))
    except ValueError:
        example = "2026-01-31" if wanted.name == "date" else "2026-01-31T10:00:00Z"
        raise ExpressionError(f"{describe(wanted)} is written as '{example}'", node.column) from None


def _check_choice(checker: Checker, value: str, choices: str, column: int) -> None:
    values = checker.scope.choice_values(choices)
    if values is not None and value not in values:
        raise ExpressionError(f'"{value}" is not a value of {choices}', column, suggestion(value, values))


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
        raise ExpressionError(f'there is no table "{table}"; to compare values write "=="',
                              checker.source.column(right_tree))
    if not isinstance(left, Path) or left.type.name != "link" or left.type.many or left.type.of is None:
        raise ExpressionError(f'only a record or a link can be asked "is {table}", not {describe(left.type)}', column)
    is_kind_of = checker.scope.is_kind_of
    if not is_kind_of(table, left.type.of) and not is_kind_of(left.type.of, table):
        raise ExpressionError(f'a {left.type.of} is never "{table}"', checker.source.column(right_tree))
    return IsKind(type=BOOLEAN, value=left, table=table, negated=negated, column=column)


def _in(checker: Checker, left_tree: ast.expr, right_tree: ast.expr, negated: bool) -> Node:
    left, column = checker.value(left_tree), checker.source.column(left_tree)
    if isinstance(right_tree, ast.List | ast.Tuple):
        options = tuple(_option(checker, left, each, column) for each in right_tree.elts)
        if left.type == NULL or left.type.many:
            raise ExpressionError(f'{describe(left.type)} cannot be looked for in a list', column)
        # Each computed option repeats the left side, so that it must be small: nesting would multiply it.
        if not isinstance(left, Path | Variable | Literal) and not all(isinstance(o, Literal) for o in options):
            raise ExpressionError('a list with fields in it needs a field before "in"', column)
        return Among(type=BOOLEAN, value=left, options=options, negated=negated, column=column)
    right = checker.node(right_tree)
    if right.type.many:
        single = dataclasses.replace(right.type, many=False)
        left = as_type(checker, left, single)
        if not type_rules.equal(left.type, single, checker.scope.is_kind_of):
            raise ExpressionError(f"{describe(left.type)} is never among {describe(right.type)}", column)
        return Holds(type=BOOLEAN, many=right, value=left, negated=negated, column=column)
    hint = ""
    if right.type.name == "text":
        hint = "; use contains(text, part)"
    elif right.type.name == "set":
        hint = "; use exists(set[...])"
    raise ExpressionError(f'after "in" comes a list or a plural field, not {describe(right.type)}{hint}', right.column)


def _option(checker: Checker, left: Node, tree: ast.expr, column: int) -> Node:
    option = as_type(checker, checker.value(tree), left.type)
    if not type_rules.equal(left.type, option.type, checker.scope.is_kind_of):
        raise ExpressionError(_message("in", left.type, option.type), option.column)
    return option
