"""Merge layers: a higher layer adds definitions and changes lower ones, property by property."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from core.definition.canonical import digest
from core.definition.kinds.base import Kind
from core.definition.names import suggestion
from core.definition.references import Place
from core.definition.renames import Alias, Renames
from core.definition.shapes import Shape
from core.definition.tree import Node, harvest, plant
from core.definition.values import Definition, Layer, Mark, Merged, Origins
from core.errors import Problem

MOVES = ("after", "before", "first", "last")


@dataclass
class Merge:
    """What merging gives: the merged definitions, those too broken to judge, and the problems."""

    merged: dict[tuple[str, str], Merged] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    removed: dict[tuple[str, str, str], Mark] = field(default_factory=dict)  # (kind, name, member) -> where
    aliases: list[Alias] = field(default_factory=list)  # changes that aim by a former name


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

    def aim(self, node: Node, name: str, known: Container[str], key: bool = False) -> str:
        """What a change aims at: the name as written, or what is called so now, which is remembered."""
        now = None if name in known else self.now(name)
        if now is None or now not in known:
            return name
        self.aliases.append(Alias(node.mark, Place((), str(node.value).find(name) if not key else 0, key), name, now))
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
    result = Merge()
    renames = Renames((one.kind, one.name, one.body) for layer in layers for one in layer.definitions)
    trees: dict[tuple[str, str], Node | Definition] = {}     # a definition until somebody changes it: most never are
    owners: dict[tuple[str, str], Definition] = {}
    for definition in (definition for layer in layers for definition in layer.definitions):
        key = _aim(definition, trees, renames, result)
        kind = kinds[definition.kind]
        tell = _teller(result.problems)
        if definition.change or (kind.shared and key in trees):
            if key in trees:
                change = Change(definition.layer, f'{definition.kind} "{definition.name}"', tell, {},
                                partial(renames.inside, *key), result.aliases, keep)
                tree = plant(definition)
                if "was" in tree.map and owners[key].layer != definition.layer:
                    change.tell_owner(tree.map["was"], definition.name, owners[key].layer)
                trees[key] = kind.merge(_grown(trees[key]), tree, change)
                result.removed |= {(*key, member): mark for member, mark in change.removed.items()}
            elif key not in unread:
                tell(definition.mark(), _nothing_to_change(definition, layers, trees))
        elif key in trees:
            first = owners[key].mark()
            tell(definition.mark(), f'{definition.kind} "{definition.name}" is defined twice: '
                                    f"also in {first.file}:{first.line} (to change it, write "
                                    f'"change: {definition.kind} {definition.name}")')
        else:
            trees[key], owners[key] = definition, definition
    for key, found in trees.items():
        if isinstance(found, Definition) and not _has_was(found.body):
            result.merged[key] = Merged(*key, found.body, found.hash, found.layer, kinds[key[0]].format,
                                        Origins(found.layer, found.positions))
            continue
        _check_renames(_grown(found), _teller(result.problems))
        result.merged[key] = finish(kinds[key[0]], key[1], _grown(found), owners[key].layer)
    return result


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


def merge_maps(below: Node, change: Node, shape: Shape, what: Change) -> Node:
    """Change a mapping: members merge by key, null removes, `after before first last` move members."""
    members = dict(below.map)
    moves: list[tuple[str, Node]] = []
    for key, value in change.map.items():
        if shape.collection and "type" not in value.map:
            key = what.aim(value, key, members, key=True)
        inner = shape.member(key)
        if shape.collection and value.map:
            words = [word for word in MOVES if _is_move(word, value.map.get(word))]
            moves.extend((key, replace_value(word, value.map[word])) for word in words)
            value = Node({k: v for k, v in value.map.items() if k not in words}, value.origin)
        if value.value is None:
            _remove(members, key, value, what)
            continue
        if shape.collection:
            _check_owner(members, key, value, what)
        members[key] = _merge_nodes(members.get(key), value, inner, what)
    for key, where in moves:
        members = _move(members, key, where, what)
    return Node(members, below.origin)


def _is_move(word: str, aim: Node | None) -> bool:
    """True for `after: name` and `first: true`; `first: Ann` is a value like any other."""
    return aim is not None and (aim.value is True if word in ("first", "last") else isinstance(aim.value, str))


def replace_value(word: str, node: Node) -> Node:
    """A move as a node: a mapping of the word to its aim."""
    return Node({word: node}, node.origin)


def _merge_nodes(below: Node | None, change: Node, shape: Shape, what: Change) -> Node:
    if shape.list and isinstance(change.value, dict) and set(change.value) <= {"add", "remove"} and change.value:
        return _edit_list(below, change, what)
    if isinstance(change.value, dict):
        under = below if below is not None and isinstance(below.value, dict) else Node({}, change.origin)
        merged = merge_maps(under, change, shape, what)
        return merged if below is under else replace(merged, origin=change.origin)
    return change


def _edit_list(below: Node | None, change: Node, what: Change) -> Node:
    items = list(below.items) if below is not None else []
    for item in change.map.get("remove", Node([], change.origin)).items:
        gone = what.aim(item, str(item.value), [str(old.value) for old in items])
        left = [old for old in items if old.value not in (item.value, gone)]
        if len(left) == len(items):
            what.tell(item.mark, f'{what.what} has no "{item.value}" here to remove'
                      + suggestion(str(item.value), (str(old.value) for old in items)))
        items = left
    for item in change.map.get("add", Node([], change.origin)).items:
        if any(old.value == item.value for old in items):
            what.tell(item.mark, f'{what.what} has "{item.value}" here already')
        else:
            items.append(item)
    return Node(list(items), below.origin if below is not None else change.origin)


def _remove(members: dict[str, Node], key: str, value: Node, what: Change) -> None:
    if key not in members:
        what.tell(value.mark, f'{what.what} has no "{key}" here to remove' + suggestion(key, members))
    elif isinstance(members[key].value, dict):
        what.removed[key] = value.mark
        if not what.keep:
            del members[key]
    else:
        del members[key]


def _move(members: dict[str, Node], key: str, where: Node, what: Change) -> dict[str, Node]:
    ((word, aim),) = where.map.items()
    if word in ("first", "last"):
        others = {k: v for k, v in members.items() if k != key}
        return {key: members[key], **others} if word == "first" else {**others, key: members[key]}
    target = what.aim(aim, str(aim.value), members)
    if not isinstance(target, str) or target not in members or target == key:
        what.tell(aim.mark, f'"{word}" aims at nothing: {what.what} has no other "{target}" here'
                  + suggestion(str(target), members))
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
                if old in node.map and node.map[old].origin.layer == was.origin.layer:
                    tell(was.mark, f'"{key}" cannot have been "{old}": there still is a "{old}"')
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
    result.aliases.append(Alias(mark, Place((), inside), definition.name, now))
    return definition.kind, now


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
