"""Aggregates: over the records of a set, over the rows of a group, and running over the rows of a result."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.expression import type_rules
from core.expression.errors import ExpressionError
from core.expression.functions.durations import LONGEST_SUM
from core.expression.nodes import (
    Aggregate,
    And,
    Compare,
    First,
    GroupAggregate,
    IsEmpty,
    Literal,
    Node,
    Not,
    Order,
    Path,
    Rows,
    Running,
    Truth,
    Values,
    shifted,
)
from core.expression.paths import as_rows, suggestion
from core.expression.type_rules import BOOLEAN, DECIMAL, INTEGER, TEXT, describe
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.check import Checker

# Each with the named arguments it knows.
AGGREGATES: Mapping[str, tuple[str, ...]] = {
    "count": (), "count_distinct": (), "sum": (), "min": (), "max": (), "avg": (), "exists": (), "any": (), "all": (),
    "none": (), "first": ("order",), "last": ("order",), "list": ("order", "separator")}
CONDITIONS = ("any", "all", "none")
OF_GROUPS = frozenset(AGGREGATES) - {"exists", "first", "last"}
SEPARATOR = ", "
SUM_GROWTH = 9       # the digits that a sum may have more than its values


def aggregate(checker: Checker, name: str, tree: ast.Call) -> Node:
    """A call such as `sum(lines.total)`; raises ExpressionError for anything but a set, and a group's plain value."""
    column = checker.source.column(tree)
    if not tree.args and name == "count" and checker.over == "group":
        return GroupAggregate(type=INTEGER, name=name, where=_chosen(checker, name, tree.keywords).get("where"), size=9,
                              column=column)
    if not tree.args:
        raise ExpressionError('"{name}" takes one set, such as lines or lines[total > 0]', column, name=name)
    with _over(checker, "nested" if checker.over == "group" else checker.over):
        argument = as_rows(checker.node(tree.args[0]))
    if isinstance(argument, Rows | Values):
        return _of_set(checker, name, argument, tree)
    if name in ("min", "max") and len(tree.args) > 1:
        raise ExpressionError('"{name}" takes one set', column, "least" if name == "min" else "greatest", name=name)
    if checker.over == "nested":
        raise ExpressionError("an aggregate of the group cannot stand in another", column)
    if checker.over == "group" and name in OF_GROUPS:
        return _of_group(checker, name, tree)
    raise ExpressionError('"{name}" takes a set, not {what}', argument.column, name=name, what=describe(argument.type))


def running(checker: Checker, tree: ast.Call) -> Running:
    """`running(debit - credit)`: what has come together up to this row of a result; raises ExpressionError."""
    column = checker.source.column(tree)
    if checker.over != "result":
        raise ExpressionError('"running" stands only in a column of a query, over the rows that it gives', column)
    if len(tree.args) != 1 or tree.keywords:
        raise ExpressionError("this is called as {usage}", column, usage="running(number)")
    with _over(checker, "record"):
        value = checker.value(tree.args[0])
    _check_value("sum", value, column)
    size = checker.bounded(value.type, value.size + SUM_GROWTH, column)
    return Running(type=value.type, value=value, column=column, size=size)


@contextmanager
def _over(checker: Checker, over: str) -> Iterator[None]:
    before, checker.over = checker.over, over
    yield
    checker.over = before


def _of_set(checker: Checker, name: str, argument: Rows | Values, tree: ast.Call) -> Node:
    column = checker.source.column(tree)
    rows = argument.rows if isinstance(argument, Values) else argument
    value: Node | None = argument.value if isinstance(argument, Values) else None
    if len(tree.args) > 1:
        value = _second(checker, name, rows, value, tree)
    given = _named(checker, name, tree.keywords)
    if name in CONDITIONS:
        return _quantified(name, rows, value, column)
    with checker.inside(rows.table, column):
        order = tuple(_order(checker, each) for each in given.get("order", ()))
    if name in ("first", "last"):
        return _first(rows, value, order, name == "last", column)
    type = _type(name, value, column)
    return Aggregate(type=type, name=name, rows=rows, value=value, order=order, column=column,
                     separator=_separator(checker, given), size=checker.bounded(type, _size(name, value), column))


def _second(checker: Checker, name: str, rows: Rows, value: Node | None, tree: ast.Call) -> Node:
    """What is worked out for each record: `sum(lines, quantity * price)`."""
    column = checker.source.column(tree.args[1])
    if name in ("count", "exists", "first", "last") or value is not None or len(tree.args) > 2:
        raise ExpressionError('"{name}" takes one set, such as lines or lines[total > 0]', column, name=name)
    with checker.inside(rows.table, rows.column):
        return checker.condition(tree.args[1]) if name in CONDITIONS else checker.value(tree.args[1])


def _named(checker: Checker, name: str, keywords: Sequence[ast.keyword]) -> dict[str, list[ast.expr]]:
    """The named arguments as they are written, each as a list."""
    known, given = AGGREGATES[name], {}
    for keyword in keywords:
        column = checker.source.column(keyword)
        if keyword.arg == "where":
            raise ExpressionError('"{name}" takes no "where"; choose records by [ ], such as lines[total > 0]', column,
                                  name=name)
        if not known:
            raise ExpressionError('"{name}" takes no named arguments', column, name=name)
        if keyword.arg not in known:
            meant = known[0] if len(known) == 1 else suggestion(keyword.arg or "", known)
            raise ExpressionError('"{name}" knows only {known}', column, meant, name=name,
                                  known=", ".join(f"{each}=" for each in known))
        listed = isinstance(keyword.value, ast.List | ast.Tuple)
        given[keyword.arg] = keyword.value.elts if listed else [keyword.value]  # type: ignore[attr-defined]
    return given


def _separator(checker: Checker, given: Mapping[str, list[ast.expr]]) -> str:
    written = given.get("separator") or [ast.Constant(SEPARATOR)]
    if len(written) != 1 or not isinstance(written[0], ast.Constant) or not isinstance(written[0].value, str):
        raise ExpressionError("a separator is a text written out", checker.source.column(written[0]))
    return written[0].value


def _quantified(name: str, rows: Rows, condition: Node | None, column: int) -> Node:
    """`any`, `all` and `none` say whether there is a record for which a condition holds, or does not."""
    if condition is None or condition.type != BOOLEAN:
        raise ExpressionError('"{name}" needs a condition, such as {name}(lines, total > 0)', column, name=name)
    sure: Node = Truth(type=BOOLEAN, value=condition, column=column)
    if name == "all":
        sure = Not(type=BOOLEAN, value=sure, column=column)
    found = Aggregate(type=BOOLEAN, name="exists", rows=narrowed(rows, sure), column=column)
    return found if name == "any" else Not(type=BOOLEAN, value=found, column=column)


def narrowed(rows: Rows, where: Node) -> Rows:
    """The records of a set for which another condition holds too."""
    if rows.where is not None:
        where = And(type=BOOLEAN, parts=(rows.where, where), column=where.column)
    return dataclasses.replace(rows, where=where)


def _type(name: str, value: Node | None, column: int) -> Type:
    if name == "count":
        return INTEGER
    if name == "exists":
        if value is not None:
            raise ExpressionError('"exists" takes records; write exists(lines[field is not None])', column)
        return BOOLEAN
    if value is None:
        raise ExpressionError('"{name}" needs a field of the set, such as {name}(lines.total)', column, name=name)
    return _check_value(name, value, column)


def _check_value(name: str, value: Node, column: int) -> Type:
    """What an aggregate over such values gives; raises ExpressionError for values it cannot take."""
    what = describe(value.type)
    if name == "sum" and value.type == type_rules.DURATION:
        return value.type
    if name in ("sum", "avg") and (not type_rules.is_number(value.type) or value.type.many):
        raise ExpressionError('"{name}" takes numbers, not {what}', column, name=name, what=what)
    if name in ("min", "max") and (value.type.many or value.type.name not in type_rules.ORDERED):
        raise ExpressionError('"{name}" has no order for {what}', column, name=name, what=what)
    if name in ("count", "count_distinct"):
        if value.type.many and name == "count_distinct":
            raise ExpressionError('"{name}" takes single values, not {what}', column, name=name, what=what)
        return INTEGER
    if name == "list":
        if value.type.many or value.type.name not in ("text", "choice"):
            raise ExpressionError('"{name}" takes texts, not {what}', column, name=name, what=what)
        return TEXT
    return value.type if name != "avg" or value.type.name in ("money", "percent") else DECIMAL


def _size(name: str, value: Node | None) -> int:
    if name in ("count", "count_distinct"):
        return 9
    if value is not None and value.type.name == "duration":
        return LONGEST_SUM
    return (value.size if value else 0) + (SUM_GROWTH if name == "sum" else 0)


def _first(rows: Rows, value: Node | None, order: tuple[Order, ...], last: bool, column: int) -> First:
    inner = value if isinstance(value, Path) else Path(type=Type("link", rows.table), level=0, names=(), column=column)
    if last:
        order = tuple(dataclasses.replace(each, descending=not each.descending) for each in order)
    return First(type=inner.type, rows=rows, value=inner, order=order, last=last, column=column, size=inner.size)


def _order(checker: Checker, tree: ast.expr) -> Order:
    descending = isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub)
    value = checker.value(tree.operand if isinstance(tree, ast.UnaryOp) and descending else tree)
    if value.type.many or value.type.name not in type_rules.ORDERED | {"choice"}:
        raise ExpressionError("there is no order of {what}", value.column, what=describe(value.type))
    return Order(type=value.type, value=value, descending=descending, column=value.column)


def _of_group(checker: Checker, name: str, tree: ast.Call) -> Node:
    column = checker.source.column(tree)
    if len(tree.args) != 1:
        raise ExpressionError('over a group "{name}" takes one value', column, name=name)
    given = _chosen(checker, name, tree.keywords)
    with _over(checker, "nested"):
        value = checker.condition(tree.args[0]) if name in CONDITIONS else checker.value(tree.args[0])
    if name in CONDITIONS:
        found = GroupAggregate(type=BOOLEAN, name="all" if name == "all" else "any", value=value, column=column,
                               where=given.get("where"))
        return Not(type=BOOLEAN, value=found, column=column) if name == "none" else found
    type = _check_value(name, value, column)
    return GroupAggregate(type=type, name=name, value=value, where=given.get("where"), column=column,
                          separator=_joint(given.get("separator")),
                          size=checker.bounded(type, _size(name, value), column))


def _joint(separator: Node | None) -> str:
    return str(separator.value) if isinstance(separator, Literal) else SEPARATOR


def _chosen(checker: Checker, name: str, keywords: Sequence[ast.keyword]) -> dict[str, Node]:
    """The named arguments of an aggregate over a group: `where=`, and the `separator=` of a list."""
    given: dict[str, Node] = {}
    for keyword in keywords:
        if keyword.arg == "where":
            with _over(checker, "nested"):
                given["where"] = checker.condition(keyword.value)
        elif keyword.arg == "separator" and name == "list" and isinstance(keyword.value, ast.Constant):
            given["separator"] = Literal(type=TEXT, value=_separator(checker, {"separator": [keyword.value]}))
        else:
            raise ExpressionError('over a group "{name}" knows only {known}', checker.source.column(keyword), "where",
                                  name=name, known="where=")
    return given


def member(value: Node, rows: Rows | Values, negated: bool, column: int) -> Node:
    """Whether a value is one of a set: its records, or what a field of them holds."""
    of, inner = (rows.rows, rows.value) if isinstance(rows, Values) else (rows, None)
    own = inner or Path(type=Type("link", of.table), level=0, names=(), column=column)
    same: Node = Compare(type=BOOLEAN, operator="==", left=own, right=shifted(value, 1), column=column)
    if inner is not None:
        filled = IsEmpty(type=BOOLEAN, value=own, negated=True, column=column)
        same = And(type=BOOLEAN, parts=(filled, same), column=column)
    found = Aggregate(type=BOOLEAN, name="exists", rows=narrowed(of, same), column=column)
    return Not(type=BOOLEAN, value=found, column=column) if negated else found
