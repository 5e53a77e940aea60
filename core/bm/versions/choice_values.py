"""Values of choices and states of workflows that are called otherwise, or are no more: what becomes of those stored.

`was` on a value says its former names, several of them merge; an answer `choices NAME.VALUE` says what becomes of a
value that was removed. On a way back it is the other way around.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.bm.versions.diff import former_name, former_names

if TYPE_CHECKING:
    from core.bm.versions.state import State

Answers = Mapping[str, str]
VALUES = {"choices": "values", "workflow": "states"}        # kind -> the collection of what records hold
KEEP = "keep"                                               # the answer that leaves a removed value in the records


def renamed(base: State, target: State, kind: str, name: str, answers: Answers) -> dict[str, str]:
    """What each value that records may hold, and that is not there any more, is called in the target."""
    return {value: now[0] for value, now in successors(base, target, kind, name, answers).items()}


def successors(base: State, target: State, kind: str, name: str, answers: Answers) -> dict[str, tuple[str, ...]]:
    """For each value that is not there any more those that it is now: several on a way back, where they were merged."""
    former = former_name(kind, name, base, target)
    if former is None:
        return {}
    before = _values(base, kind, former)
    after = _values(target, kind, name)
    found = {}
    for value in before:
        if value not in after:
            answered = answers.get(f"choices {name}.{value}", "")
            now = _now(value, before, after) or ((answered,) if answered in after else ())
            if now:
                found[value] = now
    return found


def _now(value: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The value that was it; on a way back, all there are of those that it was itself."""
    forwards = next((name for name, body in after.items() if value in former_names(body)), None)
    return (forwards,) if forwards is not None else tuple(old for old in former_names(before[value]) if old in after)


def removed(base: State, target: State) -> Iterator[tuple[str, str, str]]:
    """The values that are gone, and that nothing is said of: (kind, name of the choices in the target, value)."""
    for kind, name in target.definitions:
        if kind in VALUES and (former := former_name(kind, name, base, target)) is not None:
            said = renamed(base, target, kind, name, {})
            for value in _values(base, kind, former):
                if value not in _values(target, kind, name) and value not in said:
                    yield kind, name, value


def of_field(base: State, target: State, path: str, answers: Answers) -> dict[str, str]:
    """What becomes of the values that a field of choices or states may hold; the path is the target's."""
    return {value: now[0] for value, now in successors_of_field(base, target, path, answers).items()}


def successors_of_field(base: State, target: State, path: str, answers: Answers) -> dict[str, tuple[str, ...]]:
    """The same with all that a value is now."""
    member = target.members[path]
    words = member.meaning.split()
    if words[0] == "choice" and ("choices", words[1]) in target.definitions:
        return successors(base, target, "choices", words[1], answers)
    found: dict[str, tuple[str, ...]] = {}
    for name in _workflows(target, path) if words[0] == "state" else ():
        for old, new in successors(base, target, "workflow", name, answers).items():
            found.setdefault(old, new)
    return found


def everywhere(base: State, target: State, answers: Answers) -> dict[str, tuple[str, dict[str, tuple[str, ...]]]]:
    """All values that are called otherwise, by their choices in the base, of states "table.field".

    Beside them stands whose they are in the target: the choices, or the identity of the field of states.
    """
    found: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {}
    for kind, name in target.definitions:
        former = former_name(kind, name, base, target) if kind == "choices" else None
        if former is not None:
            found[former] = (name, successors(base, target, kind, name, answers))
    states = (field for table in (base.model.tables.values() if base.model is not None else ())
              for field in table.fields.values() if field.type.name == "state")
    for field in states:
        identity = base.identities[f"{field.table}.{field.name}"]
        path = target.names.get(identity)
        if path is not None:
            found[str(field.expression_type.of)] = (str(identity), successors_of_field(base, target, path, answers))
    return {name: one for name, one in found.items() if one[1]}


def of(state: State, path: str) -> Iterator[tuple[str, str]]:
    """What the values of a field are of: choices, or the workflows that serve it, by kind and name."""
    words = state.members[path].meaning.split()
    if words[0] == "choice" and ("choices", words[1]) in state.definitions:
        yield "choices", words[1]
    elif words[0] == "state":
        yield from (("workflow", name) for name in _workflows(state, path))


def former_of_field(state: State, path: str) -> dict[str, str]:
    """The former names of the values that a field may hold, by what they are called now."""
    return {old: name for kind, owner in of(state, path) for name, body in _values(state, kind, owner).items()
            for old in former_names(body)}


def same(meaning: str, state: State, path: str) -> bool:
    """Whether a meaning that a field had is that which it has, under a former name of its choices maybe."""
    words, now = meaning.split(), state.meaning(path).split()
    if words[:1] != ["choice"] or now[:1] != ["choice"]:
        return words == now
    names = (now[1], *former_names(state.definitions.get(("choices", now[1]))))
    return words[1] in names and words[2:] == now[2:]


def _workflows(state: State, path: str) -> Iterator[str]:
    """The workflows that serve a field of type state: those of its table and of the kinds under it."""
    table, _, field = path.partition(".")
    model = state.model
    family = (table, *model.tables[table].kinds) if model is not None and table in model.tables else (table,)
    for (kind, name), body in state.definitions.items():
        if kind == "workflow" and body.get("of") in family and (body.get("field") or "state") == field:
            yield name


def _values(state: State, kind: str, name: str) -> Mapping[str, Any]:
    body = state.definitions.get((kind, name), {})
    values = body.get(VALUES[kind])
    return values if isinstance(values, Mapping) else {}
