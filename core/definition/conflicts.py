"""Conflicts: what addons that do not need each other make of one thing, where the result would hang on their order.

Each effect claims slots. `there` is whether a thing is there and what it says: it is added, replaced, removed, or only
needed. `place` is where it stands: it is moved, or aimed at. `gap` is a place beside another thing: one thing fits.
The end of a collection belongs to everybody: what is added there stands in the order of the addons.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from core.definition.canonical import dump
from core.definition.effects import Effect, Effects, Key
from core.definition.tree import Node, plain
from core.definition.values import Layer, Mark
from core.errors import Problem

Slot = tuple[object, ...]
LONGEST = 60


class _Claim(NamedTuple):
    effect: Effect
    how: str            # add, set, remove, need; move, aim; put
    value: str = ""     # two claims that say the same agree


def conflicts(effects: Effects, layers: Sequence[Layer], shared: Container[str]) -> list[Problem]:
    """The conflicts of a set: each is told at the later layer and names the place in the earlier one.

    Of the `shared` kinds every layer writes a part, so what is replaced there may be no change of another layer.
    """
    needs = {layer.name: layer.needs for layer in layers}
    problems: list[Problem] = []
    for key, of_one in effects.items():
        if len({effect.layer for effect in of_one}) > 1:
            problems += _of_definition(key, of_one, needs)
        if key[0] in shared:
            problems += _of_shared(key, of_one, needs)
    return problems


def _related(one: str, other: str, needs: Mapping[str, frozenset[str]]) -> bool:
    return one == other or one in needs.get(other, ()) or other in needs.get(one, ())


def _of_shared(key: Key, effects: Sequence[Effect], needs: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    """What a layer says otherwise than a part that it does not know."""
    changed = {(effect.layer, effect.path) for effect in effects}
    for effect in effects:
        old, new = effect.old, effect.new
        if old is None or new is None or _related(old.origin.layer, effect.layer, needs):
            continue
        if plain(old) != plain(new) and (old.origin.layer, effect.path) not in changed:
            yield _problem(key, effect, old.origin.layer, old.mark, f"sets it to {_short(old)}")


def _of_definition(key: Key, effects: Sequence[Effect], needs: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    slots = _slots([one for one in effects if not one.missed])
    told: set[tuple[int, int]] = set()
    for slot, claims in slots.items():
        for index, later in enumerate(claims):
            earlier = next((one for one in claims[:index] if _clash(one, later)
                            and not _related(one.effect.layer, later.effect.layer, needs)), None)
            pair = (id(earlier.effect), id(later.effect)) if earlier else (0, 0)
            if earlier is not None and pair not in told and not _settled(slots, slot, earlier, later, needs):
                told.add(pair)
                one = earlier.effect
                both_add = one.act == later.effect.act == "add" and one.path == later.effect.path
                yield _problem(key, later.effect, one.layer, one.mark,
                               "adds it otherwise" if both_add else _phrase(key, one))


def _slots(effects: Sequence[Effect]) -> dict[Slot, list[_Claim]]:
    """The claims by slot, in the order of the layers; what a layer says again of a slot adds nothing."""
    slots: dict[Slot, dict[tuple[str, str, str], _Claim]] = {}
    added = {(effect.layer, effect.path) for effect in effects if effect.act in ("add", "include")}
    for effect in effects:
        for slot, claim in _claims(effect):
            if claim.how != "need" or (effect.layer, slot[1]) not in added:
                slots.setdefault(slot, {}).setdefault((effect.layer, claim.how, claim.value), claim)
    return {slot: list(claims.values()) for slot, claims in slots.items()}


def _claims(effect: Effect) -> Iterator[tuple[Slot, _Claim]]:
    path = effect.path
    around = [path[:length] for length in range(1, len(path))] + list(effect.stands_on)
    for one in around:
        yield ("there", one), _Claim(effect, "need")
    if effect.act in ("add", "include", "set"):
        how = "set" if effect.act == "set" else "add"
        yield ("there", path), _Claim(effect, how, dump(plain(effect.new)) if effect.new else "")
    elif effect.act in ("remove", "exclude"):
        yield ("there", path), _Claim(effect, "remove")
        for inner in _inside(effect.old):
            yield ("there", inner), _Claim(effect, "remove")
    elif effect.gap is not None:
        yield ("there", path), _Claim(effect, "need")
        yield ("place", path), _Claim(effect, "move", dump(effect.gap))
        aim = (*effect.gap.around, effect.gap.aim)
        if effect.gap.aim and effect.gap.word != "into":
            yield ("place", aim), _Claim(effect, "aim")
        if not effect.gap.shared:
            yield ("gap", *effect.gap), _Claim(effect, "put", dump(path))


def _inside(node: Node | None) -> Iterator[tuple[str, ...]]:
    """The elements in an element that is removed."""
    if node is not None and "children" in node.map and "tag" in node.map:
        for child in node.map["children"].items:
            yield (f'{child.map["tag"].value}:{child.map["ref"].value}',)
            yield from _inside(child)


def _clash(one: _Claim, other: _Claim) -> bool:
    """True if two claims of one slot cannot both be had."""
    if one.how != other.how:
        return True
    return one.value != other.value


def _settled(slots: Mapping[Slot, Sequence[_Claim]], slot: Slot, one: _Claim, other: _Claim,
             needs: Mapping[str, frozenset[str]]) -> bool:
    """True if a layer that builds on both says what shall be: it sets the same thing, or moves one of the two."""
    wanted = [slot] if slot[0] == "there" else [("place", one.effect.path), ("place", other.effect.path)]
    both_add = one.how == other.how == "add"
    return any({one.effect.layer, other.effect.layer} <= needs.get(claim.effect.layer, frozenset())
               and (claim.how not in ("need", "aim") or (both_add and claim.effect.act == "set"))
               for each in wanted for claim in slots.get(each, ()))


def _problem(key: Key, later: Effect, layer: str, place: Mark, does: str) -> Problem:
    return later.mark.problem(
        f'{key[0]} "{key[1]}": "{later.layer}" {_phrase(key, later)}, but "{layer}" {does} '
        f"({place}): let one of the addons need the other, or the site decide")


def _phrase(key: Key, effect: Effect) -> str:
    """What an effect does, in words."""
    named = _plainly(key, effect.path)
    if effect.act in ("include", "exclude"):
        way = "adds {} to" if effect.act == "include" else "removes {} from"
        return way.format(f'"{effect.path[-1]}"') + f' "{_plainly(key, effect.path[:-1])}"'
    if effect.gap is not None:
        aim = f' "{_plainly(key, (effect.gap.aim,))}"' if effect.gap.aim else ""
        return f'puts "{named}" {effect.gap.word}{aim}'
    if effect.act in ("add", "set") and effect.new is not None and not effect.new.map:
        return f'sets "{named}" to {_short(effect.new)}'
    return f'{"adds" if effect.act == "add" else "removes"} "{named}"'


def _plainly(key: Key, path: Sequence[str]) -> str:
    """A path as people write it: elements of a form by their refs."""
    return ".".join(part.partition(":")[2] or part if key[0] == "form" else part for part in path)


def _short(node: Node) -> str:
    text = dump(plain(node))
    return text if len(text) <= LONGEST else text[:LONGEST - 3] + "..."
