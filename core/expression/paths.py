"""Names and dots: which field, variable or set is meant, found in the Scope."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from core.expression.errors import ExpressionError
from core.expression.nodes import And, First, Node, Path, Rows, Values, Variable
from core.expression.type_rules import BOOLEAN, NUMBERS, describe
from core.types.base import Type

if TYPE_CHECKING:
    from core.expression.check import Checker

DIGITS = 15          # of a number in a field
MOST_STEPS = 8       # of a path: each but the last is a join
CONSTANTS = {"true": "True", "false": "False", "null": "None", "none": "None"}


def suggestion(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant."""
    return next(iter(get_close_matches(name, list(names), n=1, cutoff=0.6)), None)


def name(checker: Checker, tree: ast.Name) -> Node:
    """A bare name: a variable, or a member of the record at hand."""
    table, column = checker.table, checker.source.column(tree)
    if tree.id in ("record", "outer") and (tree.id == "outer" or checker.scope.variable("record") is None):
        return _record(checker, tree.id, column)
    variable = checker.scope.variable(tree.id)
    member = checker.scope.member(table, tree.id) if table else None
    if variable is not None and member is not None:
        raise ExpressionError('"{name}" is a field of "{table}" and a variable; write "record.{name}" for the field',
                              column, name=tree.id, table=table)
    if variable is not None:
        return _variable((tree.id,), variable, column)
    if member is not None:
        checker.mention("field", table or "", tree.id, column)
        return _field(Path(type=member, level=0, names=(tree.id,), column=column))
    raise _unknown_name(checker, tree.id, column)


def _unknown_name(checker: Checker, word: str, column: int) -> ExpressionError:
    if word in CONSTANTS:
        return ExpressionError('"{name}" is not known', column, CONSTANTS[word], name=word)
    if word in checker.functions:
        return ExpressionError('"{name}" is a function; call it: {usage}', column, name=word,
                               usage=checker.functions[word][0].signature)
    if word == "all":
        return ExpressionError('"all" needs a table: all.table', column)
    table = checker.table
    if table is None:
        return ExpressionError('"{name}" is not known here', column, suggestion(word, checker.scope.variables()),
                               name=word)
    known = [*checker.scope.members(table), *checker.scope.variables()]
    return ExpressionError('"{name}" is not on table "{table}"', column, suggestion(word, known), name=word,
                           table=table)


def _record(checker: Checker, word: str, column: int) -> Path:
    level = 1 if word == "outer" else 0
    table = checker.table_at(level)
    if table is None:
        raise ExpressionError('"outer" stands only inside [ ], where there is a record around' if level
                              else "there is no record here", column)
    return Path(type=Type("link", table), level=level, names=(), column=column)


def attribute(checker: Checker, tree: ast.Attribute) -> Node:
    """What stands after a dot: a member of a linked record, a field of a set, a part of a value."""
    column = checker.source.column(tree)
    if isinstance(tree.value, ast.Name):
        if tree.value.id == "all":
            checker.mention("table", "", tree.attr, checker.source.name_column(tree))
            return _everywhere(checker, tree.attr, column)
        dotted = _dotted_variable(checker, tree.value.id, tree.attr, column)
        if dotted is not None:
            if tree.value.id == "setting":
                checker.mention("setting", "", tree.attr, checker.source.name_column(tree))
            return dotted
    owner = as_rows(checker.node(tree.value))
    match owner:
        case Path(names=(), level=level) if tree.attr == "outer" and level:
            return _further_out(checker, level + 1, column)
        case Path():
            found = _member(checker, owner, tree)
            return _field(dataclasses.replace(owner, type=found, names=(*owner.names, tree.attr), size=0))
        case Variable():
            return _variable((*owner.names, tree.attr), _member(checker, owner, tree), owner.column)
        case First(value=value):
            inner = _single(_field(dataclasses.replace(
                value, type=_member(checker, value, tree), names=(*value.names, tree.attr))), column)
            return dataclasses.replace(owner, type=inner.type, value=inner, size=inner.size)
        case Rows(table=table):
            start = Path(type=Type("link", table), level=0, names=(), column=column)
            return _values(checker, owner, start, tree)
        case Values(rows=rows, value=value):
            return _values(checker, rows, value, tree)
    raise ExpressionError('{what} has no part "{name}"', column, what=describe(owner.type), name=tree.attr)


def _everywhere(checker: Checker, table: str, column: int) -> Rows:
    if not checker.scope.has_table(table):
        raise ExpressionError('there is no table "{table}"', column, table=table)
    return Rows(type=Type("set", table), level=0, names=(), table=table, everywhere=True, column=column)


def _dotted_variable(checker: Checker, head: str, tail: str, column: int) -> Variable | None:
    """A variable such as `parameter.city`, whose head alone is none."""
    scope = checker.scope
    if scope.variable(head) is not None or (checker.table and scope.member(checker.table, head) is not None):
        return None
    found = scope.variable(f"{head}.{tail}")
    if found is not None:
        return _variable((head, tail), found, column)
    siblings = [name for name in scope.variables() if name.startswith(f"{head}.")]
    if not siblings:
        return None
    raise ExpressionError('there is no "{name}"', column, suggestion(f"{head}.{tail}", siblings), name=f"{head}.{tail}")


def _further_out(checker: Checker, level: int, column: int) -> Path:
    table = checker.table_at(level)
    if table is None:
        raise ExpressionError("there is no further record around", column)
    return Path(type=Type("link", table), level=level, names=(), column=column)


def _member(checker: Checker, owner: Node, tree: ast.Attribute) -> Type:
    """The type of a member of a linked record, or of the part `base` of money."""
    column, type = checker.source.column(tree), owner.type
    if type.name == "money" and tree.attr == "base" and isinstance(owner, Path):
        return type
    if type.name != "link" or type.of is None:
        raise ExpressionError('{what} has no part "{name}"', column, what=describe(type), name=tree.attr)
    if type.many:
        raise ExpressionError('{what} have no single "{name}"', column, what=describe(type), name=tree.attr)
    found = checker.scope.member(type.of, tree.attr)
    if found is None:
        raise ExpressionError('"{name}" is not on table "{table}"', column,
                              suggestion(tree.attr, checker.scope.members(type.of)), name=tree.attr, table=type.of)
    checker.mention("field", type.of, tree.attr, checker.source.name_column(tree))
    return found


def _values(checker: Checker, rows: Rows, start: Path, tree: ast.Attribute) -> Values:
    found = _member(checker, start, tree)
    inner = _single(_field(dataclasses.replace(start, type=found, names=(*start.names, tree.attr))),
                    checker.source.column(tree))
    return Values(type=Type("set", rows.table), rows=rows, value=inner, column=rows.column)


def _single(node: Node, column: int) -> Path:
    if not isinstance(node, Path):
        raise ExpressionError("a set inside a set cannot be read; use [ ] with exists, count or sum", column)
    return node


def _field(path: Path) -> Path | Rows:
    """A path as it is, or the set that it leads to."""
    _check_steps(path.names, path.column)
    if path.type.name == "set" and path.type.of is not None:
        return Rows(type=path.type, level=path.level, names=path.names, table=path.type.of, column=path.column)
    return dataclasses.replace(path, size=DIGITS) if path.type.name in NUMBERS else path


def _check_steps(names: tuple[str, ...], column: int) -> None:
    if len(names) > MOST_STEPS:
        raise ExpressionError("a path has at most {most} steps", column, most=MOST_STEPS)


def _variable(names: tuple[str, ...], type: Type, column: int) -> Variable:
    _check_steps(names, column)
    if type.name == "set":
        raise ExpressionError('the set "{name}" cannot be read; use all.{table}[...]', column, name=".".join(names),
                              table=type.of)
    return Variable(type=type, names=names, column=column, size=DIGITS if type.name in NUMBERS else 0)


def as_rows(node: Node) -> Node:
    """A plural link as the set of the records it leads to; anything else as it is."""
    if isinstance(node, Path) and node.type.name == "link" and node.type.many and node.type.of is not None:
        return Rows(type=Type("set", node.type.of), level=node.level, names=node.names, table=node.type.of,
                    column=node.column)
    return node


def subscript(checker: Checker, tree: ast.Subscript) -> Rows:
    """A filtered set: inside the brackets bare names are the inner table's."""
    rows = as_rows(checker.node(tree.value))
    if not isinstance(rows, Rows):
        raise ExpressionError("[ ] chooses records of a set; this is {what}", checker.source.column(tree),
                              what=describe(rows.type))
    with checker.inside(rows.table, rows.column):
        where = checker.condition(tree.slice)
    if rows.where is not None:
        where = And(type=BOOLEAN, parts=(rows.where, where), column=where.column)
    return dataclasses.replace(rows, where=where)
