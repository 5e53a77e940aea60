"""Merge layers: a higher layer adds definitions and changes lower ones, property by property."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from core.definition.canonical import digest
from core.definition.catalogue import without_outdated
from core.definition.conflicts import conflicts
from core.definition.effects import Act, Effect, Gap, Key, Path
from core.definition.kinds.base import Kind
from core.definition.names import suggestion
from core.definition.references import Place
from core.definition.renames import Alias, Renames, alias_in
from core.definition.shapes import Shape
from core.definition.tree import Node, harvest, plain, plant
from core.definition.values import BodyPath, Definition, Layer, Mark, Merged, Origin, Origins
from core.errors import Problem

MOVES = ("after", "before", "first", "last")


@dataclass
class Merge:
    """What merging gives: the merged definitions, those too broken to judge, and the problems."""

    merged: dict[tuple[str, str], Merged] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    removed: dict[tuple[str, str, str], Mark] = field(default_factory=dict)  # (kind, name, member) -> where
    aliases: list[Alias] = field(default_factory=list)  # changes that aim by a former name
    effects: dict[Key, list[Effect]] = field(default_factory=dict)  # what changes do, in the order of the layers
    below: dict[Key, Node] = field(default_factory=dict)  # what the highest layer changes, as it was before
    layers: Sequence[Layer] = ()


@dataclass(frozen=True)
class Change:
    """One layer's change of one definition, and where its problems go."""

    layer: str
    what: str  # 'table "opportunity"', for messages
    tell: Callable[[Mark, str], None]
    removed: dict[str, Mark]  # the members it takes away
    now: Callable[[str], str | None] = lambda name: None  # what a former name means here
    aliases: list[Alias] = field(default_factory=list)
    keep: bool = False  # members are taken away in name only: to see who uses them
    needs: frozenset[str] = frozenset()  # the layers that this one builds on
    effects: list[Effect] = field(default_factory=list)  # what was done to the definition so far, and is done now
    removals: dict[Path, Effect] = field(default_factory=dict)  # those of them that removed something

    def log(self, act: Act, path: Path, where: BodyPath, mark: Mark, **more: Any) -> None:
        """Remember what the change does."""
        effect = Effect(self.layer, act, path, where, mark, **more)
        self.effects.append(effect)
        if act == "remove" and not effect.missed:
            self.removals[path] = effect

    def knows(self, layer: str) -> bool:
        """True if this layer builds on another, or is it."""
        return layer == self.layer or layer in self.needs

    def removal(self, path: Path) -> Effect | None:
        """What removed a member before."""
        return self.removals.get(path)

    def silent(self) -> Change:
        """The same change, where nobody asks what it does: inside of what it adds."""
        return replace(self, effects=[], removals={})

    def aim(self, node: Node, name: str, known: Container[str], key: bool = False) -> str:
        """What a change aims at: the name as written, or what is called so now, which is remembered."""
        now = None if name in known else self.now(name)
        if now is None or now not in known:
            return name
        self.aliases.append(alias_in(node, Place((), 0 if key else str(node.value).find(name), key), name, now))
        return now

    def tell_owner(self, was: Node, name: str, owner: str) -> None:
        """The problem of renaming what belongs to another layer."""
        self.tell(was.mark, f'"{self.layer}" cannot rename "{name}": it belongs to "{owner}" '
                            "(a layer renames only what it owns; set its title instead)")


def merge(layers: Sequence[Layer], kinds: Mapping[str, Kind], unread: frozenset[tuple[str, str]],
          keep: bool = False) -> Merge:
    """Merge layers in their order; `unread` names definitions whose files could not be read.

    With `keep`, members that layers take away stay, so that one can see who uses them.
    """
    result = Merge(layers=layers)
    merging = _Merging(result, kinds, unread, keep)
    for layer in layers:
        for definition in layer.definitions:
            merging.take(layer, definition)
    result.problems += conflicts(result.effects, layers, {name for name, kind in kinds.items() if kind.shared})
    merged = {key: merging.merged(key) for key in merging.trees}
    result.merged = without_outdated(merged, tuple(layer.name for layer in layers), result.effects)
    return result


class _Merging:
    """Merging under way: the definitions as they are so far, and who wrote each first."""

    def __init__(self, result: Merge, kinds: Mapping[str, Kind], unread: frozenset[tuple[str, str]],
                 keep: bool) -> None:
        self.result, self.kinds, self.unread, self.keep = result, kinds, unread, keep
        self.renames = Renames((one.kind, one.name, one.body) for layer in result.layers for one in layer.definitions)
        self.trees: dict[Key, Node | Definition] = {}       # a definition until somebody changes it: most never are
        self.owners: dict[Key, Definition] = {}
        self.removals: dict[Key, dict[Path, Effect]] = {}
        self.tell = _teller(result.problems)

    def take(self, layer: Layer, definition: Definition) -> None:
        """Add what a layer defines, or change what is there."""
        key = _aim(definition, self.trees, self.renames, self.result)
        known = key in self.trees
        if known and (definition.change or self.kinds[definition.kind].shared):
            self._change(key, layer, definition)
        elif known:
            self.tell(definition.mark(), _defined_twice(definition, self.owners[key]))
        elif not definition.change:
            self.trees[key] = self.owners[key] = definition
        elif key not in self.unread:
            self.tell(definition.mark(), _nothing_to_change(definition, self.result.layers, self.trees))

    def _change(self, key: Key, layer: Layer, definition: Definition) -> None:
        result, owner, shared = self.result, self.owners[key], self.kinds[definition.kind].shared
        change = Change(definition.layer, f'{definition.kind} "{definition.name}"', self.tell, {},
                        partial(self.renames.inside, *key), result.aliases, self.keep, layer.needs,
                        [] if shared else result.effects.setdefault(key, []), self.removals.setdefault(key, {}))
        tree, below = plant(definition), _grown(self.trees[key])
        if "was" in tree.map and owner.layer != definition.layer:
            change.tell_owner(tree.map["was"], definition.name, owner.layer)
        if not change.knows(owner.layer) and not shared:
            self.tell(definition.mark(), _unknown_owner(definition, owner))
        self.trees[key] = self.kinds[definition.kind].merge(below, tree, change)
        if shared:                      # parts of one definition; only what replaces something is a change
            result.effects.setdefault(key, []).extend(one for one in change.effects if one.old is not None)
        if layer is result.layers[-1]:
            result.below[key] = below
        result.removed |= {(*key, member): mark for member, mark in change.removed.items()}

    def merged(self, key: Key) -> Merged:
        """A definition after all layers."""
        kind, found = self.kinds[key[0]], self.trees[key]
        if isinstance(found, Definition) and not _has_was(found.body):
            return Merged(*key, found.body, found.hash, found.layer, kind.format,
                          Origins(found.layer, found.positions))
        tree = _grown(found)
        _check_renames(tree, self.tell)
        return finish(kind, key[1], tree, self.owners[key].layer)


def _defined_twice(definition: Definition, first: Definition) -> str:
    return (f'{definition.kind} "{definition.name}" is defined twice: also in {first.mark()} (to change it, write '
            f'"change: {definition.kind} {definition.name}")')


def _unknown_owner(definition: Definition, owner: Definition) -> str:
    return (f'{definition.kind} "{definition.name}" belongs to "{owner.layer}" ({owner.mark()}): '
            f'add "{owner.layer}" to the needs of "{definition.layer}"')


def _grown(tree: Node | Definition) -> Node:
    return plant(tree) if isinstance(tree, Definition) else tree


def _has_was(body: Mapping[str, object]) -> bool:
    """True if a body renames something."""
    return "was" in body or any(isinstance(value, dict) and _has_was(value) for value in body.values())


def finish(kind: Kind, name: str, tree: Node, layer: str) -> Merged:
    """The merged definition of a tree."""
    body, origin = harvest(tree)
    return Merged(kind.name, name, body, digest(kind.name, name, body, format=kind.format), layer,
                  kind.format, origin)


def merge_maps(below: Node, change: Node, shape: Shape, what: Change, path: Path = (), where: BodyPath = ()) -> Node:
    """Change a mapping: members merge by key, null removes, `after before first last` move members.

    `path` leads to the mapping in the definition, `where` in the layer's own body.
    """
    members = dict(below.map)
    moves: list[tuple[str, Node, BodyPath]] = []
    for written, value in change.map.items():
        key, place = written, (*where, written)
        if shape.collection and "type" not in value.map:
            key = what.aim(value, key, members, key=True)
        if shape.collection and value.map:
            words = [word for word in MOVES if _is_move(word, value.map.get(word))]
            moves.extend((key, replace_value(word, value.map[word]), (*place, word)) for word in words)
            value = Node({k: v for k, v in value.map.items() if k not in words}, value.origin)
        if value.value is None:
            _remove(members, key, value, what, (*path, key), place)
            continue
        if shape.collection:
            _check_owner(members, key, value, what)
        _merge_member(members, key, value, shape, what, (*path, key), place)
    for key, move, place in moves:
        members = _move(members, key, move, what, path, place)
    return Node(members, below.origin)


def _is_move(word: str, aim: Node | None) -> bool:
    """True for `after: name` and `first: true`; `first: Ann` is a value like any other."""
    return aim is not None and (aim.value is True if word in ("first", "last") else isinstance(aim.value, str))


def replace_value(word: str, node: Node) -> Node:
    """A move as a node: a mapping of the word to its aim."""
    return Node({word: node}, node.origin)


def _merge_member(members: dict[str, Node], key: str, value: Node, around: Shape, what: Change, path: Path,
                  where: BodyPath) -> None:
    """Add a member, or change the one that is there; one that a layer nearby has added too is added twice."""
    below, shape = members.get(key), around.member(key)
    if around.collection and (below is None or not what.knows(below.origin.layer)):
        removed = what.removal(path)
        if below is None and removed is not None and not _is_whole(value, shape):
            what.tell(value.mark, f'{what.what} has no "{key}" any more: '
                      f'"{removed.layer}" removes it ({removed.mark})')
            return
        what.log("add", path, where, value.mark, old=below, new=value)
        what = what.silent()
    members[key] = _merge_nodes(below, value, shape, what, path, where)


def _is_whole(value: Node, shape: Shape) -> bool:
    """True if a member says all that such a member needs: a field its type, a rule its check."""
    needed = [name for name, info in shape.model.model_fields.items() if info.is_required() or name == "type"] \
        if shape.model is not None else []
    return all(name in value.map for name in needed)


def _merge_nodes(below: Node | None, change: Node, shape: Shape, what: Change, path: Path, where: BodyPath) -> Node:
    if shape.list and isinstance(change.value, dict) and set(change.value) <= {"add", "remove"} and change.value:
        return _edit_list(below, change, what, path, where)
    if isinstance(change.value, dict):
        under = below if below is not None and isinstance(below.value, dict) else Node({}, change.origin)
        merged = merge_maps(under, change, shape, what, path, where)
        return merged if below is under else replace(merged, origin=change.origin)
    what.log("set", path, where, change.mark, old=below, new=change)
    return change


def _edit_list(below: Node | None, change: Node, what: Change, path: Path, where: BodyPath) -> Node:
    items = list(below.items) if below is not None else []
    if below is not None and isinstance(below.value, str):
        items = [below]                 # a property that takes a name or a list of names
    for index, item in enumerate(change.map.get("remove", Node([], change.origin)).items):
        gone = what.aim(item, str(item.value), [str(old.value) for old in items])
        left = [old for old in items if old.value not in (item.value, gone)]
        found = next((old for old in items if old not in left), None)
        at, place = (*path, gone), (*where, "remove", index)
        if found is None and _agrees(what, "exclude", at, item):
            continue
        what.log("exclude", at, place, item.mark, old=found, missed=found is None)
        if found is None:
            what.tell(item.mark, f'{what.what} has no "{item.value}" here to remove'
                      + suggestion(str(item.value), (str(old.value) for old in items)))
        items = left
    for index, item in enumerate(change.map.get("add", Node([], change.origin)).items):
        found = next((old for old in items if old.value == item.value), None)
        if found is not None and _agrees(what, "include", (*path, str(item.value)), item):
            continue
        what.log("include", (*path, str(item.value)), (*where, "add", index), item.mark, old=found, new=item,
                 missed=found is not None)
        if found is not None:
            what.tell(item.mark, f'{what.what} has "{item.value}" here already')
        else:
            items.append(item)
    return Node(list(items), below.origin if below is not None else change.origin)


def _agrees(what: Change, act: Act, path: Path, node: Node) -> bool:
    """True if a layer that this one does not know has done the same to a list, or removed the same, before."""
    return any(one.act == act and one.path == path and not one.missed and not what.knows(one.layer)
               and (act != "include" or (one.new is not None and plain(one.new) == plain(node)))
               for one in what.effects)


def _remove(members: dict[str, Node], key: str, value: Node, what: Change, path: Path, where: BodyPath) -> None:
    found = members.get(key)
    removed = what.removal(path) if found is None else None
    if removed is not None and not what.knows(removed.layer):
        what.log("remove", path, where, value.mark, old=removed.old)
        return
    what.log("remove", path, where, value.mark, old=found, missed=found is None)
    if found is None:
        what.tell(value.mark, f'{what.what} has no "{key}" here to remove' + (
            f" ({removed.mark} removes it already)" if removed else suggestion(key, members)))
    elif isinstance(found.value, dict):
        what.removed[key] = value.mark
        if not what.keep:
            del members[key]
    else:
        del members[key]


def _move(members: dict[str, Node], key: str, where: Node, what: Change, around: Path,
          place: BodyPath) -> dict[str, Node]:
    ((word, aim),) = where.map.items()
    path = (*around, key)
    if key not in members:
        return members                  # it could not be added, which is told
    if word in ("first", "last"):
        what.log("place", path, place, aim.mark, gap=Gap(around, word), new=aim)
        others = {k: v for k, v in members.items() if k != key}
        return {key: members[key], **others} if word == "first" else {**others, key: members[key]}
    target = what.aim(aim, str(aim.value), members)
    missed = not isinstance(target, str) or target not in members or target == key
    what.log("place", path, place, aim.mark, gap=Gap(around, word, target), new=aim, missed=missed,
             stands_on=((*around, target),))
    if missed:
        removed = what.removal((*around, target))
        what.tell(aim.mark, f'"{word}" aims at nothing: {what.what} has no other "{target}" here' + (
            f" ({removed.mark} removes it)" if removed else suggestion(str(target), members)))
        return members
    result: dict[str, Node] = {}
    for name, node in members.items():
        if name == key:
            continue
        pair = ((key, members[key]), (name, node)) if word == "before" else ((name, node), (key, members[key]))
        result.update(pair if name == target else ((name, node),))
    return result


def _check_owner(members: Mapping[str, Node], key: str, value: Node, what: Change) -> None:
    """A layer renames only what it owns: what it names in `was` must not be another layer's."""
    was = value.map.get("was")
    if was is None:
        return
    for old in (key, *old_names(was)):
        found = members.get(old)
        if found is not None and found.origin.layer != what.layer:
            what.tell_owner(was, old, found.origin.layer)
            return


def old_names(was: Node) -> list[str]:
    """The names that a `was` gives: one, or a list."""
    nodes: Iterable[Node] = was.items if isinstance(was.value, list) else [was]
    return [str(node.value) for node in nodes]


def _check_renames(node: Node, tell: Callable[[Mark, str], None]) -> None:
    """A name cannot be old and in use at once."""
    for key, member in node.map.items():
        was = member.map.get("was")
        if was is not None and not isinstance(was.value, dict):
            for old in old_names(was):
                other = node.map.get(old)
                if other is not None and other.origin.layer == was.origin.layer and not _is_fresh(other):
                    tell(was.mark, f'"{key}" cannot have been "{old}": there still is a "{old}" (if that is a new one, '
                                   "it says fresh: true)" if "type" in other.map else
                         f'"{key}" cannot have been "{old}": there still is a "{old}"')
        _check_renames(member, tell)


def _aim(definition: Definition, trees: Container[tuple[str, str]], renames: Renames,
         result: Merge) -> tuple[str, str]:
    """What a definition is about: under its name, or the one that a change means by a former name."""
    key = (definition.kind, definition.name)
    now = renames.definition(*key) if definition.change and key not in trees else None
    if now is None or (definition.kind, now) not in trees:
        return key
    mark = definition.mark()
    inside = 0 if definition.mark().file.endswith(".xml") else len(definition.kind) + 1
    result.aliases.append(alias_in(Node(None, Origin(definition.layer, mark)), Place((), inside), definition.name, now))
    return definition.kind, now


def _is_fresh(node: Node) -> bool:
    """True for a new field that takes a name which another had before."""
    fresh = node.map.get("fresh")
    return fresh is not None and fresh.value is True


def _nothing_to_change(definition: Definition, layers: Sequence[Layer],
                       trees: Mapping[tuple[str, str], Node | Definition]) -> str:
    kind, name = definition.kind, definition.name
    later = next((layer.name for layer in layers for other in layer.definitions
                  if (other.kind, other.name, other.change) == (kind, name, False)), None)
    if later is not None:
        return f'{kind} "{name}" comes later, from "{later}": add "{later}" to the needs of "{definition.layer}"'
    return f'there is no {kind} "{name}" to change' + suggestion(name, (n for k, n in trees if k == kind))


def _teller(problems: list[Problem]) -> Callable[[Mark, str], None]:
    return lambda mark, message: problems.append(mark.problem(message))
