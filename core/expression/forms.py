"""Calls that are typed in their own way: `switch` and `under`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from core.expression import comparisons, type_rules
from core.expression.errors import ExpressionError
from core.expression.nodes import Conditional, Literal, Node, Path, Reach, Under, Variable
from core.expression.type_rules import BOOLEAN, NULL, describe

if TYPE_CHECKING:
    from core.expression.check import Checker

SWITCH = "switch(value, case, result, ..., otherwise?)"
UNDER = "under(record, top)"


def switch(checker: Checker, tree: ast.Call) -> Node:
    """`switch(stage, 'open', 1, 'won', 2, 0)`: the result whose case equals the value; raises ExpressionError."""
    column = checker.source.column(tree)
    if len(tree.args) < 3 or tree.keywords:
        raise ExpressionError("this is called as {usage}", column, usage=SWITCH)
    value = checker.value(tree.args[0])
    if not isinstance(value, Path | Variable | Reach | Literal):      # it is written once for each case
        raise ExpressionError('the first argument of "switch" is a field or a variable', value.column)
    pairs, rest = tree.args[1:], None
    if len(pairs) % 2:
        pairs, rest = pairs[:-1], pairs[-1]
    tests = [comparisons.equality(checker, value, case) for case in pairs[::2]]
    results = [checker.value(result) for result in pairs[1::2]]
    otherwise: Node = Literal(type=NULL, value=None, column=column) if rest is None else checker.value(rest)
    gives = type_rules.unify_all([each.type for each in (*results, otherwise)], checker.scope.is_kind_of)
    if gives is None:
        kinds = type_rules.both(describe(each.type) for each in (*results, otherwise))
        raise ExpressionError('"{name}" cannot mix {kinds}', column, name="switch", kinds=kinds)
    size = max(each.size for each in (*results, otherwise))
    for test, result in zip(reversed(tests), reversed(results), strict=True):
        otherwise = Conditional(type=gives, test=test, then=result, otherwise=otherwise, size=size, column=column)
    return otherwise


def under(checker: Checker, tree: ast.Call) -> Node:
    """`under(region, parameter.region)`: whether a record is another one or stands under it; raises ExpressionError."""
    column = checker.source.column(tree)
    if len(tree.args) != 2 or tree.keywords:
        raise ExpressionError("this is called as {usage}", column, usage=UNDER)
    value, top = checker.value(tree.args[0]), checker.value(tree.args[1])
    if value.type.name != "link" or value.type.many or value.type.of is None:
        raise ExpressionError('"under" takes a link, not {what}', value.column, what=describe(value.type))
    link = checker.scope.tree(value.type.of)
    above = checker.scope.member(value.type.of, link) if link is not None else None
    if link is None or above is None or above.of is None:
        raise ExpressionError('no link of "{table}" is a tree (tree: true), so nothing stands under its records',
                              column, table=value.type.of)
    if top.type == NULL or not type_rules.equal(top.type, above, checker.scope.is_kind_of):
        raise ExpressionError('"{name}" takes {wanted} as its argument {number}, not {what}', top.column, name="under",
                              wanted=describe(above), number=2, what=describe(top.type))
    return Under(type=BOOLEAN, value=value, top=top, table=above.of, link=link, column=column)
