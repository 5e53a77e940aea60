"""Records that go to another physical table, for their table gets another base or loses it; beside the people who work.

They keep their ids, and with them history, files, links and what is found. What the columns hold is copied by the
database, in batches, and again where somebody wrote meanwhile; the version before never sees it. Where they stood
everything stays, parked; a way back copies what changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.bm.changes import fill_expressions, fill_linked, handing_over, retyping
from core.bm.changes.expanding import wanted_tables
from core.bm.changes.filling import Part
from core.bm.changes.standing import pairs, systems
from core.bm.engine.steps import BATCHES, BRIEF, WRITERS, Probe, Step, risk_of
from core.bm.versions import homes, meanings
from core.bm.versions.homes import former_field
from core.database import ddl
from core.errors import Words, words

if TYPE_CHECKING:
    from core.bm.inputs.facts import Facts
    from core.bm.inputs.way import Way
    from core.ed.schema import DesiredTable
    from core.ed.system import System

COPIED_PER_SECOND = 50_000
FILLED_PER_SECOND = 10_000
EVENTS: tuple[ddl.Event, ...] = ("insert", "update", "delete")


@dataclass(frozen=True)
class Move:
    """A table whose records go from one physical table to another."""

    path: str
    former: str                                 # what it is called in the base
    type: int                                   # its identity, which rows and marks are known by
    source: str
    into: str


def moves(way: Way) -> Iterator[Move]:
    """The tables with records of their own that are in both versions and stand in two places."""
    base, target = way.base, way.target
    if base.model is None or target.model is None:
        return
    before, after = systems(way)
    for former, path in homes.moving(base, target):
        if not target.model.tables[path].abstract:
            yield Move(path, former, target.identities[path], before.stored(former).table.name,
                       after.stored(path).table.name)


def _data(way: Way, one: Move) -> dict[str, Any]:
    """How it is done, as copying.py wants it."""
    before, after = systems(way)
    parts = list(_parts(way, before, after, one))
    otherwise = {part["path"] for part in parts} | {each.path for each in retyping.moved(way) if each.along == one.path}
    fields = [field for field in way.models[1].tables[one.path].fields.values() if not field.virtual]
    columns = [pair for field in fields if f"{field.table}.{field.name}" not in otherwise
               for pair in pairs(way, before, after, one.former, one.path, field)]
    goes_on = [(was, field) for field in fields
               if (was := former_field(way.base, way.target, one.former, field)) is not None and not was.virtual]
    home = homes.home(way.target, one.path)
    return {"how": "rows", "type": one.type, "source": one.source, "into": one.into, "parts": parts,
            "columns": [list(pair) for pair in columns],
            "handed": [list(pair) for pair in handing_over.pairs(before, after, goes_on)],
            "new_home": home if (one.type, home) not in way.facts.homes else None}


def _parts(way: Way, before: System, after: System, one: Move) -> Iterator[Part]:
    """The columns that get values otherwise than by copying: said, of another type, leading elsewhere."""
    filled = fill_expressions.along(way, one.former, one.path)
    turned = {each.path: each for each in retyping.moved(way) if each.along == one.path}
    for field in way.models[1].tables[one.path].fields.values():
        path = f"{field.table}.{field.name}"
        was = former_field(way.base, way.target, one.former, field)
        if path in filled:
            yield fill_expressions.part(way, path, filled[path])
        elif path in turned:
            if retyping.converts(way, turned[path]):
                yield retyping.part(way, turned[path])
        elif was is not None and fill_linked.turns(was, field, way.back) and not meanings.stays(
                way.base, way.target, f"{was.table}.{was.name}", path, way.answers):
            yield fill_linked.part(way, before, after, was, field)


def without_what_goes(way: Way) -> Facts:
    """The facts as they are once the tables that records go to are ready for them: the other steps are planned so."""
    gone = {name for _, constraints, indexes in _in_the_way(way) for name in (*constraints, *indexes)}
    facts = way.facts
    if not gone:
        return facts
    return replace(facts, constraints={name: one for name, one in facts.constraints.items() if name not in gone},
                   references={name: one for name, one in facts.references.items() if name not in gone},
                   indexes={name: one for name, one in facts.indexes.items() if name not in gone})


def _in_the_way(way: Way) -> Iterator[tuple[str, list[str], list[str]]]:
    """Of each table that is there and gets records: the constraints and unique indexes that come back afterwards.

    In a table that the base uses only the keys that lead to records which are not there yet.
    """
    facts, into = way.facts, {one.into for one in moves(way)}
    used = {table.name: table for table in wanted_tables(way.base, way.target, facts)}
    unique = {index.name for table in wanted_tables(way.target, way.base, facts) for index in table.indexes
              if index.unique}
    for table in sorted(into & facts.columns.keys()):
        constraints = [name for name, (of, _) in facts.constraints.items() if of == table and (
            table not in used or facts.references.get(name) in into)]
        indexes = [name for name, (of, _) in facts.indexes.items() if of == table and table not in used
                   and (name in unique or name.startswith("uq_"))]
        if constraints or indexes:
            yield table, constraints, indexes


def steps(way: Way) -> Iterator[Step]:
    """Triggers that note what is written, the batches, and what is left to do after the flip."""
    found = list(moves(way))
    for one in found:
        data = _data(way, one)
        made, removed = _tracking(one, data["parts"])
        rows = way.facts.rows.get(one.source, 0)
        for table, sql in made.items():
            yield Step(0, "expand", one.path, tuple(sql), WRITERS, "additive", rows, 0.01,
                       undo=tuple(removed[table]), note=words("what is written meanwhile is noted"))
        yield Step(0, "fill", one.path, lock=BATCHES, risk=risk_of(rows), rows=rows,
                   seconds=round(rows / (FILLED_PER_SECOND if data["parts"] else COPIED_PER_SECOND), 2), data=data,
                   note=_told(one, data["parts"]))
        yield Step(0, "settle", one.path, tuple(sql for each in removed.values() for sql in each), BRIEF, data=data,
                   note=words("what old requests wrote since the flip is copied"))
    yield from _parked(way, found)


def _told(one: Move, parts: Iterable[Part]) -> Words:
    fields = ", ".join(part["path"].partition(".")[2] for part in parts)
    where = words("its records go to {table}, beside the people who write", table=f"ed.{one.into}")
    return words("{where}; values of {fields}", where=where, fields=fields) if fields else where


def _tracking(one: Move, parts: Iterable[Part]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """By table, the triggers that mark what is written meanwhile, and what removes them."""
    events = {f"move_{one.type}_{event}": event for event in EVENTS}
    made = {one.source: [ddl.track(name, one.source, one.type, event) for name, event in events.items()],
            one.into: [ddl.track(f"move_{one.type}_done", one.into, one.type, "update", done=True)]}
    removed = {one.source: [ddl.drop_trigger(name, one.source) for name in events],
               one.into: [ddl.drop_trigger(f"move_{one.type}_done", one.into)]}
    through = dict.fromkeys(tuple(one) for part in parts for one in part.get("through", ()))
    for place, (table, column, reached) in enumerate(through):
        name = f"move_{one.type}_from_{place}"
        made.setdefault(table, []).append(ddl.track_from(name, table, one.type, column, reached))
        removed.setdefault(table, []).append(ddl.drop_trigger(name, table))
    return made, removed


def room(way: Way) -> Iterator[Step]:
    """Before anything is made: what is in the way of records in tables that are there."""
    names = {one.into: one.path for one in moves(way)}
    for table, constraints, indexes in _in_the_way(way):
        sql = [ddl.drop_constraints(table, constraints)] if constraints else []
        sql += [ddl.drop_index(name) for name in indexes]
        undo = _again(table, constraints, wanted_tables(way.base, way.target, way.facts))
        yield Step(0, "expand", names[table], tuple(sql), BRIEF, undo=undo,
                   probe=Probe("gone", table, (*constraints, *indexes)),
                   note=words("keys and conditions make room for records, and come back after them"))


def _again(table: str, constraints: Iterable[str], used: Iterable[DesiredTable]) -> tuple[str, ...]:
    """What makes the keys again that the base uses."""
    return tuple(ddl.add_foreign_key(key.name, table, key.column, key.target) for one in used if one.name == table
                 for key in one.foreign_keys if key.name in set(constraints))


def _parked(way: Way, found: list[Move]) -> Iterator[Step]:
    """A table that nothing is in any more keeps its rows for a way back, and keeps nobody else's."""
    used = {table.name for table in wanted_tables(way.target, way.base, way.facts)}
    roots = {way.facts.physical[key][0]: key[0] for key, (_, column) in way.facts.physical.items() if column is None}
    left = {one.source: one.path for one in found if one.source not in used}
    for table, path in sorted(left.items()):
        keys = [name for name, (of, _) in way.facts.constraints.items() if of == table and name in way.facts.references]
        yield Step(0, "park", path, (ddl.drop_constraints(table, keys),) if keys else (), BRIEF if keys else "",
                   identities=(roots[table],) if table in roots else (),
                   note=words("{table} stays beside with its rows as they were, for a way back", table=f"ed.{table}"))
