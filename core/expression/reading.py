"""How values are read from the records and variables that an expression is evaluated over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.expression.errors import EvaluationError
from core.expression.nodes import Node, Path
from core.expression.scope import Environment
from core.types.base import Type
from core.types.link import Linked

Record = Mapping[str, Any]
Names = tuple[str, ...]
MISSING = object()
# Types whose values are read as they stand in a record; of the others '' or [] is empty, or a record its id.
AS_THEY_ARE = frozenset({"integer", "decimal", "money", "percent", "boolean", "date", "datetime", "time", "duration",
                         "json"})


@dataclass(slots=True)
class Around:
    """What a record of a set stands in: the record around it, and how many records may still be looked at."""

    record: Record
    around: Around | None
    environment: Environment
    steps: list[int]


Run = Callable[[Record, Around], Any]
TEXTS = ("text", "choice")      # as they stand in a record too, but that '' is empty


def read(record: Record, names: Names, draft: bool) -> Any:
    """The raw value at a path; the last link may be followed as a Mapping or as a key "a.b" of the record.

    A field that a draft does not have yet is empty; anything else that is missing raises EvaluationError.
    """
    current: Any = record
    for position, name in enumerate(names):
        rest = ".".join(names[position:])
        if rest in current:
            return current[rest]
        if name not in current:
            if draft and position == 0:
                return None
            raise EvaluationError(f'"{".".join(names)}" was not read')
        current = current[name]
        if current is None:
            return None
        if isinstance(current, Linked) and position + 2 == len(names) and current.table:
            return current if current.table == names[-1] else None      # a link to one of several tables
        if not isinstance(current, Mapping) and position + 1 < len(names):
            raise EvaluationError(f'"{".".join(names)}" was not read')
    return current


def plain(value: Any) -> Any:
    """A raw value as expressions see it: '' and [] are empty, a linked record is its id."""
    if isinstance(value, Mapping):
        return value.get("id")
    if isinstance(value, list | tuple):
        return [plain(each) for each in value] or None
    return None if value == "" else value


def _as_it_is(value: Any) -> Any:
    return None if value == "" else value


def _text(value: Any) -> Any:
    return value or None


def _link(value: Any) -> Any:
    return value if type(value) is int else plain(value)


def finish(type: Type) -> Callable[[Any], Any]:
    """What brings a raw value of a type to what expressions see."""
    if type.many:
        return _text if type.name == "choice" else plain
    if type.name in AS_THEY_ARE:
        return _as_it_is
    return {"text": _text, "choice": _text, "link": _link}.get(type.name, plain)


def at_path(names: Names, kind: Type) -> Callable[[Record], Any]:
    """A function from a record to the value at a path; links that were read as dicts are followed without more ado."""
    done = finish(kind)
    if len(names) == 1:
        name = names[0]
        if done is _text:
            return lambda record: record.get(name) or None
        return lambda record: done(record.get(name))

    steps = [(name, ".".join(names[position:])) for position, name in enumerate(names[:-1])]
    last = names[-1]

    def run(record: Record) -> Any:
        current: Any = record
        for name, rest in steps:
            linked = current.get(name)
            if type(linked) is not dict and not isinstance(linked, Mapping):
                if linked is None and name in current and rest not in current:
                    return None
                return done(read(record, names, draft=True))
            current = linked
        value = current.get(last, MISSING)
        return done(read(record, names, draft=True) if value is MISSING else value)
    return run


def given(environment: Environment, names: Names) -> Any:
    """The raw value of a variable; one with a dot may be there under its dotted name."""
    variables = environment.variables
    if names[0] == "user" and "user" not in variables:
        return read(environment.user, names[1:], draft=False) if len(names) > 1 else environment.user
    if len(names) > 1 and names[0] not in variables:
        return variables.get(".".join(names))
    return read(variables, names, draft=False)


class _Empty(dict[str, Any]):
    """A record that is not there: everything of it is empty."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> None:
        return None


EMPTY = _Empty()


def followed(value: Any) -> Record:
    """The record that a raw link leads to, an empty one for none; raises EvaluationError if it was not read."""
    if value is None:
        return EMPTY
    if not isinstance(value, Mapping):
        raise EvaluationError("the record that a link leads to was not read")
    return value


def own_field(node: Node, more: tuple[str, ...] = (), level: int = 0) -> str | None:
    """The name of a field of the record at hand whose raw value is its value, or does as well as it."""
    if isinstance(node, Path) and node.level == level and len(node.names) == 1 and not node.type.many \
            and (node.type.name in AS_THEY_ARE or node.type.name in more):
        return node.names[0]
    return None


def out(record: Record, around: Around, level: int) -> Record:
    """The record so many levels out."""
    if level == 0:
        return record
    current: Around | None = around
    while level > 1 and current is not None:
        current, level = current.around, level - 1
    if current is None or current.record is None:
        raise EvaluationError("there is no record around")
    return current.record
