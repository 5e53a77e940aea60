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
    former = former_name(kind, name, base, target)
    if former is None:
        return {}
    before = _values(base, kind, former)
    after = _values(target, kind, name)
    found = {}
    for value in before:
        if value not in after:
            now = _now(value, before, after) or answers.get(f"choices {name}.{value}")
            if now is not None and now in after:
                found[value] = now
    return found


def _now(value: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The value that was it; on a way back, the first there is of those that it was itself."""
    forwards = (name for name, body in after.items() if value in former_names(body))
    back = (old for old in former_names(before[value]) if old in after)
    return next(forwards, None) or next(back, None)


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
    member = target.members[path]
    words = member.meaning.split()
    if words[0] == "choice" and ("choices", words[1]) in target.definitions:
        return renamed(base, target, "choices", words[1], answers)
    found: dict[str, str] = {}
    for name in _workflows(target, path) if words[0] == "state" else ():
        for old, new in renamed(base, target, "workflow", name, answers).items():
            found.setdefault(old, new)
    return found


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
