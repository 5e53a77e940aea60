"""Fields whose values stand in other columns from now on: of another type, or of choices that are called otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, select
from sqlalchemy import Table as PhysicalTable

from core.bm.changes import conversions, fill_linked
from core.bm.changes.fill_converted import Rule
from core.bm.changes.filling import Part
from core.bm.changes.read_paths import columns
from core.bm.changes.value_questions import UNCONVERTIBLE, literal
from core.bm.inputs.facts import SAMPLES, SECONDS, Finding, Sample
from core.bm.inputs.questions import EMPTY
from core.bm.versions import homes, meanings
from core.bm.versions.choice_values import of_field
from core.database import ddl
from core.ed.schema import name_all
from core.ed.tables import typed
from core.errors import Words, words
from core.types.base import BadValue
from core.types.registry import registry

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Field
    from core.ed.system import System
    from core.types.base import FieldType

ROWS = 5_000                    # read at once


@dataclass(frozen=True)
class Moved:
    """A stored field that is in both versions, and whose values stand elsewhere in the target."""

    path: str                   # in the target
    former: str                 # in the base
    before: Field
    after: Field


def moved(way: Way) -> Iterator[Moved]:
    """All such fields whose physical table is the same; what is computed is worked out, not converted."""
    base, target = way.base, way.target
    if base.model is None or target.model is None:
        return
    for path in target.members:
        table, dot, name = path.partition(".")
        former = way.former(path) if dot else None
        if former is None or base.storage(former) == target.storage(path):
            continue
        before, after = base.model.field(*former.split(".")), target.model.field(table, name)
        if before is None or after is None or before.virtual or (after.virtual and not after.computed):
            continue
        if (before.computed and after.computed) or not _same_table(way, former, path):
            continue
        if fill_linked.turns(before, after, way.back):
            continue
        yield Moved(path, former, before, after)


def _same_table(way: Way, former: str, path: str) -> bool:
    return _physical_root(way.base, former) == _physical_root(way.target, path)


def _physical_root(state: State, path: str) -> int:
    table = path.partition(".")[0]
    return state.storage(state.model.tables[table].root) if state.model is not None else 0


def problems(way: Way) -> Iterator[Words]:
    """Types whose values mean nothing in the new type, with the way out; values that would go elsewhere as well."""
    for path in _both(way):
        yield way.problem("field", path, words(
            '"{name}" gets other values, and its table another base; promote one of the two first, then the other',
            name=path))
    for one in moved(way):
        problem = conversions.impossible(one.before, one.after)
        if problem is not None and one.after.fill is None and not way.back:
            yield way.problem("field", one.path, words(
                '"{name}" cannot turn from {before} into {after}: {reason}; say with fill: what it gets, or add a '
                "field of another name", name=one.path, before=way.base.members[one.former].meaning,
                after=way.target.members[one.path].meaning, reason=problem))
        answer = way.answer("convert", one.path)
        if answer is not None and answer.startswith("="):
            yield way.problem("field", one.path, words(
                '"{name}": an expression is written in the definition, as fill: {answer}', name=one.path,
                answer=answer))


def _both(way: Way) -> Iterator[str]:
    """Fields whose records go to another physical table, which copies values as they are, and which are converted."""
    base, target = way.base, way.target
    for path in target.members if base.model is not None and target.model is not None else ():
        former = way.former(path) if "." in path else None
        if former is not None and homes.moves(base, target, former, path) \
                and not meanings.stays(base, target, former, path, way.answers):
            yield path


def given(way: Way) -> Iterator[tuple[str, Part]]:
    """The physical table of each such field, and how its columns are filled."""
    for one in moved(way):
        if one.after.fill is None and conversions.impossible(one.before, one.after) is None:
            yield table_of(way, one.path), part(way, one)


def table_of(way: Way, path: str) -> str:
    """The physical table in which the target has a field."""
    names = name_all(way.models[1], way.target.identities, way.facts.physical, way.target.storages)
    return names[_physical_root(way.target, path), ""][0]


def part(way: Way, one: Moved) -> Part:
    """How one field's columns are filled, as JSON."""
    model, settings = way.models[1], way.models[1].system
    values = of_field(way.base, way.target, one.path, way.answers)
    body = conversions.conversion(one.before, one.after, way.models, values, settings.time_zone, settings.languages[0])
    body |= _otherwise(way, one)
    source, storage = way.base.storage(one.former), way.target.storage(one.path)
    if way.back:
        body = _as_answered(body, way.facts.filled.get(storage), source)
    names = name_all(model, way.target.identities, way.facts.physical, way.target.storages)
    return {"how": "convert", "path": one.path, "storage": storage, "source": source, "conversion": body,
            "reads": columns(way.base, one.before, source, way.facts.physical),
            "into": columns(way.target, one.after, storage, names), "once": once(way, source, storage)}


def _otherwise(way: Way, one: Moved) -> dict[str, Any]:
    """What was answered for values that mean nothing; a wrong answer is told by value_questions.py."""
    answer = way.answer("convert", one.path)
    if answer is None or answer == EMPTY or answer.startswith("="):
        return {}
    try:
        return {"otherwise": one.after.type.to_wire(literal(one.after, answer), one.after.properties)}
    except BadValue:
        return {}


def _as_answered(body: dict[str, Any], once: tuple[int, Mapping[str, Any]] | None, source: int) -> dict[str, Any]:
    """A conversion with what was answered when the same columns were filled from the same before: nobody asks again."""
    if once is None or once[0] != source:
        return body
    values, known = once[1].get("values", {}), body.get("values", {})
    found = {old: values.get(old, now) if old == now else now for old, now in known.items()}
    return {**body, **({"values": found} if known else {}),
            **({"otherwise": once[1]["otherwise"]} if "otherwise" in once[1] else {})}


def once(way: Way, source: int, storage: int) -> list[dict[str, Any]]:
    """How what stands in the columns to be filled once became what stands in those it is filled from."""
    found: list[dict[str, Any]] = []
    seen = set[int]()
    while source != storage:
        if source in seen or source not in way.facts.filled:
            return []
        seen.add(source)
        source, body = way.facts.filled[source]
        found.insert(0, dict(body))
    return found


def notes(way: Way) -> Iterator[Words]:
    """What is converted, and on a way back what cannot be."""
    for one in moved(way):
        if conversions.impossible(one.before, one.after) is not None:
            continue
        found = way.facts.finding(UNCONVERTIBLE, one.path)
        if way.back and found:
            yield words("{field}: {count} values mean nothing in the type it goes back to; they are empty there, and "
                        "return when this version does", field=one.path, count=found.count)


def way_back(way: Way) -> Iterator[Words]:
    """What going back costs."""
    for one in moved(way):
        if conversions.impossible(one.before, one.after) is None and not way.back:
            yield words("{field}: going back, the values of now return in all records in which nobody changed them; "
                        "others are turned back, and what cannot be is counted and named then", field=one.path)


def look(connection: Connection, way: Way, system: System) -> dict[tuple[str, str], Finding]:
    """The values that mean nothing in the new type, counted, with a few of them."""
    found = {}
    for one in moved(way):
        types = {**registry(), **{getattr(kind, "one", kind).name: getattr(kind, "one", kind)
                                  for kind in (one.before.type, one.after.type)}}
        if one.after.fill is None and conversions.impossible(one.before, one.after) is None:
            finding = unconvertible(connection, system, table_of(way, one.path), part(way, one), types)
            if finding:
                of = tuple(replace(each, table=one.before.table, reads=((one.before.name,),))
                           for each in finding.samples)
                found[UNCONVERTIBLE, one.path] = replace(finding, samples=of)
    return found


def unconvertible(connection: Connection, system: System, table: str, made: Part,
                  types: Mapping[str, FieldType[Any]]) -> Finding:
    """How many values of a table's records a conversion does not take, with a few different ones."""
    rule, there = Rule(made, types), ddl.columns_of(connection, table)
    columns = [Column(name, typed(kind)) for name, kind in (*made["reads"], *made["into"]) if name in there]
    source = PhysicalTable(table, MetaData(schema=ddl.SCHEMA), Column("id", BigInteger, primary_key=True), *columns)
    missing = {name: None for name, _ in made["into"]}
    end, after, count, samples = time.monotonic() + SECONDS, 0, 0, dict[str, Sample]()
    while True:
        rows = [{**missing, **row} for row in connection.execute(
            select(source).where(source.c.id > after).order_by(source.c.id).limit(ROWS)).mappings()]
        if not rows:
            return Finding(count, tuple(samples.values()))
        titles = rule.titles(connection, system, rows)
        for row in rows:
            if rule.problem(row, titles) is not None:
                count += 1
                value = str(rule.old(row))[:40]
                if len(samples) < SAMPLES:
                    samples.setdefault(value, Sample(row["id"], value))
        after = rows[-1]["id"]
        if time.monotonic() > end:
            return Finding(count, tuple(samples.values()), partial=True)
