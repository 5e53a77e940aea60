"""Explaining a definition: each property with its value, the layer and place that gave it, and what it replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from core.definition.canonical import dump
from core.definition.effects import Effect
from core.definition.load import Loaded
from core.definition.names import suggestion
from core.definition.tree import Node, plain
from core.definition.values import Merged, Origin
from core.errors import NotFound

Path = tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """A value that a property has or had, and who gave it."""

    text: str
    layer: str
    place: str              # file:line


@dataclass(frozen=True)
class Property:
    """A property: its value, and those that it replaced, the newest first."""

    path: str
    value: Value
    replaced: tuple[Value, ...] = ()


def explain(loaded: Loaded, kind: str, path: str) -> list[Property]:
    """All properties at or below a path such as `opportunity.amount`; raises NotFound, with a suggestion."""
    merged, parts = _find(loaded, kind, path)
    effects = loaded.merge.effects.get((kind, merged.name), ())
    found = list(_properties(merged, effects))
    wanted = ".".join(parts)
    here = [one for one in found if not parts or _under(one.path, wanted)]
    if not here:
        raise NotFound("{kind} {name} has no {path}{hint}", kind=kind, name=merged.name, path=wanted,
                       hint=suggestion(parts[-1], _words(found)))
    return here


def _find(loaded: Loaded, kind: str, path: str) -> tuple[Merged, list[str]]:
    """The definition that a path begins with, and the rest of the path."""
    merged = loaded.merge.merged
    kinds = sorted({key[0] for key in merged})
    if kind not in kinds:
        raise NotFound("there is no {kind} of anything{hint}", kind=kind, hint=suggestion(kind, kinds))
    name, *parts = path.split(".")
    found = merged.get((kind, name))
    if found is None:
        raise NotFound("there is no {kind} {name}{hint}", kind=kind, name=name,
                       hint=suggestion(name, (key[1] for key in merged if key[0] == kind)))
    return found, parts


def _under(path: str, wanted: str) -> bool:
    """True if a path is the wanted one, in it, or ends with it: `amount` finds `fields.amount`."""
    plainly = ".".join(part.rpartition(":")[2] for part in path.split("."))
    return f".{wanted}." in f".{path}." or f".{wanted}." in f".{plainly}."


def _words(found: Sequence[Property]) -> set[str]:
    return {word.rpartition(":")[2] for one in found for word in one.path.split(".")}


def _properties(merged: Merged, effects: Sequence[Effect]) -> Iterator[Property]:
    by_path: dict[Path, list[Effect]] = {}
    for effect in (one for one in effects if not one.missed):
        by_path.setdefault(effect.path, []).append(effect)
    told: set[Path] = set()
    for path, text, origin in _leaves(merged):
        told |= {path[:end] for end in range(1, len(path) + 1)}
        inner = [one for place, some in by_path.items() if place[:-1] == path for one in some
                 if one.act in ("include", "exclude")]
        replaced = [*_replaced(by_path.get(path, ())), *_edits(inner)]
        yield Property(".".join(path), Value(text, origin.layer, _place(origin)), tuple(replaced))
    for path, some in by_path.items():
        last = some[-1]
        if path not in told and last.act == "remove":
            value = Value("removed", last.layer, _place(Origin(last.layer, last.mark)))
            yield Property(".".join(path), value, tuple(_replaced(some)))
        moves = [one for one in some if one.act == "place" and one.gap is not None]
        for one in moves[-1:]:
            aim = f" {one.gap.aim}" if one.gap and one.gap.aim else ""
            yield Property(".".join((*path, "(place)")), Value(f"{one.gap.word if one.gap else ''}{aim}", one.layer,
                           _place(Origin(one.layer, one.mark))), tuple(_moves(moves[:-1])))


def _leaves(merged: Merged) -> Iterator[tuple[Path, str, Origin]]:
    """The scalars and lists of a body in its order; elements of a form by what they are known by."""
    def walk(value: object, path: Path, at: tuple[str | int, ...]) -> Iterator[tuple[Path, str, Origin]]:
        origin = merged.origin.get(at) or Origin(merged.layer, merged.mark(at))
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from walk(inner, (*path, key), (*at, key))
        elif _elements(value):
            for index, element in enumerate(cast("list[dict[str, object]]", value)):
                yield from element_leaves(element, (*at, index))
        else:
            yield path, _text(value), origin

    def element_leaves(element: Mapping[str, object], at: tuple[str | int, ...]) -> Iterator[tuple[Path, str, Origin]]:
        name = f"{element['tag']}:{element['ref']}"
        yield (name,), f"<{element['tag']}>", merged.origin.get(at) or Origin(merged.layer, merged.mark(at))
        attributes = element.get("attributes")
        for key, value in attributes.items() if isinstance(attributes, dict) else ():
            where = (*at, "attributes", key)
            yield (name, key), _text(value), merged.origin.get(where) or Origin(merged.layer, merged.mark(where))
        children = element.get("children")
        for index, child in enumerate(children if isinstance(children, list) else ()):
            yield from element_leaves(child, (*at, "children", index))

    yield from walk(merged.body, (), ())


def _elements(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and "tag" in value[0]


def _replaced(effects: Sequence[Effect]) -> Iterator[Value]:
    """What stood at a path before, the newest first."""
    for one in reversed(effects):
        if one.old is not None and one.act in ("set", "remove"):
            yield Value(_node_text(one.old), one.old.origin.layer, _place(one.old.origin))
        elif one.act == "remove" or (one.act in ("set", "add") and one is not effects[0]):
            yield Value("nothing", "", "")


def _edits(effects: Sequence[Effect]) -> Iterator[Value]:
    """What layers added to a list and took from it, the newest first."""
    for one in reversed(effects):
        word = "added" if one.act == "include" else "removed"
        yield Value(f"{word} {one.path[-1]}", one.layer, _place(Origin(one.layer, one.mark)))


def _moves(effects: Sequence[Effect]) -> Iterator[Value]:
    for one in reversed(effects):
        if one.gap is not None:
            yield Value(f"{one.gap.word} {one.gap.aim}".strip(), one.layer, _place(Origin(one.layer, one.mark)))


def _node_text(node: Node) -> str:
    return _text(plain(node))


def _text(value: object) -> str:
    return value if isinstance(value, str) and value == value.strip() and value and "\n" not in value else dump(value)


def _place(origin: Origin) -> str:
    return str(origin.mark) if origin.mark.file else ""
