"""Calls by name: functions of the language, aggregates, queries and named functions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from core.errors import Words, words
from core.expression import forms, inline, sets, type_rules
from core.expression.errors import ExpressionError
from core.expression.functions.base import Function
from core.expression.nodes import Call, Literal, Node, Truth
from core.expression.paths import suggestion
from core.expression.type_rules import BOOLEAN, describe
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.check import Checker

SPECIAL: Mapping[str, Callable[[Checker, ast.Call], Node]] = {
    "running": sets.running, "switch": forms.switch, "under": forms.under}
EXAMPLES = {"date": "'2026-01-31'", "datetime": "'2026-01-31T10:00:00Z'"}


def call(checker: Checker, tree: ast.Call) -> Node:
    """A call by name; raises ExpressionError for wrong arguments."""
    column = checker.source.column(tree)
    called = tree.func
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "query":
        return inline.query(checker, tree, called)
    if not isinstance(called, ast.Name):
        raise ExpressionError("only functions can be called, by their name", column)
    name = called.id
    if name in sets.AGGREGATES:
        return sets.aggregate(checker, name, tree)
    if name in SPECIAL:
        return SPECIAL[name](checker, tree)
    forms = checker.functions.get(name)
    if forms is None:
        named = checker.scope.function(name)
        if named is not None:
            return inline.function(checker, tree, name, named)
        known = (*checker.functions, *sets.AGGREGATES, *SPECIAL, *checker.scope.functions())
        raise ExpressionError('there is no function "{name}"', column, suggestion(name, known), name=name)
    if tree.keywords:
        raise ExpressionError('"{name}" takes no named arguments', checker.source.column(tree.keywords[0]), name=name)
    arguments = [checker.value(argument) for argument in tree.args]
    function = _form(forms, arguments, column)
    return _call(checker, function, arguments, column)


def _form(forms: Sequence[Function], arguments: Sequence[Node], column: int) -> Function:
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
    _read(function, arguments)
    if arguments and not function.environment and all(function.parameter(i).literal for i in range(len(arguments))):
        return _folded(function, arguments, gives, column)
    if function.strict and any(isinstance(each, Literal) and each.value is None for each in arguments):
        return Literal(type=gives, value=False if gives == BOOLEAN else None, column=column)
    node = Call(type=gives, function=function, arguments=tuple(arguments), column=column,
                size=checker.bounded(gives, function.size_of(arguments), column))
    return Truth(type=BOOLEAN, value=node, column=column) if gives == BOOLEAN else node


def _read(function: Function, arguments: Sequence[Node]) -> None:
    """Check the literals that have to say something, such as a period."""
    for position, argument in enumerate(arguments):
        parameter = function.parameter(position)
        if parameter.reads is None or not isinstance(argument, Literal) or argument.value is None:
            continue
        try:
            parameter.reads(str(argument.value))
        except ValueError:
            raise ExpressionError('"{name}" does not know "{value}"', argument.column,
                                  suggestion(str(argument.value), parameter.options) or parameter.options[0],
                                  value=argument.value, name=function.name) from None


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
