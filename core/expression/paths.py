"""Names and dots: which field, variable or set is meant, found in the Scope."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from core.expression.errors import ExpressionError
from core.expression.nodes import And, First, Holds, Node, Path, Reach, Rows, Values, Variable, shifted
from core.expression.type_rules import BOOLEAN, NUMBERS, describe
from core.types.base import Type
from core.types.link import tables_of

if TYPE_CHECKING:
    from core.expression.check import Checker

DIGITS = 15          # of a number in a field
MOST_DAYS = 100_000  # of a span of time in a field
MOST_STEPS = 8       # of a path: each but the last is a join
CONSTANTS = {"true": "True", "false": "False", "null": "None", "none": "None"}


def suggestion(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant."""
    folded = {each.lower(): each for each in names}
    found = get_close_matches(name.lower(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


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
    if word == "query":
        return ExpressionError('"query" needs a name and brackets: query.name()', column)
    if word == "all":
        return ExpressionError('"all" needs a table: all.table', column)
    table, variables = checker.table, list(checker.scope.variables())
    meant = next((each for each in variables if each.endswith(f".{word}")), None)   # its first word is missing
    if table is None:
        return ExpressionError('"{name}" is not known here', column, meant or suggestion(word, variables), name=word)
    known = [*checker.scope.members(table), *variables]
    return ExpressionError('"{name}" is not on table "{table}"', column, meant or suggestion(word, known), name=word,
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
        if tree.value.id == "query" and checker.scope.query(tree.attr) and not _known(checker, "query"):
            raise ExpressionError("a query is called: query.{name}()", column, name=tree.attr)
        dotted = _dotted_variable(checker, tree.value.id, tree.attr, column)
        if dotted is not None:
            if tree.value.id == "setting":
                checker.mention("setting", "", tree.attr, checker.source.name_column(tree))
            return dotted
    owner = as_rows(checker.node(tree.value))
    if isinstance(owner, Rows):
        return _values(checker, owner, Path(type=Type("link", owner.table), level=0, names=(), column=column), tree)
    if isinstance(owner, Values):
        return _values(checker, owner.rows, owner.value, tree)
    if isinstance(owner, Path) and not owner.names and owner.level and tree.attr == "outer":
        return _further_out(checker, owner.level + 1, column)
    return _follow(owner, tree.attr, _member(checker, owner, tree))


def _follow(owner: Node, name: str, type: Type) -> Node:
    """A field of the record that a link leads to; the `id` of a record leads to the record."""
    match owner:
        case Path():
            before = owner.names[:-1] if owner.names[-1:] == ("id",) else owner.names
            return _field(dataclasses.replace(owner, type=type, names=(*before, name), size=0))
        case Variable(names=("user", *_)):
            return _variable((*owner.names, name), type, owner.column)
        case Reach(start=start, table=table, names=names):
            return _reach(start, table, (*names, name), type, owner.column)
        case First(value=value) if type.name != "set":
            inner = _single(_field(dataclasses.replace(value, type=type, names=(*value.names, name))), owner.column)
            return dataclasses.replace(owner, type=inner.type, value=inner, size=inner.size)
    return _reach(owner, owner.type.of or "", (name,), type, owner.column)


def _known(checker: Checker, word: str) -> bool:
    table = checker.table
    return checker.scope.variable(word) is not None or (
        table is not None and checker.scope.member(table, word) is not None)


def _everywhere(checker: Checker, table: str, column: int) -> Rows:
    if not checker.scope.has_table(table):
        raise ExpressionError('there is no table "{table}"', column, table=table)
    return Rows(type=Type("set", table), level=0, names=(), table=table, everywhere=True, column=column)


def _dotted_variable(checker: Checker, head: str, tail: str, column: int) -> Node | None:
    """A variable such as `parameter.city`, whose head alone is none, or what it stands for."""
    scope = checker.scope
    if scope.variable(head) is not None or (checker.table and scope.member(checker.table, head) is not None):
        return None
    found = scope.variable(f"{head}.{tail}")
    if head == "parameter" and tail in checker.body.arguments:
        return checker.argument(tail, column)
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
    if type.name == "any_link":
        return _narrowed(checker, type, tree)
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


def _narrowed(checker: Checker, type: Type, tree: ast.Attribute) -> Type:
    """The link to one of the tables that a link may lead to; empty where it leads to another."""
    found = checker.scope.member(type.of or "", tree.attr)
    if found is None:
        raise ExpressionError('{what} leads to no "{name}"; name the table first', checker.source.column(tree),
                              suggestion(tree.attr, tables_of(type)), what=describe(type), name=tree.attr)
    checker.mention("table", "", tree.attr, checker.source.name_column(tree))
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
    return dataclasses.replace(path, size=size_of(path.type))


def _check_steps(names: tuple[str, ...], column: int) -> None:
    if len(names) > MOST_STEPS:
        raise ExpressionError("a path has at most {most} steps", column, most=MOST_STEPS)


def _variable(names: tuple[str, ...], type: Type, column: int) -> Variable | Rows:
    """A variable or a field of the user, or the set that it leads to."""
    _check_steps(names, column)
    if type.name == "set" and type.of is not None and len(names) > 1:
        return Rows(type=type, level=0, names=names[1:], table=type.of, start=_user(column), home="user",
                    column=column)
    return Variable(type=type, names=names, column=column, size=size_of(type))


def _user(column: int) -> Variable:
    return Variable(type=Type("link", "user"), names=("user",), column=column)


def _reach(start: Node, table: str, names: tuple[str, ...], type: Type, column: int) -> Reach | Rows:
    """A field reached from a link that is worked out, or the set that it leads to."""
    _check_steps(names, column)
    if type.name == "set" and type.of is not None:
        return Rows(type=type, level=0, names=names, table=type.of, start=start, home=table, column=column)
    return Reach(type=type, start=start, table=table, names=names, column=column,
                 size=size_of(type))


def size_of(type: Type) -> int:
    """How large a stored value of a type may be: digits before the point, days of a span of time."""
    return DIGITS if type.name in NUMBERS else MOST_DAYS if type.name == "duration" else 0


def as_rows(node: Node) -> Node:
    """A plural link as the set of the records it leads to; anything else as it is."""
    type, column = node.type, node.column
    if type.name != "link" or not type.many or type.of is None:
        return node
    rows = Rows(type=Type("set", type.of), level=0, names=(), table=type.of, column=column)
    match node:
        case Path(level=level, names=names):
            return dataclasses.replace(rows, level=level, names=names)
        case Reach(start=start, table=table, names=names):
            return dataclasses.replace(rows, names=names, start=start, home=table)
        case Variable(names=("user", *names)) if names:
            return dataclasses.replace(rows, names=tuple(names), start=_user(column), home="user")
    own = Path(type=Type("link", type.of), level=0, names=(), column=column)
    holds = Holds(type=BOOLEAN, many=shifted(node, 1), value=own, negated=False, column=column)
    return dataclasses.replace(rows, everywhere=True, where=holds)


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
