"""What changed between two states, as an ordered list of values; a pure function, no database.

Tables and fields are matched by identity, everything else by kind and name, so a rename is one change and
never a removal with an addition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.bm.versions.naming import CALLED, KINDS, MEMBERS, MERGING
from core.errors import Words, words

if TYPE_CHECKING:
    from core.bm.versions.state import State

ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Property:
    """One property that changed, with its value before and after; `path` is dotted, inside the thing changed."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Added:
    """Something that was not there."""

    kind: str
    name: str
    body: Mapping[str, Any] = field(default_factory=dict, hash=False)

    sign = "+"

    def describe(self) -> Words:
        return called(self.kind, self.name)


@dataclass(frozen=True, slots=True)
class Returned(Added):
    """A table or field that was removed earlier and takes its parked values back."""

    def describe(self) -> Words:
        return words("{what} returns with the values it had", what=called(self.kind, self.name))


@dataclass(frozen=True, slots=True)
class Removed:
    """Something that is there no longer; stored values are parked, not dropped."""

    kind: str
    name: str

    sign = "-"

    def describe(self) -> Words:
        return called(self.kind, self.name)


@dataclass(frozen=True, slots=True)
class Renamed:
    """Something that has a new name and keeps its identity, its values and its place in history."""

    kind: str
    was: str
    name: str

    sign = "~"

    def describe(self) -> Words:
        return words("{what} is renamed {name}", what=called(self.kind, self.was), name=self.name)


@dataclass(frozen=True, slots=True)
class Changed:
    """Something whose properties differ."""

    kind: str
    name: str
    properties: tuple[Property, ...]

    sign = "~"

    def describe(self) -> Words:
        return called(self.kind, self.name)


def called(kind: str, name: str) -> Words:
    """What people call a thing: its kind and its name."""
    return words("{kind} {name}", kind=words(CALLED.get(kind, kind)), name=name)


Change = Added | Removed | Renamed | Changed


def diff(base: State, target: State) -> tuple[Change, ...]:
    """List what leads from one state to the other; empty when both are the same."""
    if base.hash == target.hash:
        return ()
    pairs = _pairs(base, target)
    changes: list[Change] = []
    for kind, old, new in sorted(pairs, key=_order):
        changes += _definition(kind, old, new, base, target)
    return tuple(changes)


def _order(pair: tuple[str, str | None, str | None]) -> tuple[int, str, str]:
    kind, old, new = pair
    return (KINDS.index(kind) if kind in KINDS else len(KINDS), kind, new or old or "")


def _pairs(base: State, target: State) -> list[tuple[str, str | None, str | None]]:
    """Match the definitions of both sides; a name without a partner stands alone."""
    pairs: list[tuple[str, str | None, str | None]] = []
    matched: set[tuple[str, str]] = set()
    for kind, name in target.definitions:
        old = former_name(kind, name, base, target)
        if old is not None:
            matched.add((kind, old))
        pairs.append((kind, old, name))
    pairs += [(kind, name, None) for kind, name in base.definitions if (kind, name) not in matched]
    return pairs


def former_name(kind: str, name: str, base: State, target: State) -> str | None:
    """The name that a definition of the target has in the base, or None when it is new there."""
    if kind == "table" and name in target.identities:
        return base.names.get(target.identities[name])
    if (kind, name) in base.definitions:
        return name
    for old in former_names(target.definitions.get((kind, name))):        # built-in choices have no definition
        if (kind, old) in base.definitions and (kind, old) not in target.definitions:
            return old
    return None


def former_names(body: Any) -> tuple[str, ...]:
    """What `was:` of a definition or member says."""
    was = body.get("was") if isinstance(body, Mapping) else None
    if was is None:
        return ()
    return (was,) if isinstance(was, str) else tuple(was)


def _definition(kind: str, old: str | None, new: str | None, base: State, target: State) -> list[Change]:
    if new is None:
        return [Removed(kind, old or "")]
    body = target.definitions[kind, new]
    if old is None:
        returns = kind == "table" and target.identities.get(new) in target.returning
        return [(Returned if returns else Added)(kind, new, body)]
    changes: list[Change] = [] if old == new else [Renamed(kind, old, new)]
    before = base.definitions[kind, old]
    collections = MEMBERS.get(kind, {})
    own = tuple(_compare(before, body, skip=(*collections, "was", kind)))
    if own:
        changes.append(Changed(kind, new, own))
    for collection, word in collections.items():
        changes += _members(word, collection, (old, new), before, body, base, target)
    return changes


def _members(word: str, collection: str, owner: tuple[str, str], before: Mapping[str, Any], after: Mapping[str, Any],
             base: State, target: State) -> list[Change]:
    olds: Mapping[str, Any] = before.get(collection) or {}
    news: Mapping[str, Any] = after.get(collection) or {}
    changes: list[Change] = []
    matched = set()
    for name, body in news.items():
        path = f"{owner[1]}.{name}"
        old = _former_member(word, name, owner, olds, news, base, target)
        if old is None:
            returns = word == "field" and target.identities.get(path) in target.returning
            changes.append((Returned if returns else Added)(word, path, body if isinstance(body, Mapping) else {}))
            continue
        matched.add(old)
        if old != name:
            changes.append(Renamed(word, f"{owner[1]}.{old}", path))
        properties = tuple(_compare(olds[old], body, skip=("was",)))
        if properties:
            changes.append(Changed(word, path, properties))
    gone = [name for name in olds if name not in matched]
    merged = {old: name for name, body in news.items() if word in MERGING for old in former_names(body) if old in gone}
    changes += [Renamed(word, f"{owner[1]}.{old}", f"{owner[1]}.{name}") for old, name in merged.items()]
    changes += [Removed(word, f"{owner[1]}.{name}") for name in gone if name not in merged]
    moved = _order_changed(olds, news)
    if moved:
        changes.append(Changed(word + "s", owner[1], (moved,)))
    return changes


def _former_member(word: str, name: str, owner: tuple[str, str], olds: Mapping[str, Any], news: Mapping[str, Any],
                   base: State, target: State) -> str | None:
    identity = target.identities.get(f"{owner[1]}.{name}") if word == "field" else None
    if identity is not None:
        former = base.names.get(identity)
        if former is None:
            return None
        member = former.rpartition(".")[2]
        return member if member in olds else None
    if name in olds:
        return name
    for old in former_names(news[name]):
        if old in olds and old not in news:
            return old
    return None


def _compare(before: Any, after: Any, path: str = "", skip: Iterable[str] = ()) -> Iterable[Property]:
    """List the leaves that differ; nodes of a form are matched by their `ref`."""
    if before == after and not isinstance(before, Mapping):
        return
    olds, news = _keyed(before, beside=after), _keyed(after, beside=before)
    if olds is None or news is None:
        if before != after:
            yield Property(path, before, after)
        return
    skipped = set(skip)
    for key in [*olds, *(key for key in news if key not in olds)]:
        if key in skipped:
            continue
        place = f"{path}.{key}" if path else key
        if key not in news:
            yield Property(place, olds[key], ABSENT)
        elif key not in olds:
            yield Property(place, ABSENT, news[key])
        else:
            yield from _compare(olds[key], news[key], place)
    moved = _order_changed(olds, news, path)
    if moved and path:                 # the order of a definition's own keys means nothing
        yield moved


def _keyed(value: Any, beside: Any) -> Mapping[str, Any] | None:
    """A value as a mapping when its parts have names, else None; an empty list is what stands beside it."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list | tuple):
        nodes = value or (beside if isinstance(beside, list | tuple) else ())
        if nodes and all(isinstance(node, Mapping) and "ref" in node for node in nodes):
            return {str(node["ref"]): node for node in value}
    return None


def _order_changed(olds: Mapping[str, Any], news: Mapping[str, Any], path: str = "") -> Property | None:
    before = [key for key in olds if key in news]
    after = [key for key in news if key in olds]
    return None if before == after else Property(f"{path} (order)".strip(), before, after)
