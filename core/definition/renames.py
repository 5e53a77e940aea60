"""Former names: what `was` says, remembered for ever, so that what was written against an old name still means it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from core.definition.canonical import digest
from core.definition.references import Place
from core.definition.tree import Node
from core.definition.values import Body, BodyPath, Definition, Layer, Mark, value_at
from core.errors import Problem

Key = tuple[str, str]           # kind, name


@dataclass(frozen=True, slots=True)
class Alias:
    """A former name that a file still uses: where (`mark` is the property's), and the name it stands for now."""

    mark: Mark
    place: Place                # only `inside` and `key` count: the path is that of the merged body
    old: str
    new: str
    here: Mark                  # of the very name

    @property
    def notice(self) -> Problem:
        """What `check` says of it; it is no error."""
        return self.problem(f'"{self.old}" is called "{self.new}" now: run server.py rename --follow')

    @property
    def elsewhere(self) -> Problem:
        """What `check` says of it in a file that is not the site's: its authors write the new name."""
        return self.problem(f'"{self.old}" is called "{self.new}" now')

    def problem(self, message: str) -> Problem:
        """Something to say at the place of the name."""
        return Problem(self.here.file, self.here.line, self.here.column, message)


def alias_in(node: Node, place: Place, old: str, new: str) -> Alias:
    """A former name in a part of a single layer."""
    mark = node.mark
    here = mark if place.key or not mark.value_line else \
        Mark(mark.file, mark.value_line, mark.value_column + place.inside)
    return Alias(mark, place, old, new, here)


class Renames:
    """All former names of a set of definitions, which may be those of single layers; read on first use."""

    def __init__(self, bodies: Iterable[tuple[str, str, Body]] = ()) -> None:
        self._given = bodies

    @cached_property
    def _bodies(self) -> Mapping[Key, Sequence[Body]]:
        found: dict[Key, list[Body]] = {}
        for kind, name, body in self._given:
            found.setdefault((kind, name), []).append(body)
        return found

    @cached_property
    def _definitions(self) -> Mapping[Key, str]:
        return {(kind, old): name for (kind, name), bodies in self._bodies.items() for body in bodies
                for old in former_names(body)}

    @cached_property
    def _members(self) -> Mapping[Key, Mapping[str, str]]:
        found: dict[Key, dict[str, str]] = {}
        for key, bodies in self._bodies.items():
            for old, new in (pair for body in bodies for pair in _former_members(body)):
                found.setdefault(key, {})[old] = new
        return found

    def definition(self, kind: str, name: str) -> str | None:
        """What a definition is called now that had this name before; None if there is none."""
        return _last(name, lambda old: self._definitions.get((kind, old)))

    def member(self, kind: str, name: str, member: str) -> str | None:
        """What a member (a field, a value...) of a definition is called now that had this name before."""
        members = self._members.get((kind, self._now(kind, name)), {})
        return _last(member, members.get)

    def anywhere(self, name: str) -> tuple[str, ...]:
        """What members of any definition are called now that had this name before: a column is named like its field."""
        return tuple(dict.fromkeys(now for kind, owner in self._members
                                   if (now := self.member(kind, owner, name)) is not None))

    def former(self, kind: str, name: str) -> tuple[str, ...]:
        """The former names of the members of a definition."""
        return tuple(self._members.get((kind, name), ()))

    def field(self, table: str, name: str) -> str | None:
        """What a field of a table, its mixins and its base is called now that had this name before."""
        for kind, owner in self._around(table):
            found = self.member(kind, owner, name)
            if found is not None:
                return found
        return None

    def path(self, table: str, path: str) -> str | None:
        """A path in which some names are former ones, with those of now; None if it has none."""
        names, current = [], table
        for part in path.split("."):
            name = part if self._declares(current, part) else self.field(current, part) or part
            names.append(name)
            current = self._target(current, name)
        found = ".".join(names)
        return found if found != path else None

    def inside(self, kind: str, name: str, word: str) -> str | None:
        """What a word that aims into a definition means now: its own member, or a path of the table it is about."""
        found = self.member(kind, name, word)
        if found is not None:
            return found
        if kind in ("table", "mixin"):
            return self.field(name, word) if kind == "table" else None
        table = next((body["of"] for body in self._bodies.get((kind, name), ()) if isinstance(body.get("of"), str)), "")
        return self.path(str(table), word) if table else None

    def _now(self, kind: str, name: str) -> str:
        return name if (kind, name) in self._bodies else self.definition(kind, name) or name

    def _around(self, table: str) -> Iterator[Key]:
        """A table, its mixins, its base, and so on."""
        seen: set[str] = set()
        while table and table not in seen:
            seen.add(table)
            table = self._now("table", table)
            yield "table", table
            bodies = self._bodies.get(("table", table), ())
            for body in bodies:
                uses = body.get("uses")
                yield from (("mixin", str(one)) for one in (uses if isinstance(uses, list) else ()))
            table = next((str(body["base"]) for body in bodies if body.get("base")), "")

    def _declares(self, table: str, field: str) -> bool:
        return self._said(table, field) is not None

    def _said(self, table: str, field: str) -> object:
        for kind, owner in self._around(table):
            for body in self._bodies.get((kind, owner), ()):
                fields = body.get("fields")
                if isinstance(fields, dict) and fields.get(field) is not None:
                    return fields[field]
        return None

    def _target(self, table: str, field: str) -> str:
        said = self._said(table, field)
        target = (said.get("to") or said.get("of")) if isinstance(said, dict) else None
        return target if isinstance(target, str) else ""


def former_names(body: object) -> tuple[str, ...]:
    """The names that `was` of a definition or member gives: one, or a list."""
    was = body.get("was") if isinstance(body, Mapping) else None
    if isinstance(was, str):
        return (was,)
    return tuple(str(name) for name in was) if isinstance(was, list) else ()


def _former_members(body: Body) -> Iterator[tuple[str, str]]:
    for collection in body.values():
        if isinstance(collection, dict):
            for name, member in collection.items():
                if isinstance(member, dict) and "was" in member:
                    yield from ((old, name) for old in former_names(member) if old not in collection)


def _last(name: str, following: Callable[[str], str | None]) -> str | None:
    """The end of a chain of names, each called like the next now."""
    seen, found = {name}, None
    while (after := following(found or name)) is not None and after not in seen:
        seen.add(after)
        found = after
    return found


def follow(layers: Sequence[Layer], aliases: Iterable[Alias]) -> tuple[tuple[Layer, ...], list[Problem]]:
    """The layers with names of now in place of former ones; problems where both stand side by side."""
    waiting: dict[str, list[Alias]] = {}
    for alias in aliases:
        waiting.setdefault(alias.mark.file, []).append(alias)
    known = {one.mark().file for layer in layers for one in layer.definitions}
    problems = [alias.problem(f'"{alias.old}" is called "{alias.new}" now: write that')
                for file, lost in waiting.items() if file not in known for alias in lost]
    followed = tuple(replace(layer, definitions=tuple(
        _followed(one, waiting[one.mark().file], problems) if one.mark().file in waiting else one
        for one in layer.definitions)) for layer in layers)
    return followed, problems


def edits(definition: Definition, aliases: Iterable[Alias]) -> dict[tuple[BodyPath, bool], str]:
    """What has to stand in a definition for its aliases to be gone: new texts by path; True: the key there."""
    paths: dict[Mark, BodyPath] = {}
    for path, mark in definition.positions.items():
        if len(path) >= len(paths.get(mark, ())):
            paths[mark] = path
    found: dict[tuple[BodyPath, bool], str] = {}
    once = {(alias.mark, alias.place.inside, alias.place.key): alias for alias in aliases}.values()
    for alias in sorted(once, key=lambda one: -one.place.inside):
        place = () if alias.mark == definition.mark() else paths.get(alias.mark)
        if place is None:
            continue
        where = (place, alias.place.key)
        text = found.get(where) or str(place[-1] if alias.place.key else written_at(definition, place))
        start, end = alias.place.inside, alias.place.inside + len(alias.old)
        if text[start:end] == alias.old:
            found[where] = text[:start] + alias.new + text[end:]
    return found


def written_at(definition: Definition, path: BodyPath) -> object:
    """The value at a path of a layer's own body; of () what the file says it is about."""
    if not path:
        return definition.name if definition.mark().file.endswith(".xml") else f"{definition.kind} {definition.name}"
    return value_at(definition.body, path)


def _followed(definition: Definition, aliases: Sequence[Alias], problems: list[Problem]) -> Definition:
    changes = edits(definition, aliases)
    done = {(definition.mark() if not path else definition.positions[path], key) for path, key in changes}
    problems += [alias.problem(f'"{alias.old}" is called "{alias.new}" now: write that')
                 for alias in aliases if (alias.mark, alias.place.key) not in done]
    taken = {path for (path, key), new in changes.items() if key and new in _members_at(definition.body, path[:-1])}
    for alias in aliases:
        if alias.place.key and any(definition.positions[path] == alias.mark for path in taken):
            problems.append(alias.problem(f'"{alias.old}" is called "{alias.new}" now, which stands here too: '
                                          "remove one of them"))
    changes = {where: new for where, new in changes.items() if where[0] not in taken}
    body = _rewritten(definition.body, (), changes)
    positions = {_moved(path, changes): mark for path, mark in definition.positions.items()}
    hashed = digest(definition.kind, definition.name, body, definition.change)
    return replace(definition, body=body, positions=positions, hash=hashed)  # type: ignore[arg-type]


def _rewritten(value: object, path: BodyPath, changes: Mapping[tuple[BodyPath, bool], str]) -> object:
    if isinstance(value, dict):
        return _with_ref({changes.get(((*path, key), True), key): _rewritten(one, (*path, key), changes)
                          for key, one in value.items()})
    if isinstance(value, list):
        return [_rewritten(one, (*path, index), changes) for index, one in enumerate(value)]
    return changes.get((path, False), value)


def _with_ref(value: Body) -> Body:
    """A node of a layout by the ref that its attributes give now."""
    attributes = value.get("attributes")
    if "ref" in value and "tag" in value and isinstance(attributes, dict):
        value["ref"] = attributes.get("id") or attributes.get("ref") or attributes.get("name") or value["tag"]
    return value


def _members_at(body: object, path: BodyPath) -> Mapping[str, object]:
    found = value_at(body, path)
    return found if isinstance(found, dict) else {}


def _moved(path: BodyPath, changes: Mapping[tuple[BodyPath, bool], str]) -> BodyPath:
    return tuple(changes.get((path[:index + 1], True), part) for index, part in enumerate(path))
