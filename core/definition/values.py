"""The values that stand between files and the Model: marks, definitions, layers and merged definitions."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
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

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def problem(self, message: str, inside: int | None = None) -> Problem:
        """The error at this place; `inside` is a column (from 1) within the value."""
        if not message.isprintable():           # a name from a file may hold anything
            message = "".join(one if one.isprintable() else repr(one)[1:-1] for one in message)
        if inside is not None and self.value_line:
            return Problem(self.file, self.value_line, self.value_column + inside - 1, message)
        return Problem(self.file, self.line, self.column, message)


class Places(Mapping[BodyPath, Mark]):
    """Where the parts of a body stand: four numbers for each, in the order of the body, unfolded when they are asked.

    A line of 0 says that a part has no place of its own. Few places of a sound set are ever asked for.
    """

    def __init__(self, file: str, body: object, numbers: array[int], start: Mark | None = None) -> None:
        self.file = file
        self.body = body
        self.numbers = numbers
        self.start = start or self._mark(0)         # of the whole

    @classmethod
    def fold(cls, file: str, body: object, marks: Mapping[BodyPath, Mark]) -> Places:
        """Fold known places."""
        numbers = array("I")
        for path in paths(body):
            mark = marks.get(path)
            numbers.extend(mark[1:] if mark is not None else (0, 0, 0, 0))
        return cls(file, body, numbers)

    def _mark(self, index: int) -> Mark:
        return Mark(self.file, *self.numbers[4 * index:4 * index + 4])

    @cached_property
    def _unfolded(self) -> dict[BodyPath, Mark]:
        found = {path: self._mark(index) for index, path in enumerate(paths(self.body)) if self.numbers[4 * index]}
        return found | {(): self.start}

    def __getitem__(self, path: BodyPath) -> Mark:
        if not path:
            return self.start
        if len(path) == 1 and isinstance(self.body, dict) and next(iter(self.body), None) == path[0]:
            return self._mark(1)                    # the key that says the kind: asked for in every file
        return self._unfolded[path]

    def __iter__(self) -> Iterator[BodyPath]:
        return iter(self._unfolded)

    def __len__(self) -> int:
        return len(self._unfolded)


def paths(body: object, path: BodyPath = ()) -> Iterator[BodyPath]:
    """The paths of all parts of a body, each before what is in it."""
    yield path
    if isinstance(body, dict):
        for key, value in body.items():
            yield from paths(value, (*path, key))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield from paths(value, (*path, index))


def dotted(path: BodyPath) -> str:
    """A path as people write it."""
    return ".".join(map(str, path))


def value_at(body: object, path: BodyPath) -> object:
    """What stands at a path of a body; None if nothing does."""
    for part in path:
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, Sequence) and not isinstance(body, str) and isinstance(part, int) and part < len(body):
            body = body[part]
        else:
            return None
    return body


class Origin(NamedTuple):
    """The layer and the place that gave a property its value."""

    layer: str
    mark: Mark


@dataclass(frozen=True, eq=False)
class Origins(Mapping[BodyPath, Origin]):
    """The origins of a definition that one layer alone wrote."""

    layer: str
    positions: Mapping[BodyPath, Mark]

    def __getitem__(self, path: BodyPath) -> Origin:
        return Origin(self.layer, self.positions[path])

    def __iter__(self) -> Iterator[BodyPath]:
        return iter(self.positions)

    def __len__(self) -> int:
        return len(self.positions)


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
    format: int = 1

    def mark(self, path: BodyPath = ()) -> Mark:
        """The place of a path, or of the nearest thing around it that has one."""
        return nearest(self.positions, path)


@dataclass(frozen=True, eq=False)
class Layer:
    """An ordered source of definitions: an addon, or the site's own folder; `files` is kept for the site only.

    `needs` are all layers that it builds on, those that it needs through others too.
    """

    name: str
    version: str
    path: Path
    definitions: tuple[Definition, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()


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

    def layer_at(self, path: BodyPath) -> str:
        """The layer that said what stands at a path; "" if nothing stands there."""
        if not isinstance(self.origin, Origins):
            found = self.origin.get(path)
            return found.layer if found is not None else ""
        value: object = self.body           # its places are not worth unfolding: there is one layer
        for part in path:
            if isinstance(value, dict) and part in value:
                value = value[str(part)]
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return ""
        return self.origin.layer

    def text_path(self, path: BodyPath) -> str:
        """A path in full, such as `table company.fields.city`: what translations call the thing that stands there."""
        return f"{self.kind} {self.name}.{dotted(path)}"

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
