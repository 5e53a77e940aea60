"""Addons that are at hand and not installed: who needs what they give is told once for each, with all places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from core.definition.files import Reading
from core.definition.kinds.base import Kind
from core.definition.layers import find_addons, read_definitions
from core.definition.overrides import Lock
from core.definition.values import Definition, Layer, Mark
from core.errors import Problem

Thing = tuple[str, ...]         # kind, name, and what is in it

# What problems say of a thing that is not there, and which thing that is.
_SAID: Sequence[tuple[re.Pattern[str], tuple[str, ...]]] = (
    (re.compile(r'there (?:is|are) no (?P<kind>\w+) "(?P<name>[^"]+)"'), ("kind", "name")),
    (re.compile(r'"(?P<part>[^"]+)" is not on table "(?P<name>[^"]+)"'), ("table", "name", "part")),
    (re.compile(r'(?P<kind>\w+) "(?P<name>[^"]+)" has no (?:other |node )?"(?P<part>[^"]+)"'),
     ("kind", "name", "part")),
    (re.compile(r'^field "(?P<part>[^"]+)" has no type'), ("table", "", "part")))


def explained(problems: Iterable[Problem], layers: Sequence[Layer], folders: Sequence[Path], root: Path,
              kinds: Mapping[str, Kind], lock: Lock) -> list[Problem]:
    """The problems of a set, with who gives what is missing, and a summary for each addon that is not installed."""
    given = _given(layers, folders, root, kinds, lock)
    told: list[Problem] = []
    needed: dict[str, list[Problem]] = {}
    for problem in problems:
        addon = next((given[thing] for thing in _missing(problem.message) if thing in given), None)
        if addon is None:
            told.append(problem)
        else:
            needed.setdefault(addon, []).append(problem)
            told.append(Problem(problem.file, problem.line, problem.column,
                                f'{problem.message}; addon "{addon}" gives it, which is not installed'))
    where = _place(layers)
    for addon, some in needed.items():
        places = ", ".join(f"{one.file}:{one.line}" for one in sorted(some))
        count = f"{len(some)} things need" if len(some) > 1 else "1 thing needs"
        told.append(where.problem(f'addon "{addon}" is not installed, but {count} it: {places}'))
    return told


def _given(layers: Sequence[Layer], folders: Sequence[Path], root: Path, kinds: Mapping[str, Kind],
           lock: Lock) -> dict[Thing, str]:
    """What the addons that are not installed would give, and which of them gives it."""
    reading = Reading(kinds)
    installed = frozenset(layer.name for layer in layers)
    given: dict[Thing, str] = {}
    for key, entry in lock.items():                 # addons that are not even at hand: what the site changed of them
        owner = entry.source.partition(" ")[0]
        if owner not in installed:
            kind, _, rest = key.partition(" ")
            given[kind, rest.partition(".")[0]] = owner
    for name, addon in find_addons(folders, root, reading).items():
        if name not in installed:
            for definition in read_definitions(addon.folder, name, root, installed | {name}, reading):
                given.update(dict.fromkeys(_things(definition), name))
    return given


def _things(definition: Definition) -> Iterator[Thing]:
    """A definition, and what a change adds to one."""
    kind, name = definition.kind, definition.name
    if not definition.change:
        yield kind, name
    for value in definition.body.values():
        if isinstance(value, dict):
            for part in value:
                yield kind, name, str(part)
                yield kind, "", str(part)
        elif isinstance(value, list):
            yield from ((kind, name, ref) for ref in _refs(value))


def _refs(elements: Iterable[object]) -> Iterator[str]:
    for element in elements:
        if isinstance(element, dict) and "ref" in element:
            yield str(element["ref"])
            yield from _refs(element.get("children") or ())


def _missing(message: str) -> Iterator[Thing]:
    """The things that a message says are not there."""
    for pattern, parts in _SAID:
        for found in pattern.finditer(message):
            words = found.groupdict()
            yield tuple(words.get(part, part) for part in parts)


def _place(layers: Sequence[Layer]) -> Mark:
    """Where it is said which addons are installed."""
    system = next((one for layer in reversed(layers) for one in layer.definitions if one.kind == "system"), None)
    return system.mark(("addons",)) if system is not None else Mark("system.yaml", 1, 1)
