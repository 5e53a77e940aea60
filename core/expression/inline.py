"""Queries and named functions: the expression that a call stands for, checked in its place."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from core.errors import Words, words
from core.expression import comparisons, type_rules
from core.expression.errors import ExpressionError
from core.expression.nodes import And, Literal, Node, Not, Or, Rows
from core.expression.parse import Source, parse
from core.expression.paths import suggestion
from core.expression.scope import Argument, Conditions, NamedFunction, Scope
from core.expression.type_rules import BOOLEAN, NULL, NUMBERS, describe
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.check import Checker

TRUE = Literal(type=BOOLEAN, value=True)
MOST_CALLS = 16      # within each other: each takes some of Python's frames, and one can follow no more


def query(checker: Checker, tree: ast.Call, called: ast.Attribute) -> Rows:
    """`query.name(city=...)` as the set of the records it chooses; raises ExpressionError."""
    name = called.attr
    column, label = checker.source.column(tree), f"query.{name}"
    found = checker.scope.query(name)
    if found is None:
        meant = suggestion(name, checker.scope.queries())
        raise ExpressionError('there is no query "{name}"', column, meant, name=name)
    checker.mention("query", "", name, checker.source.name_column(called))
    if found.obstacle:
        raise ExpressionError('the query "{name}" has "{property}", so that its rows are no set of records', column,
                              name=name, property=found.obstacle)
    if tree.args:
        raise ExpressionError("a query takes its arguments by name: {usage}", checker.source.column(tree.args[0]),
                              usage=_usage(label, found.parameters))
    arguments = _arguments(checker, label, found.parameters, tree)
    scope = checker.scope.about(found.table, _types(found.parameters))
    depth = len(checker.tables)
    with checker.inside(found.table, column):
        parts = [_condition(_Call(checker, label, scope, arguments, depth, column), part) for part in found.where]
    return Rows(type=Type("set", found.table), level=0, names=(), table=found.table, everywhere=True, column=column,
                where=_joined(And, parts) if parts else None)


def function(checker: Checker, tree: ast.Call, name: str, found: NamedFunction) -> Node:
    """A call of a named function as the value of its expression; raises ExpressionError."""
    column = checker.source.column(tree)
    checker.mention("function", "", name, column)
    arguments = _arguments(checker, name, found.parameters, tree)
    scope = checker.scope.about(None, _types(found.parameters))
    call = _Call(checker, name, scope, arguments, len(checker.tables), column)
    node = call.check(found.source, found.gives)
    if node.type == NULL or (node.type.name in NUMBERS and found.gives.name in NUMBERS):
        node = dataclasses.replace(node, type=found.gives)
    return dataclasses.replace(node, column=column)


@dataclasses.dataclass(frozen=True)
class _Call:
    """One call: where it stands, whose names its body may use, and what it is given."""

    checker: Checker
    label: str
    scope: Scope
    arguments: Mapping[str, Node]
    depth: int
    column: int

    def check(self, text: str, gives: Type) -> Node:
        """The typed tree of an expression of the body; its mistakes are told at the call."""
        from core.expression.check import Body  # the checker knows all visitors, and they only it
        chain = self.checker.body.chain
        if self.label in chain:
            circle = [*chain[chain.index(self.label):], self.label]
            raise CircleError(words("this goes round in a circle: {chain}", chain=" → ".join(circle)), self.column)
        if len(chain) >= MOST_CALLS:
            raise CircleError(words("queries and functions call each other at most {most} deep", most=MOST_CALLS),
                              self.column)
        try:
            source, parts = _parsed(text)
            self.checker.spend(parts, self.column)
            inner = self.checker.within(source, self.scope, Body((*chain, self.label), self.arguments, self.depth))
            node = inner.condition(source.tree) if gives == BOOLEAN else inner.value(source.tree)
            return inner.fit(node, gives)
        except CircleError as error:
            raise CircleError(error.words, self.column) from None
        except ExpressionError as error:
            said = words("in {name}: {problem}", name=self.label, problem=error.words)
            own = error.own or (not chain and self._alone(text, gives))     # what calls a wrong body is wrong alone
            raise ExpressionError(said, self.column, own=own) from None

    def _alone(self, text: str, gives: Type) -> bool:
        """Whether the body is wrong by itself, whatever it is given: then that is told where it stands."""
        from core.expression.check import Body, Checker
        try:
            alone = Checker(_parsed(text)[0], self.scope, self.checker.functions)
            alone.body = Body((self.label,))
            alone.fit(alone.condition(alone.source.tree) if gives == BOOLEAN else alone.value(alone.source.tree), gives)
        except ExpressionError:
            return True
        return False


class CircleError(ExpressionError):
    """Queries and functions call each other without an end, or too deep."""


def _condition(call: _Call, part: str | Conditions) -> Node:
    if isinstance(part, str):
        return call.check(part, BOOLEAN)
    parts = [_condition(call, each) for each in part.parts]
    if part.how == "not":
        return Not(type=BOOLEAN, value=_joined(And, parts))
    return _joined(And if part.how == "all" else Or, parts)


def _joined(node: type[And] | type[Or], parts: Sequence[Node]) -> Node:
    if len(parts) < 2:
        return parts[0] if parts else TRUE
    return node(type=BOOLEAN, parts=tuple(parts), column=parts[0].column)


@lru_cache(maxsize=256)
def _parsed(text: str) -> tuple[Source, int]:
    """A body and how many parts it has: many expressions call the same few."""
    source = parse(text)
    return source, sum(isinstance(node, ast.expr) for node in ast.walk(source.tree))


def _types(parameters: Mapping[str, Argument]) -> dict[str, Type]:
    return {f"parameter.{name}": argument.type for name, argument in parameters.items()}


def _usage(label: str, parameters: Mapping[str, Argument]) -> str:
    names = [name if _needed(argument) else f"{name}?" for name, argument in parameters.items()]
    if label.startswith("query."):
        names = [f"{name}=..." for name in parameters]
    return f"{label}({', '.join(names)})"


def _needed(argument: Argument) -> bool:
    return argument.required and argument.default is None and not argument.source


def _arguments(checker: Checker, label: str, parameters: Mapping[str, Argument], tree: ast.Call) -> dict[str, Node]:
    """What is given for each parameter, or its default."""
    column, usage = checker.source.column(tree), _usage(label, parameters)
    if len(tree.args) > len(parameters):
        raise ExpressionError("this is called as {usage}", column, usage=usage)
    given: dict[str, ast.expr] = dict(zip(parameters, tree.args, strict=False))
    for keyword in tree.keywords:
        name, at = keyword.arg or "", checker.source.column(keyword)
        if name not in parameters:
            raise ExpressionError('"{name}" takes no "{argument}"', at, suggestion(name, parameters), name=label,
                                  argument=name)
        if name in given:
            raise ExpressionError('"{argument}" is given twice', at, argument=name)
        given[name] = keyword.value
    for name, argument in parameters.items():
        if name not in given and _needed(argument):
            raise ExpressionError('"{name}" needs "{argument}": {usage}', column, name=label, argument=name,
                                  usage=usage)
    return {name: _given(checker, label, name, argument.type, given[name]) if name in given
            else _default(checker, label, argument, column) for name, argument in parameters.items()}


def _given(checker: Checker, label: str, name: str, wanted: Type, tree: ast.expr) -> Node:
    node = comparisons.as_type(checker, checker.value(tree), wanted)
    if node.type == NULL:
        return dataclasses.replace(node, type=wanted)
    if not type_rules.fits(node.type, wanted) or not type_rules.related(node.type, wanted, checker.scope.is_kind_of):
        said: Words = words('"{argument}" of "{name}" takes {wanted}, not {what}', argument=name, name=label,
                            wanted=describe(wanted), what=describe(node.type))
        raise ExpressionError(said, node.column)
    return node


def _default(checker: Checker, label: str, argument: Argument, column: int) -> Node:
    if argument.source:
        call = _Call(checker, label, checker.scope.about(None, {}), {}, len(checker.tables), column)
        return call.check(argument.source, argument.type)
    value = argument.default
    if isinstance(value, list):
        value = tuple(value)
    size = len(str(abs(int(value)))) if argument.type.name in NUMBERS and value is not None else 0  # type: ignore[call-overload]
    return Literal(type=argument.type, value=value or (value if value in (0, False) else None), size=size)
