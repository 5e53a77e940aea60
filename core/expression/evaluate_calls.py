"""Functions in Python: how they are called with what is a field, written out, or worked out before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.expression.functions.base import Function
from core.expression.nodes import Call, Literal, Node
from core.expression.reading import TEXTS, Around, Record, Run, own_field


def worked_out(node: Node) -> Literal | None:
    """A literal, or what a function gives for literals whatever the record is: `days(90)`."""
    if isinstance(node, Literal):
        return node
    if not isinstance(node, Call) or node.function.environment or not node.arguments:
        return None
    values = [worked_out(argument) for argument in node.arguments]
    written = [value.value for value in values if value is not None]
    if len(written) < len(values):
        return None
    empty = node.function.strict and None in written
    return Literal(type=node.type, value=None if empty else node.function.python(*written))


def of_one(node: Node, value: Run, work: Callable[..., Any], empty: bool | None, written: tuple[Any, ...]) -> Run:
    """A strict function of one value, and of others that are written out."""
    text = own_field(node, TEXTS)
    if text is not None and node.type.name in TEXTS:
        return lambda record, around: work(a, *written) if (a := record.get(text)) else empty
    if not written:
        return lambda record, around: empty if (a := value(record, around)) is None else work(a)
    return lambda record, around: empty if (a := value(record, around)) is None else work(a, *written)


def of_any(values: list[Run], work: Callable[..., Any]) -> Run:
    """A function that sees to empty values by itself."""
    if len(values) == 2:
        first, second = values
        return lambda record, around: work(first(record, around), second(record, around))
    if len(values) == 3:
        one, two, three = values
        return lambda record, around: work(one(record, around), two(record, around), three(record, around))
    return lambda record, around: work(*[value(record, around) for value in values])


def with_environment(function: Function, values: list[Run], work: Callable[..., Any], empty: bool | None) -> Run:
    """A function that needs to know the time, or whose zone it is."""
    names, strict = function.environment, function.strict
    if names == (function.name,):           # today() and now()
        name = function.name
        return lambda record, around: getattr(around.environment, name)
    if not values and len(names) == 1:
        name = names[0]
        return lambda record, around: work(getattr(around.environment, name))

    def run(record: Record, around: Around) -> Any:
        found = [value(record, around) for value in values]
        if strict and None in found:
            return empty
        return work(*[getattr(around.environment, name) for name in names], *found)
    return run
