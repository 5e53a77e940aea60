"""What a plan refuses, and why: each reason with the place of the definition and the way around it."""

from __future__ import annotations

from collections.abc import Iterator

from core.bm.diff import Change, Changed, Removed, Renamed
from core.bm.facts import Facts
from core.bm.meanings import before_renames, links, stays
from core.bm.state import State
from core.bm.stored import broken
from core.bm.way import Way
from core.errors import Words, words


def problems(way: Way) -> Iterator[Words]:
    """What cannot be promoted, all at once."""
    base, target, back = way.base, way.target, way.back
    for identity, path in sorted(target.names.items()):
        former = base.names.get(identity)
        if former is not None and not (back and links(target.meaning(path)) and
                                       links(target.meaning(path)) <= links(base.meaning(former))):
            yield from _other_meaning(base, target, former, path)
    if not back:
        for change in way.changes:
            yield from _narrowing(target, change)
        yield from _broken(base, target, way.facts)
    yield from _drift(way.facts)


def _other_meaning(base: State, target: State, former: str, path: str) -> Iterator[Words]:
    old, new = base.members[former], target.members[path]
    same = base.meaning(former) == before_renames(base, target, path)
    if stays(base, target, former, path, {}):
        return
    if "." not in path:
        yield _problem(target, "table", path, words(
            '"{name}" cannot go under another base while it has records; make a new table', name=path))
    elif not same:
        yield _problem(target, "field", path, words(
            '"{name}" cannot turn from {before} into {after}; add a field of another name, or remove it, promote, '
            "and add it again", name=path, before=old.meaning, after=new.meaning))
    else:
        yield _problem(target, "field", path, words(
            '"{name}" cannot be stored in other columns ({before} before, {after} now)', name=path,
            before=_columns(old.parts), after=_columns(new.parts)))


def _columns(parts: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{part or 'value'} {column}" for part, column in parts) or "none"


def _narrowing(target: State, change: Change) -> Iterator[Words]:
    if isinstance(change, Removed) and change.kind in ("choice", "state"):
        owner, _, value = change.name.partition(".")
        holder = "choices" if change.kind == "choice" else "workflow"
        if (holder, owner) in target.definitions:
            yield _problem(target, holder, owner, words(
                'value "{name}" cannot be removed, records may hold it; write retired: true instead', name=value))
    if isinstance(change, Renamed) and change.kind == "choice":
        yield _problem(target, "choice", change.name, words(
            'value "{name}" cannot be renamed, records hold it; change its title, or add a value and retire this one',
            name=change.was))
    if isinstance(change, Changed) and change.kind == "field":
        for one in change.properties:
            if one.path in ("max", "scale") and isinstance(one.after, int) and _number(one.before) > one.after:
                yield _problem(target, "field", change.name, words(
                    '{property} of "{name}" cannot go down from {before} to {after}, values may be larger',
                    property=one.path, name=change.name, before=_number(one.before), after=one.after))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _broken(base: State, target: State, facts: Facts) -> Iterator[Words]:
    """Values of records that name definitions, and would mean nothing any more."""
    for one, problem in broken(base, target, facts.expressions):
        yield words("{table} {record} ({title}): its {field} would break, {problem}; change the record first",
                    table=one.table, record=one.record, title=one.title, field=one.field.partition(".")[2],
                    problem=problem)


def _drift(facts: Facts) -> Iterator[Words]:
    """Someone changed the tables by hand: a column that should be there is not."""
    for table, column in sorted((names for names in facts.physical.values() if names[1]), key=str):
        if column not in facts.columns.get(table, {}):
            yield words("column {column} of table ed.{table} is gone from the database; restore it before promoting",
                        column=column, table=table)


def _problem(state: State, kind: str, name: str, problem: Words) -> Words:
    place = state.place(kind, name)
    return words("{name}: {problem}", name=place, problem=problem) if place else problem
