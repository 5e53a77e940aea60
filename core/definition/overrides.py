"""Overrides: what the site's layer changes of shipped definitions, and what was shipped when it was written.

`customisation.lock` keeps for each override the shipped value that it was written against. Where a new release ships
another value, the override is stale: base, theirs and ours differ, and somebody has to say which shall be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from core.definition import yaml
from core.definition.canonical import dump
from core.definition.effects import Effect, Key
from core.definition.kinds.layout import element_name
from core.definition.layers import shown
from core.definition.merge import Merge
from core.definition.renames import Renames
from core.definition.tree import Node, at, plain
from core.definition.values import BodyPath, Definition, Layer, Mark, value_at
from core.definition.yaml_text import emit
from core.errors import Problem

LOCK = "customisation.lock"
HEAD = """\
# What the site's changes were written against: the shipped value (none: nothing stood there) and the release.
# Written by `server.py promote` and `server.py review`; keep it in the site's repository.
"""
LONGEST = 80


@dataclass(frozen=True)
class Entry:
    """What the lock keeps of an override: the shipped value (None for nothing) and the release, as in `lead 1.0.0`."""

    base: object
    source: str


Lock = Mapping[str, Entry]


@dataclass(frozen=True, eq=False)
class Override:
    """One thing that the site changes; `shipped` is what it changes, None for nothing."""

    key: str                    # "table lead.fields.amount.required"
    mark: Mark
    where: BodyPath             # in the site's file
    act: str
    shipped: object
    ours: object
    source: str
    missed: bool = False        # what it aims at is not there


@dataclass(frozen=True, eq=False)
class Stale:
    """An override whose base changed; a `lost` one aims at what is gone, so that it cannot be kept."""

    override: Override
    base: object
    lost: bool = False
    locked: str = ""            # the key that the lock has for it
    around: tuple[str, int] | None = None       # the file and line of what it stands in, where that is gone

    @property
    def problem(self) -> Problem:
        """What `check` says of it."""
        one = self.override
        was = f"it was {short(self.base)}, is {short(one.shipped)}" if not self.lost else \
            f"it was {short(self.base)} and is gone"
        ours = "removes it" if one.act in ("remove", "exclude") else f"is {short(one.ours)}"
        return one.mark.problem(f"{one.source} changed what this overrides: {was}, and ours {ours}; "
                                "run server.py review")


@dataclass(frozen=True, eq=False)
class Overrides:
    """All overrides of the site's layer, and those to review."""

    all: tuple[Override, ...] = ()
    stale: tuple[Stale, ...] = ()
    lock: Lock = field(default_factory=dict)

    def next_lock(self, kept: Iterable[str] = ()) -> bytes:
        """The lock as it shall be: everything at the base of now, but what nobody has reviewed yet."""
        answered = set(kept)
        waiting = {one.locked: self.lock[one.locked] for one in self.stale if one.locked not in answered}
        stuck = {one.override.key for one in self.stale if one.locked in waiting}
        entries = {one.key: self._entry(one) for one in self.all if not one.missed and one.key not in stuck}
        return write_lock(entries | waiting)

    def _entry(self, one: Override) -> Entry:
        known = self.lock.get(one.key)
        return known if known is not None and same(known.base, one.shipped) else Entry(one.shipped, one.source)


def find(merge: Merge, lock: Lock) -> Overrides:
    """The overrides of the highest layer, which is the site's."""
    layers: Sequence[Layer] = merge.layers
    site = layers[-1]
    versions = {layer.name: f"{layer.name} {layer.version}".strip() for layer in layers}
    found = tuple({one.key: one for key, effects in merge.effects.items() for effect in effects
                   if effect.layer == site.name and not (effect.act == "add" and effect.old)
                   for one in [_override(key, effect, merge, versions)]}.values())
    renames = Renames((one.kind, one.name, one.body) for layer in layers for one in layer.definitions)
    files = {one.mark().file: one for one in site.definitions}
    return Overrides(found, tuple(_stale(found, lock, renames, merge, files, versions)), lock)


def _override(key: Key, effect: Effect, merge: Merge, versions: Mapping[str, str]) -> Override:
    owner = merge.merged[key].layer if key in merge.merged else ""
    old = effect.old
    if effect.act == "add" and key in merge.below:
        old = _element(merge.below[key], effect.path[-1])
    shipped: object = _value(old) if old is not None else None
    if effect.act == "place":
        shipped = effect.held or (True if _moves(key, effect, merge) else None)
    source = versions.get(old.origin.layer if old is not None else owner, owner)
    return Override(f"{key[0]} {key[1]}.{effect.key}", effect.mark, effect.where, effect.act, shipped, effect.said,
                    source, effect.missed)


def _moves(key: Key, effect: Effect, merge: Merge) -> bool:
    """True if it moves what was shipped, and not what the site adds."""
    return key in merge.below and at(merge.below[key], effect.path) is not None


def _value(node: Node) -> object:
    """A value to compare: of elements, the children by what they are known by, since their order does not count."""
    if "tag" not in node.map or "ref" not in node.map:
        return plain(node)
    attributes = plain(node.map["attributes"]) if "attributes" in node.map else {}
    inner = {str(element_name(child)): _value(child) for child in node.map["children"].items} \
        if "children" in node.map else {}
    return {"tag": node.map["tag"].value} | cast(dict[str, object], attributes) | ({"children": inner} if inner else {})


def _element(node: Node, name: str) -> Node | None:
    """The element of a layout that is known by a name."""
    for child in [*node.map.get("layout", node).items, *(node.map["children"].items if "children" in node.map else [])]:
        if "tag" in child.map and element_name(child) == name:
            return child
        found = _element(child, name)
        if found is not None:
            return found
    return None


def _stale(found: Sequence[Override], lock: Lock, renames: Renames, merge: Merge, files: Mapping[str, Definition],
           versions: Mapping[str, str]) -> Iterable[Stale]:
    by_key = {one.key: one for one in found}
    for locked, entry in sorted(lock.items()):
        key = locked if locked in by_key else _now(locked, renames)
        one = by_key.get(key)
        if one is not None:
            if one.missed and entry.source in versions.values():
                continue                # no new release took it away: the site's own slip, told as what it is
            if one.missed or not (same(entry.base, one.shipped) or _agreed(one)):
                lost = (one.missed and one.act != "include") or (one.act == "place" and one.shipped is None)
                yield Stale(one, entry.base, lost, locked)
        elif entry.base is None:
            yield from _shipped_now(key, locked, found, merge, files, versions)
        else:
            yield from _gone(key, locked, entry, found, files, versions)


def _agreed(one: Override) -> bool:
    """True if the release ships what the site says, or a thing that the site had added and puts somewhere."""
    return not one.missed and (same(one.shipped, one.ours) or (one.act == "place" and one.shipped is True))


def _now(locked: str, renames: Renames) -> str:
    """A key of the lock with the names of now."""
    kind, _, rest = locked.partition(" ")
    name, dot, path = rest.partition(".")
    now = renames.definition(kind, name) or name
    path = re.sub(r"\w+", lambda word: renames.inside(kind, now, word[0]) or word[0], path)
    return f"{kind} {now}{dot}{path}"


def _shipped_now(key: str, locked: str, found: Sequence[Override], merge: Merge, files: Mapping[str, Definition],
                 versions: Mapping[str, str]) -> Iterable[Stale]:
    """An addition of the site that a release ships now, too: what it says there changes what is shipped."""
    inner = next((one for one in found if one.key.startswith(key + ".")), None)
    if inner is None:
        return
    kind, _, rest = key.partition(" ")
    name = rest.partition(".")[0]
    depth = key.count(".")
    where = inner.where[:depth]
    node = at(merge.below[kind, name], [str(part) for part in where]) if (kind, name) in merge.below else None
    if node is not None:
        source = versions.get(node.origin.layer, node.origin.layer)
        definition = files[inner.mark.file]
        yield Stale(replace(inner, key=key, where=where, mark=definition.mark(where), act="add", shipped=plain(node),
                            ours=value_at(definition.body, where), source=source), None, locked=locked)


def _gone(key: str, locked: str, entry: Entry, found: Sequence[Override], files: Mapping[str, Definition],
          versions: Mapping[str, str]) -> Iterable[Stale]:
    """An override of something in a member that is not shipped any more, so that it looks like one that is added."""
    around = next((one for one in found if one.act == "add" and key.startswith((one.key + ".", one.key + " "))), None)
    if around is None:
        return
    definition = files[around.mark.file]
    where = (*around.where, *key[len(around.key) + 1:].split("."))
    ours = value_at(definition.body, where)
    if ours is not None:
        owner = entry.source.partition(" ")[0]
        yield Stale(replace(around, key=key, where=where, mark=definition.mark(where), act="set", shipped=None,
                            ours=ours, source=versions.get(owner, owner)), entry.base, True, locked,
                    around.mark[:2])


def same(one: object, other: object) -> bool:
    """True if two values differ in nothing but white space, and the order of what is in mappings."""
    return _folded(one) == _folded(other)


def _folded(value: object) -> object:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, dict):
        return {key: _folded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_folded(one) for one in value]
    return (value, type(value) is bool)


def read(merge: Merge, site: Path | None, root: Path, problems: list[Problem]) -> Overrides:
    """The overrides of the site in a folder, against its lock; what is wrong with that goes to the problems."""
    if site is None or not merge.layers or merge.layers[-1].path != site:
        return Overrides()
    path = site / LOCK
    lock, wrong = read_lock(path.read_bytes(), shown(path, root)) if path.is_file() else ({}, [])
    problems += wrong
    return find(merge, lock)


def without_what_follows(problems: Iterable[Problem], stale: Sequence[Stale]) -> set[Problem]:
    """Problems without those that only follow from what has to be reviewed, and with those that say so."""
    told = {one.problem for one in stale}
    lines = {(one.file, one.line) for one in told} | {one.around for one in stale if one.around is not None}
    return {one for one in problems if (one.file, one.line) not in lines} | told


def read_lock(data: bytes, file: str) -> tuple[dict[str, Entry], list[Problem]]:
    """The lock that a file holds, and what is wrong with it."""
    body, places, problems = yaml.read(data, file)
    entries: dict[str, Entry] = {}
    for key, value in (body if isinstance(body, dict) else {}).items():
        if isinstance(value, dict) and set(value) <= {"base", "from"} and isinstance(value.get("from"), str):
            entries[key] = Entry(value.get("base"), value["from"])
        else:
            problems.append(places[(key,)].problem("an entry says what was shipped and by whom: "
                                                   "{base: VALUE, from: ADDON VERSION}"))
    if body is not None and not isinstance(body, dict):
        problems.append(Problem(file, 1, 1, "a lock is a mapping of overrides; remove the file and run "
                                            "server.py review to write it anew"))
    return entries, problems


def write_lock(entries: Lock) -> bytes:
    """A lock as a file: a line for each override, sorted, so that the locks of two people merge by lines."""
    lines = (f"{emit(key)}: {emit(({} if one.base is None else {'base': one.base}) | {'from': one.source})}\n"
             for key, one in sorted(entries.items()))
    return (HEAD + "".join(lines)).encode()


def short(value: object) -> str:
    """A value for people, cut where it is long."""
    text = "nothing" if value is None else dump(value)
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + "..."
