"""What a plan refuses, and why: each reason with the place of the definition and the way around it."""

from __future__ import annotations

from collections.abc import Iterator

from core.bm.inputs.facts import DUPLICATES, LONGER, ORPHANS, Facts, counted, shared
from core.bm.inputs.stored import broken
from core.bm.inputs.way import Way
from core.bm.versions.state import State
from core.errors import Words, words


def problems(way: Way) -> Iterator[Words]:
    """What cannot be promoted, all at once."""
    if not way.back:
        yield from _broken(way.base, way.target, way.facts)
    yield from _too_long(way)
    yield from _equal(way)
    yield from _astray(way)
    yield from _purged(way)
    yield from _drift(way.facts)


def _too_long(way: Way) -> Iterator[Words]:
    """Values that a lowered `max` or `scale` does not allow: whoever saves such a record next could not."""
    for (what, name), found in sorted(way.facts.findings.items()):
        path, _, key = name.rpartition(".")
        if what == LONGER and found and not way.back:
            yield way.problem("field", path, words(
                '{property} of "{name}" cannot go down to {after} because of {records}; change these first, or leave '
                "{property} as it was", property=key, name=path, after=_property(way, path, key),
                records=counted(found)))


def _property(way: Way, path: str, key: str) -> object:
    found = way.target.model.field(*path.split(".")) if way.target.model is not None else None
    return getattr(found.properties, key, None) if found is not None else None


def _equal(way: Way) -> Iterator[Words]:
    """Records that are equal in what is to be unique: the index could not be made."""
    for (what, name), found in sorted(way.facts.findings.items()):
        if what == DUPLICATES and found.count:
            yield way.problem("unique", name, words(
                '"{name}" cannot be unique: {shared}; change or merge these first', name=name, shared=shared(found)))


def _astray(way: Way) -> Iterator[Words]:
    """Links to records that the field may not lead to any more."""
    for (what, path), found in sorted(way.facts.findings.items()):
        if what == ORPHANS and found.count and not way.back:
            yield way.problem("field", path, words(
                '"{name}" cannot lead to fewer tables because of {records}, which link to a record of another; change '
                "these links first", name=path, records=counted(found)))


def _broken(base: State, target: State, facts: Facts) -> Iterator[Words]:
    """Values of records that name definitions, and would mean nothing any more."""
    for one, problem in broken(base, target, facts.expressions):
        yield words("{table} {record} ({title}): its {field} would break, {problem}; change the record first",
                    table=one.table, record=one.record, title=one.title, field=one.field.partition(".")[2],
                    problem=problem)


def _purged(way: Way) -> Iterator[Words]:
    """What the target needs and somebody removed for good, after it was parked."""
    for path, identity in sorted(way.target.identities.items()):
        day = way.facts.purged.get(way.target.storages.get(path, identity))
        if day is not None:
            yield way.problem("field" if "." in path else "table", path, words(
                "{name} was purged on {day}, with all it held, so this version cannot come back; `fresh: true` makes "
                "it anew, empty", name=path, day=day))


def _drift(facts: Facts) -> Iterator[Words]:
    """Someone changed the database by hand: that is undone or adopted first (drift.py)."""
    if facts.drifted:
        yield from facts.drifted
        return
    for table, column in sorted((names for names in facts.physical.values() if names[1]), key=str):
        if column not in facts.columns.get(table, {}):
            yield words("column {column} of table ed.{table} is gone from the database; restore it before promoting",
                        column=column, table=table)


def _problem(state: State, kind: str, name: str, problem: Words) -> Words:
    place = state.place(kind, name)
    return words("{name}: {problem}", name=place, problem=problem) if place else problem
