"""A definition's body as a tree whose every node knows its origin: what merging works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from core.definition.values import Body, BodyPath, Definition, Mark, Origin

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Node:
    """A mapping, a list or a scalar, and the layer and place that gave it."""

    value: dict[str, Node] | list[Node] | Scalar
    origin: Origin

    @property
    def map(self) -> dict[str, Node]:
        """The members of a mapping; none for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; none for anything else."""
        return self.value if isinstance(self.value, list) else []

    @property
    def mark(self) -> Mark:
        """Where it stands."""
        return self.origin.mark


def plant(definition: Definition) -> Node:
    """The tree of a definition."""
    return _node(definition.body, (), definition.positions, definition.layer, definition.mark())


def _node(value: object, path: BodyPath, positions: Mapping[BodyPath, Mark], layer: str, around: Mark) -> Node:
    mark = positions.get(path, around)
    if isinstance(value, dict):
        return Node({key: _node(item, (*path, key), positions, layer, mark) for key, item in value.items()},
                    Origin(layer, mark))
    if isinstance(value, list):
        return Node([_node(item, (*path, index), positions, layer, mark) for index, item in enumerate(value)],
                    Origin(layer, mark))
    return Node(cast(Scalar, value), Origin(layer, mark))


def plain(node: Node) -> object:
    """The value of a tree."""
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, list) else node.value


def at(node: Node, path: Sequence[str]) -> Node | None:
    """What stands at a path of names; None if nothing does."""
    found: Node | None = node
    for name in path:
        found = found.map.get(name) if found is not None else None
    return found


def harvest(node: Node) -> tuple[Body, dict[BodyPath, Origin]]:
    """The body of a tree, and the origin of every path in it."""
    origins: dict[BodyPath, Origin] = {}
    body = cast(Body, _plain(node, (), origins))
    return body, origins


def _plain(node: Node, path: BodyPath, origins: dict[BodyPath, Origin]) -> object:
    origins[path] = node.origin
    if isinstance(node.value, dict):
        return {key: _plain(item, (*path, key), origins) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(item, (*path, index), origins) for index, item in enumerate(node.value)]
    return node.value
