"""What a stored formula may read: only what the record service sees change, so that its value is never out of date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.expression import Expression, ExpressionError
from core.expression.nodes import Call, IsKind, walk

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.definition.scope import Names

KEPT = frozenset(("text", "integer", "decimal", "money", "percent", "boolean", "date", "datetime", "duration",
                  "choice"))
NOT_KEPT = frozenset({"sequence", "state", "expression"})        # types whose values come about in another way
MOVING = frozenset({"changed_on", "changed_by"})               # written when nothing that a formula reads is


def fault(names: Names, field: Field) -> str | None:
    """Why a formula cannot be stored; None if it can, or if it is wrong in itself."""
    kind = field.expression_type
    if kind.name not in KEPT or kind.many or field.type.name in NOT_KEPT:
        return f'the value of a field of type "{field.type.name}" cannot be stored as a formula gives it'
    try:
        return next(_faults(names, field, field.table, {field.name}, line=False), None)
    except ExpressionError:         # told where the expression stands
        return None


def _faults(names: Names, field: Field, table: str, seen: set[str], *, line: bool) -> Iterator[str]:
    formula = field.formula
    if formula is None:
        return
    by = "" if field.name in seen and len(seen) == 1 and not line else f' (by "{field.name}")'
    yield from (f"{problem}{by}" for problem in _of_expression(formula))
    for path in sorted(formula.reads):
        if path[:1] != ("all",):
            yield from (f"{problem}{by}" for problem in _of_path(names, table, path, formula, line))
    for path in sorted(formula.reads):
        yield from _below(names, table, path, seen, line)


def _of_expression(formula: Expression) -> Iterator[str]:
    if formula.variables:
        read = ", ".join(sorted(_spelled(variable) for variable in formula.variables))
        yield f"a stored formula gives the same to everybody on every day: it cannot read {read}"
    if any(path[:1] == ("all",) for path in formula.reads):
        yield "a stored formula reads its own record and its lines alone, not other records"
    for node in walk(formula.node):
        if (isinstance(node, IsKind) and node.value.names) or (isinstance(node, Call) and node.function.selects):
            yield "a stored formula reads its own record and its lines alone, not other records"


def _of_path(names: Names, table: str, path: tuple[str, ...], formula: Expression, line: bool) -> Iterator[str]:
    field = names.field(table, path[0])
    if path[-1] in MOVING:
        yield f'a stored formula cannot read "{path[-1]}"'
    if field is None:
        return
    of_lines = field.type.is_lines
    if of_lines and line:
        yield f'"{path[0]}" are lines of lines: store a formula of theirs there, and read that'
    elif (path in formula.sets or len(path) > 1) and not of_lines:
        yield f'"{".".join(path)}" is of another record, or of a part of a field: a stored formula cannot read it'
    elif len(path) > 2 or (len(path) == 2 and path in formula.sets):
        yield f'"{".".join(path)}" is not of the lines themselves: store a formula of theirs there, and read that'
    elif len(path) == 2:
        inner = names.field(field.target or "", path[1])
        if inner is not None and inner.type.is_lines:
            yield f'"{".".join(path)}" are lines of lines: store a formula of theirs there, and read that'


def _below(names: Names, table: str, path: tuple[str, ...], seen: set[str], line: bool) -> Iterator[str]:
    """What is wrong with the formulas that are read and not stored: their parts are read in their place."""
    field = names.field(table, path[0])
    if field is not None and field.type.is_lines and len(path) == 2:
        table, line, field = field.target or "", True, names.field(field.target or "", path[1])
    if field is None or not field.computed or field.stored:
        return
    key = f"{field.table}.{field.name}"
    if key not in seen:
        seen.add(key)
        yield from _faults(names, field, table, seen, line=line)


def _spelled(variable: tuple[str, ...]) -> str:
    name = ".".join(variable)
    return {"today": "today()", "now": "now()", "zone": "the time zone"}.get(name, name)
