"""Columns that use earlier columns: what these say is written in their place, so that SQL knows the source alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace

from core.expression import ExpressionError
from core.expression.check import MOST_FRAMES
from core.expression.nodes import INSIDE, Node, Path, Reach, Variable, shifted, sql_depth, walk

MOST_NODES = 2000


def written_out(node: Node, columns: Mapping[str, Node]) -> Node:
    """A tree with what columns say in place of the variables that they are; raises ExpressionError if too large."""
    def column(one: Node, depth: int) -> Node | None:
        found = columns.get(one.names[0]) if isinstance(one, Variable) and len(one.names) == 1 else None
        return shifted(found, depth) if found is not None else None
    if not columns:
        return node
    result = replaced(node, column)
    if sum(1 for _ in walk(result)) > MOST_NODES or sql_depth(result) > MOST_FRAMES:
        raise ExpressionError("this grows too large with the columns that it uses")
    return result


def replaced(node: Node, change: Callable[[Node, int], Node | None], depth: int = 0) -> Node:
    """A tree with what `change` gives in place of its parts; it is told how many records inside it stands."""
    found = change(node, depth)
    if found is not None:
        return found
    changes: dict[str, object] = {}
    inside = INSIDE.get(type(node), ())
    for each in fields(node):
        value = getattr(node, each.name)
        inner = depth + (each.name in inside)
        if isinstance(value, Node):
            changes[each.name] = replaced(value, change, inner)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changes[each.name] = tuple(replaced(part, change, inner) for part in value)
    result = replace(node, **changes) if changes else node      # type: ignore[arg-type]
    if isinstance(result, Reach) and isinstance(result.start, Path):
        return Path(type=result.type, size=result.size, column=result.column, level=result.start.level,
                    names=(*result.start.names, *result.names))
    return result
