"""Calls: the functions of the language, and the aggregates over sets."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.errors import Words, words
from core.expression import type_rules
from core.expression.errors import ExpressionError
from core.expression.functions.base import Function
from core.expression.nodes import Aggregate, Call, First, Literal, Node, Order, Path, Rows, Truth, Values
from core.expression.paths import as_rows, suggestion
from core.expression.type_rules import BOOLEAN, DECIMAL, INTEGER, describe
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.check import Checker

AGGREGATES = ("count", "sum", "min", "max", "avg", "exists", "first")
SUM_GROWTH = 9       # the digits that a sum may have more than its values
EXAMPLES = {"date": "'2026-01-31'", "datetime": "'2026-01-31T10:00:00Z'"}


def call(checker: Checker, tree: ast.Call) -> Node:
    """A call by name; raises ExpressionError for wrong arguments."""
    column = checker.source.column(tree)
    if not isinstance(tree.func, ast.Name):
        raise ExpressionError("only functions can be called, by their name", column)
    name = tree.func.id
    if name in AGGREGATES:
        return _aggregate(checker, name, tree)
    forms = checker.functions.get(name)
    if forms is None:
        raise ExpressionError('there is no function "{name}"', column,
                              suggestion(name, (*checker.functions, *AGGREGATES)), name=name)
    if tree.keywords:
        raise ExpressionError('"{name}" takes no named arguments', checker.source.column(tree.keywords[0]), name=name)
    arguments = [checker.value(argument) for argument in tree.args]
    function = _form(checker, forms, arguments, column)
    return _call(checker, function, arguments, column)


def _form(checker: Checker, forms: Sequence[Function], arguments: Sequence[Node], column: int) -> Function:
    """The form of a function that takes these arguments."""
    counted = [form for form in forms if form.takes_count(len(arguments))]
    if not counted:
        usage = type_rules.either(Words(form.signature) for form in forms)
        raise ExpressionError("this is called as {usage}", column, usage=usage)
    problems = [_mismatch(form, arguments) for form in counted]
    for form, problem in zip(counted, problems, strict=True):
        if problem is None:
            return form
    position = max(at for at, _ in filter(None, problems))
    wanted = type_rules.either(said for at, said in filter(None, problems) if at == position)
    raise ExpressionError('"{name}" takes {wanted} as its argument {number}, not {what}', arguments[position].column,
                          name=forms[0].name, wanted=wanted, number=position + 1,
                          what=describe(arguments[position].type))


def _mismatch(form: Function, arguments: Sequence[Node]) -> tuple[int, Words] | None:
    for position, argument in enumerate(arguments):
        parameter = form.parameter(position)
        if not parameter.kind.takes(argument.type):
            return position, Words(parameter.kind.words)
        if parameter.literal and not isinstance(argument, Literal):
            return position, words("{what} written out", what=Words(parameter.kind.words))
    return None


def _call(checker: Checker, function: Function, arguments: Sequence[Node], column: int) -> Node:
    gives = function.gives or type_rules.unify_all([a.type for a in arguments], checker.scope.is_kind_of)
    if gives is None:
        kinds = type_rules.both(describe(a.type) for a in arguments)
        raise ExpressionError('"{name}" cannot mix {kinds}', column, name=function.name, kinds=kinds)
    if arguments and all(function.parameter(i).literal for i in range(len(arguments))):
        return _folded(function, arguments, gives, column)
    node = Call(type=gives, function=function, arguments=tuple(arguments), column=column,
                size=checker.bounded(gives, function.size_of(arguments), column))
    return Truth(type=BOOLEAN, value=node, column=column) if gives == BOOLEAN else node


def _folded(function: Function, arguments: Sequence[Node], gives: Type, column: int) -> Literal:
    """A value whose arguments are all written out, such as date('2026-01-31')."""
    values = [argument.value for argument in arguments if isinstance(argument, Literal)]
    if None in values:
        return Literal(type=gives, value=None, column=column)
    try:
        return Literal(type=gives, value=function.python(*values), column=column)
    except ValueError:
        raise ExpressionError('"{name}" takes a text such as {example}', column, name=function.name,
                              example=EXAMPLES.get(function.name, function.signature)) from None


def _aggregate(checker: Checker, name: str, tree: ast.Call) -> Node:
    column = checker.source.column(tree)
    if name in ("min", "max") and len(tree.args) > 1:
        raise ExpressionError('"{name}" takes one set', column, "least" if name == "min" else "greatest", name=name)
    if len(tree.args) != 1:
        raise ExpressionError('"{name}" takes one set, such as lines or lines[total > 0]', column, name=name)
    argument = as_rows(checker.node(tree.args[0]))
    if not isinstance(argument, Rows | Values):
        raise ExpressionError('"{name}" takes a set, not {what}', argument.column, name=name,
                              what=describe(argument.type))
    rows, value = (argument.rows, argument.value) if isinstance(argument, Values) else (argument, None)
    if name == "first":
        return _first(checker, rows, value, tree.keywords, column)
    if tree.keywords:
        raise ExpressionError('"{name}" takes no named arguments', checker.source.column(tree.keywords[0]), name=name)
    type = _aggregate_type(name, value, column)
    size = {"count": 9, "exists": 0}.get(name, value.size if value else 0) + (SUM_GROWTH if name == "sum" else 0)
    return Aggregate(type=type, name=name, rows=rows, value=value, column=column,
                     size=checker.bounded(type, size, column))


def _aggregate_type(name: str, value: Node | None, column: int) -> Type:
    if name == "count":
        return INTEGER
    if name == "exists":
        if value is not None:
            raise ExpressionError('"exists" takes records; write exists(lines[field is not None])', column)
        return BOOLEAN
    if value is None:
        raise ExpressionError('"{name}" needs a field of the set, such as {name}(lines.total)', column, name=name)
    if name in ("sum", "avg") and not type_rules.is_number(value.type):
        raise ExpressionError('"{name}" takes numbers, not {what}', column, name=name, what=describe(value.type))
    if name in ("min", "max") and (value.type.many or value.type.name not in type_rules.ORDERED):
        raise ExpressionError('"{name}" has no order for {what}', column, name=name, what=describe(value.type))
    return value.type if name != "avg" or value.type.name in ("money", "percent") else DECIMAL


def _first(checker: Checker, rows: Rows, value: Node | None, keywords: Sequence[ast.keyword], column: int) -> First:
    order: tuple[Order, ...] = ()
    for keyword in keywords:
        if keyword.arg != "order":
            raise ExpressionError('"first" knows only order=', checker.source.column(keyword), "order")
        trees = keyword.value.elts if isinstance(keyword.value, ast.List | ast.Tuple) else [keyword.value]
        with checker.inside(rows.table, column):
            order = tuple(_order(checker, each) for each in trees)
    inner = value if isinstance(value, Path) else Path(type=Type("link", rows.table), level=0, names=(), column=column)
    return First(type=inner.type, rows=rows, value=inner, order=order, column=column, size=inner.size)


def _order(checker: Checker, tree: ast.expr) -> Order:
    descending = isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub)
    value = checker.value(tree.operand if isinstance(tree, ast.UnaryOp) and descending else tree)
    if value.type.many or value.type.name not in type_rules.ORDERED | {"choice"}:
        raise ExpressionError("there is no order of {what}", value.column, what=describe(value.type))
    return Order(type=value.type, value=value, descending=descending, column=value.column)
