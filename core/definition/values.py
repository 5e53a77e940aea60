"""The values that stand between files and the Model: marks, definitions, layers and merged definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from core.errors import Problem

Body = dict[str, object]
BodyPath = tuple[str | int, ...]


class Mark(NamedTuple):
    """Where a property stands: its key, and its value when that is a scalar on one line."""

    file: str
    line: int
    column: int
    value_line: int = 0
    value_column: int = 0

    def problem(self, message: str, inside: int | None = None) -> Problem:
        """The error at this place; `inside` is a column (from 1) within the value."""
        if inside is not None and self.value_line:
            return Problem(self.file, self.value_line, self.value_column + inside - 1, message)
        return Problem(self.file, self.line, self.column, message)


class Origin(NamedTuple):
    """The layer and the place that gave a property its value."""

    layer: str
    mark: Mark


@dataclass(frozen=True, eq=False)
class Definition:
    """One named thing of one kind as one layer writes it; `change` says that it changes a lower layer's."""

    kind: str
    name: str
    layer: str
    change: bool
    body: Body
    hash: str
    positions: Mapping[BodyPath, Mark]

    def mark(self, path: BodyPath = ()) -> Mark:
        """The place of a path, or of the nearest thing around it that has one."""
        return nearest(self.positions, path)


@dataclass(frozen=True, eq=False)
class Layer:
    """An ordered source of definitions: an addon, or the site's own folder; `files` is kept for the site only."""

    name: str
    version: str
    path: Path
    definitions: tuple[Definition, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Merged:
    """A definition after all layers had their say; `origin` knows who said each property."""

    kind: str
    name: str
    body: Body
    hash: str
    layer: str = ""
    format: int = 1
    origin: Mapping[BodyPath, Origin] = field(default_factory=dict)

    def mark(self, path: BodyPath = ()) -> Mark:
        """The place of a path, or of the nearest thing around it that has one."""
        for length in range(len(path), -1, -1):
            found = self.origin.get(path[:length])
            if found is not None:
                return found.mark
        return Mark("", 1, 1)


def nearest(positions: Mapping[BodyPath, Mark], path: BodyPath) -> Mark:
    """The mark of the longest known beginning of a path."""
    for length in range(len(path), -1, -1):
        found = positions.get(path[:length])
        if found is not None:
            return found
    return Mark("", 1, 1)
