"""Every kind takes every change: whatever its sample says can be said again, set, moved and removed by a higher layer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.definition.files import Reading
from core.definition.kinds import BUILT_IN
from core.definition.layers import read_layers
from core.definition.merge import Merge, merge
from core.definition.samples import FOLDER
from core.definition.shapes import ANY, Shape, shape_of
from core.definition.values import Body, Definition, Layer, Mark, Merged
from core.plugins import Plugins
from tests.fixtures import ADDONS

KINDS = {kind.name: kind for kind in BUILT_IN}
CHANGED = [name for name in KINDS if name not in ("system", "addon", "form", "translation")]


@cache
def layers(kind: str) -> tuple[Layer, ...]:
    folder = FOLDER / kind
    site = folder / "metadata"
    return read_layers([folder, ADDONS / "base"], site if site.is_dir() else None, folder, Reading(Plugins().kinds))


@cache
def whole(kind: str) -> Merge:
    return merge(layers(kind), Plugins().kinds, frozenset())


def samples(kind: str) -> list[Merged]:
    return [one for (of, _), one in whole(kind).merged.items() if of == kind]


def changed(one: Merged, body: Body) -> tuple[Merged, list[str]]:
    """A definition as a layer above all changes it, and the problems."""
    below = layers(one.kind)
    mark = Mark("top.yaml", 1, 1)
    change = Definition(one.kind, one.name, "top", True, body, "", {(): mark})
    top = Layer("top", "", Path(), (change,), needs=frozenset(layer.name for layer in below))
    found = merge((*below, top), Plugins().kinds, frozenset())
    return found.merged[one.kind, one.name], [str(problem) for problem in found.problems]


def collections(body: object, shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all mappings of members by name."""
    if isinstance(body, dict) and shape != ANY:
        if shape.collection and path:
            yield path
        for key, value in body.items():
            yield from collections(value, shape.member(key), (*path, key))


def inside(path: tuple[str, ...], value: object) -> Body:
    """A body that says a value at a path, and nothing else."""
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def without_was(value: Any) -> Any:
    """A body without former names: only who owns a thing renames it."""
    return {key: without_was(one) for key, one in value.items() if key != "was"} if isinstance(value, dict) else value


def long(body: Any) -> Any:
    """A body in which a column that is one expression is written `{is: expression}`, as a change makes of it."""
    if not isinstance(body, dict):
        return body
    return {key: {name: one if isinstance(one, dict) else {"is": one} for name, one in value.items()}
            if key == "columns" and isinstance(value, dict) else long(value) for key, value in body.items()}


def at(body: object, path: tuple[str, ...]) -> dict[str, object]:
    for key in path:
        assert isinstance(body, dict)
        body = body[key]
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("kind", CHANGED)
def test_saying_everything_again_changes_nothing_but_who_says_it(kind: str) -> None:
    for one in samples(kind):
        found, problems = changed(one, without_was(one.body))
        assert problems == []
        assert long(found.body) == long(one.body)
        scalars = [path for path in found.origin if not isinstance(_value(found.body, path), (dict, list))
                   and path[-1:] != ("was",) and not any(isinstance(part, int) for part in path)]
        assert {found.origin[path].layer for path in scalars} <= {"top"}


def _value(body: object, path: tuple[str | int, ...]) -> object:
    for part in path:
        body = body[part]                       # type: ignore[index]
    return body


@pytest.mark.parametrize("kind", CHANGED)
def test_each_property_is_unset_alone(kind: str) -> None:
    for one in samples(kind):
        for key in without_was(one.body):
            found, problems = changed(one, {key: None})
            assert problems == []
            assert long(found.body) == long({name: value for name, value in one.body.items() if name != key})


@pytest.mark.parametrize("kind", CHANGED)
def test_each_member_is_removed_and_moved_alone(kind: str) -> None:
    for one in samples(kind):
        for path in collections(one.body, shape_of(KINDS[kind].schema)):
            names = list(at(one.body, path))
            for name in names:
                found, problems = changed(one, inside((*path, name), None))
                assert problems == []
                assert list(at(found.body, path)) == [other for other in names if other != name]
            if len(names) > 1 and isinstance(at(one.body, path)[names[0]], dict):
                found, problems = changed(one, inside((*path, names[-1]), {"first": True}))
                assert (problems, list(at(found.body, path))) == ([], [names[-1], *names[:-1]])
                found, problems = changed(one, inside((*path, names[0]), {"after": names[-1]}))
                assert (problems, list(at(found.body, path))) == ([], [*names[1:], names[0]])


def test_every_kind_has_collections_to_change() -> None:
    """The test above does not pass by looking at nothing."""
    found = {kind: sum(1 for one in samples(kind) for _ in collections(one.body, shape_of(KINDS[kind].schema)))
             for kind in CHANGED}
    assert {kind for kind, number in found.items() if number} >= {
        "choices", "table", "mixin", "role", "list", "menu", "query", "workflow", "agent", "report", "chart",
        "dashboard", "function", "scenario", "data"}


def test_a_list_is_edited_in_every_kind_that_has_one() -> None:
    edited = set()
    for kind in CHANGED:
        for one in samples(kind):
            shape = shape_of(KINDS[kind].schema)
            for key, value in one.body.items():
                if isinstance(value, list) and shape.member(key).list and value and isinstance(value[0], str):
                    found, problems = changed(one, {key: {"remove": [value[0]], "add": ["zulu"]}})
                    assert problems == []
                    assert found.body[key] == [*value[1:], "zulu"]
                    edited.add(kind)
    assert edited >= {"table", "list"}
