"""What live has and the definitions on disk lack although they use it: told once, with all users, at a promotion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.definition import Loaded, Model, references
from core.definition.references import Reference, mark
from core.definition.renames import Renames
from core.definition.users import DIRECT, Target
from core.definition.values import Mark, Merged, value_at
from core.errors import Problem
from core.plugins import Plugins

Definitions = Mapping[tuple[str, str], Merged]


@dataclass(frozen=True)
class Gone:
    """A definition or member that live has and the set lacks: what it is, whose it was, and where that is seen."""

    target: Target
    words: str              # 'field "cell" of table "company"'
    layer: str
    mark: Mark


def explained(loaded: Loaded, live: Model, plugins: Plugins) -> tuple[Problem, ...]:
    """The problems of a set, where those that follow from what a new release removed are told in one place."""
    now = loaded.merge.merged
    graph = references(live, plugins)
    result, lines = set(), set()
    for gone in _gone(live, now):
        users = [(one, now[one.kind, one.name]) for one in graph if _names(one, gone.target) and _still(one, live, now)]
        places = sorted({(*mark(merged, one)[:3], one.kind, one.name) for one, merged in users})
        told = {(file, line) for file, line, *_ in places} & {(one.file, one.line) for one in loaded.problems}
        if not told:
            continue
        lines |= told
        listed = ", ".join(f"{kind} {name} ({file}:{line}:{column})" for file, line, column, kind, name in places)
        result.add(gone.mark.problem(f'{gone.words} is there in live, and "{gone.layer}" has it no more, but it is in '
                                     f"use: {listed}"))
    return tuple(sorted({one for one in loaded.problems if (one.file, one.line) not in lines} | result))


def _gone(live: Model, now: Definitions) -> Iterator[Gone]:
    renames = Renames((one.kind, one.name, one.body) for one in now.values())
    for (kind, name), old in live.definitions.items():
        new = now.get((kind, name))
        if new is None:
            addon = now.get(("addon", old.layer))
            if renames.definition(kind, name) is None and kind not in ("addon", "translation") and addon is not None:
                yield Gone((kind, name), f'{kind} "{name}"', old.layer, addon.mark())
            continue
        for collection, members in old.body.items():
            there = new.body.get(collection)
            for member in members if isinstance(members, dict) else ():
                if member in (there if isinstance(there, dict) else ()) or renames.member(kind, name, member):
                    continue
                part = member if DIRECT.get(kind) == collection else f"{collection}.{member}"
                yield Gone((kind, f"{name}.{part}"), f'"{member}" of {kind} "{name}"', new.layer, new.mark())


def _names(one: Reference, target: Target) -> bool:
    kind, name = target
    return one.to_kind == kind and (one.to_name == name or one.to_name.startswith(name + "."))


def _still(one: Reference, live: Model, now: Definitions) -> bool:
    """True if the place that named it says the same in the set."""
    new, old = now.get((one.kind, one.name)), live.definitions.get((one.kind, one.name))
    if new is None or old is None:
        return False
    value = value_at(new.body, one.path)
    return value is not None and value == value_at(old.body, one.path)
