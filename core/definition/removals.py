"""Removing what is in use: one problem at the removal that names every user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.definition.building import Building
from core.definition.references import Reference, mark
from core.definition.users import DIRECT
from core.definition.values import Mark
from core.errors import Problem

Removed = Mapping[tuple[str, str, str], Mark]       # (kind, name, member) -> where it is removed


def guard(problems: set[Problem], removed: Removed, before: Building, after: Building) -> set[Problem]:
    """The problems, where those that only follow from removals are told at the removals.

    `before` is the set checked as if nothing were removed: what is no problem there follows from a removal.
    """
    result, places = set(), set()
    for (kind, name, member), place in removed.items():
        users = sorted({(*mark(before.merged[one.kind, one.name], one)[:3], one.kind, one.name)
                        for one in _users(before, after, kind, name, member)})
        if not users:
            continue
        places |= {(file, line) for file, line, *_ in users}
        listed = ", ".join(f"{user_kind} {user} ({file}:{line}:{column})"
                           for file, line, column, user_kind, user in users)
        result.add(place.problem(f'"{member}" of {kind} "{name}" is in use, so it cannot be removed: {listed}'))
    followed = {one for one in problems if one not in before.problems and (one.file, one.line) in places}
    return (problems - followed) | result if followed else problems


def _users(before: Building, after: Building, kind: str, name: str, member: str) -> Iterator[Reference]:
    """Who names a member, but for the member itself."""
    had, has = (building.merged[kind, name].body for building in (before, after))
    gone = {key for key, members in had.items() if isinstance(members, dict) and member in members
            and member not in (has.get(key) or ())}                     # type: ignore[operator]
    named = {f"{name}.{member}" if DIRECT.get(kind) == key else f"{name}.{key}.{member}" for key in gone}
    itself = {(kind, name, (key, member)) for key in gone}
    for one in before.references:
        if one.to_kind == kind and one.to_name in named and (one.kind, one.name, one.path[:2]) not in itself \
                and _stays(one, before, after):
            yield one


def _stays(one: Reference, before: Building, after: Building) -> bool:
    """True if what names it is not removed itself; places tell, for what is counted moves up."""
    origin = before.merged[one.kind, one.name].origin.get(one.path)
    left = after.merged[one.kind, one.name].origin.values()
    return origin is None or any(each.mark == origin.mark for each in left)
