"""Who uses a thing of the Model: its users with their places, and what stands on those in turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.definition.model import Model
from core.definition.names import suggestion
from core.definition.references import Reference, mark
from core.definition.values import value_at
from core.errors import Refused

DIRECT = {"table": "fields", "mixin": "fields", "choices": "values"}    # members named without their collection

Target = tuple[str, str]        # kind, "name", "name.part" or "name.collection.part"


@dataclass(frozen=True, order=True)
class User:
    """One place where a definition names something; `level` is how many steps lie between."""

    layer: str
    kind: str
    name: str
    file: str
    line: int
    column: int
    path: str
    uses: str               # "table company.city"
    level: int = 1


def target(model: Model, kind: str, name: str) -> Target:
    """What a kind and a name (with a part after a dot) mean. Raises Refused if there is no such thing."""
    name, _, part = name.partition(".")
    merged = model.definitions.get((kind, name))
    if merged is None and (kind, name) != ("choices", "role"):
        kinds = {known for known, _ in model.definitions}
        if kind not in kinds:
            raise Refused("there is no kind {kind} in use" + suggestion(kind, kinds), kind=f'"{kind}"')
        known = [other for of, other in model.definitions if of == kind]
        raise Refused("there is no {kind} {name}" + suggestion(name, known), kind=kind, name=f'"{name}"')
    if not part:
        return kind, name
    if kind == "choices" and name == "role":
        return "role", part
    return _part(model, kind, name, part)


def _part(model: Model, kind: str, name: str, part: str) -> Target:
    if kind == "table":
        field = model.field(name, part)
        if field is not None:
            return kind, f"{field.table}.{field.name}"
        if model.names.member(name, part) is not None:          # what every record has
            return kind, f"{name}.{part}"
    body = model.definitions[kind, name].body
    direct = body.get(DIRECT.get(kind, ""))
    if isinstance(direct, dict) and part in direct:
        return kind, f"{name}.{part}"
    head, dot, rest = part.partition(".")
    if dot and value_at(body, (head, rest)) is not None:
        return kind, f"{name}.{rest}" if DIRECT.get(kind) == head else f"{name}.{part}"
    if kind == "form":                  # its parts are nodes, by ref
        return kind, f"{name}.{part}"
    holders = [key for key, members in body.items() if isinstance(members, dict) and part in members]
    if holders:
        return kind, f"{name}.{holders[0]}.{part}"
    known = [member for members in body.values() if isinstance(members, dict) for member in members]
    raise Refused("{kind} {name} has no {part}" + suggestion(part, known), kind=kind, name=f'"{name}"',
                  part=f'"{part}"')


def users(model: Model, references: Iterable[Reference], aim: Target, every: bool = False) -> list[User]:
    """Who names the target or a part of it; with `every`, also who stands on those, level by level."""
    graph = tuple(references)
    found: dict[tuple[str, int, int], User] = {}
    level, waiting, seen = 1, [aim], {aim}
    while waiting:
        following: list[Target] = []
        for one, to in _named(graph, waiting):
            user = _user(model, one, level)
            if found.setdefault((user.file, user.line, user.column), user) is user and every:
                member = _member(model, one)
                if member is not None and member not in seen and not _within(member, to):
                    seen.add(member)
                    following.append(member)
        level, waiting = level + 1, following
    return sorted(found.values(), key=lambda user: (user.level, _rank(model, user.layer), user))


def _named(graph: Sequence[Reference], aims: Iterable[Target]) -> Iterator[tuple[Reference, Target]]:
    """The references to any of the targets, but for those that a thing makes to itself."""
    for aim in aims:
        kind, name = aim
        for one in graph:
            if one.to_kind == kind and (one.to_name == name or one.to_name.startswith(name + ".")) \
                    and not ("." not in name and (one.kind, one.name) == aim):
                yield one, aim


def _within(member: Target, aim: Target) -> bool:
    return member[0] == aim[0] and (member[1] == aim[1] or member[1].startswith(aim[1] + "."))


def _member(model: Model, one: Reference) -> Target | None:
    """What would go with a reference: the member that makes it, or the whole definition; None for a mere node."""
    merged = model.definitions[one.kind, one.name]
    if len(one.path) < 2:
        return one.kind, one.name
    collection = merged.body.get(str(one.path[0]))
    if not isinstance(collection, dict):
        return None
    direct = DIRECT.get(one.kind) == one.path[0]
    return one.kind, f"{one.name}.{one.path[1]}" if direct else f"{one.name}.{one.path[0]}.{one.path[1]}"


def _user(model: Model, one: Reference, level: int) -> User:
    merged = model.definitions[one.kind, one.name]
    place = mark(merged, one)
    layer = next((origin.layer for length in range(len(one.path), -1, -1)
                  if (origin := merged.origin.get(one.path[:length])) is not None), merged.layer)
    return User(layer, one.kind, one.name, place.file, place.line, place.column, _shown(merged.body, one.path),
                f"{one.to_kind} {one.to_name}", level)


def _shown(body: object, path: Sequence[str | int]) -> str:
    """A path as people read it: nodes of a form by their refs."""
    parts: list[str] = []
    for index, part in enumerate(path):
        node = value_at(body, tuple(path[:index + 1]))
        if isinstance(part, int) and isinstance(node, dict) and "ref" in node:
            parts.append(str(node["ref"]))
        elif part not in ("layout", "children", "attributes"):
            parts.append(str(part))
    return ".".join(parts)


def _rank(model: Model, layer: str) -> int:
    names = [addon.name for addon in model.addons]
    return names.index(layer) if layer in names else len(names)
