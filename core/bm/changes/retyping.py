"""Fields whose values stand in other columns from now on: of another type, or of choices that are called otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, select
from sqlalchemy import Table as PhysicalTable

from core.bm.changes import conversions, fill_linked
from core.bm.changes.fill_converted import Rule
from core.bm.changes.filling import Part
from core.bm.changes.migrations import other_type
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
    from core.definition.model import Field
    from core.ed.system import System
    from core.types.base import FieldType

ROWS = 5_000                    # read at once


@dataclass(frozen=True)
class Moved:
    """A stored field that is in both versions, and whose values stand elsewhere and otherwise in the target."""

    path: str                   # in the target
    former: str                 # in the base
    before: Field
    after: Field
    along: str = ""             # the table of the target whose records take it to another physical table, if one does


def moved(way: Way) -> Iterator[Moved]:
    """All such fields; what is computed is worked out, not converted."""
    base, target = way.base, way.target
    if base.model is None or target.model is None:
        return
    for path in target.members:
        table, dot, name = path.partition(".")
        former = way.former(path) if dot else None
        if former is None or base.storage(former) == target.storage(path):
            continue
        before, after = base.model.field(*former.split(".")), target.model.field(table, name)
        if homes.home(base, former) == homes.home(target, path) and before is not None and after is not None \
                and _converted(way, before, after):
            yield Moved(path, former, before, after)
    for was, table in homes.moving(base, target):
        for after in target.model.tables[table].fields.values():
            yield from _along(way, was, table, after)


def _along(way: Way, was: str, table: str, after: Field) -> Iterator[Moved]:
    """A field whose records take it to another physical table, if its values are to be others there."""
    before = homes.former_field(way.base, way.target, was, after)
    if before is None or after.virtual:
        return
    former, path = f"{before.table}.{before.name}", f"{after.table}.{after.name}"
    if _converted(way, before, after) and not meanings.stays(way.base, way.target, former, path, way.answers):
        yield Moved(path, former, before, after, table)


def _converted(way: Way, before: Field, after: Field) -> bool:
    if before.virtual or (after.virtual and not after.computed) or (before.computed and after.computed):
        return False
    return not fill_linked.turns(before, after, way.back)


def fills_instead(way: Way, one: Moved) -> bool:
    """Whether the definition says what such a field gets, of whatever type it was."""
    return one.after.fill is not None and other_type(way.base, way.target, one.after, one.before)


def converts(way: Way, one: Moved) -> bool:
    """Whether its values are turned into others."""
    return not fills_instead(way, one) and conversions.impossible(one.before, one.after) is None


def problems(way: Way) -> Iterator[Words]:
    """Types whose values mean nothing in the new type, with the way out."""
    for one in _each(way):
        problem = conversions.impossible(one.before, one.after)
        if problem is not None and not fills_instead(way, one) and not way.back:
            yield way.problem("field", one.path, words(
                '"{name}" cannot turn from {before} into {after}: {reason}; say with fill: what it gets, or add a '
                "field of another name", name=one.path, before=way.base.members[one.former].meaning,
                after=way.target.members[one.path].meaning, reason=problem))
        answer = way.answer("convert", one.path)
        if answer is not None and answer.startswith("="):
            yield way.problem("field", one.path, words(
                '"{name}": an expression is written in the definition, as fill: {answer}', name=one.path,
                answer=answer))


def _each(way: Way) -> Iterable[Moved]:
    """Each such field once, of however many tables the records take it along."""
    return {one.path: one for one in moved(way)}.values()


def given(way: Way) -> Iterator[tuple[str, Part]]:
    """The physical table of each such field, and how its columns are filled."""
    for one in moved(way):
        if not one.along and converts(way, one):
            yield table_of(way, one.path), part(way, one)


def table_of(way: Way, path: str) -> str:
    """The physical table in which the target has a field."""
    names = name_all(way.models[1], way.target.identities, way.facts.physical, way.target.storages)
    return names[homes.home(way.target, path), ""][0]


def part(way: Way, one: Moved) -> Part:
    """How one field's columns are filled, as JSON."""
    model, settings = way.models[1], way.models[1].system
    values = of_field(way.base, way.target, one.path, way.answers)
    body = conversions.conversion(one.before, one.after, way.models, values, settings.time_zone, settings.languages[0])
    body |= _otherwise(way, one)
    source, storage = way.base.storage(one.former), way.target.storage(one.path)
    if way.back:
        body = _as_answered(body, way.facts.filled.get(storage, {}).get(source))
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


def _as_answered(body: dict[str, Any], once: Mapping[str, Any] | None) -> dict[str, Any]:
    """A conversion with what was answered when the same columns were filled from the same before: nobody asks again."""
    if once is None:
        return body
    values, known = once.get("values", {}), body.get("values", {})
    found = {old: values.get(old, now) if old == now else now for old, now in known.items()}
    return {**body, **({"values": found} if known else {}),
            **({"otherwise": once["otherwise"]} if "otherwise" in once else {})}


def once(way: Way, source: int, storage: int) -> list[dict[str, Any]]:
    """How what stands in the columns to be filled once became what stands in those it is filled from."""
    found: list[dict[str, Any]] = []
    seen = set[int]()
    while source != storage:
        known = way.facts.filled.get(source, {})
        if source in seen or not known:
            return []
        seen.add(source)
        source = storage if storage in known else [*known][-1]
        found.insert(0, dict(known[source]))
    return found


def notes(way: Way) -> Iterator[Words]:
    """What is converted, and on a way back what cannot be."""
    for one in _each(way):
        if conversions.impossible(one.before, one.after) is not None:
            continue
        found = way.facts.finding(UNCONVERTIBLE, one.path)
        if way.back and found:
            yield words("{field}: {count} values mean nothing in the type it goes back to; they are empty there, and "
                        "return when this version does", field=one.path, count=found.count)


def way_back(way: Way) -> Iterator[Words]:
    """What going back costs."""
    for one in _each(way):
        if conversions.impossible(one.before, one.after) is None and not way.back:
            yield words("{field}: going back, the values of now return in all records in which nobody changed them; "
                        "others are turned back, and what cannot be is counted and named then", field=one.path)


def look(connection: Connection, way: Way, system: System) -> dict[tuple[str, str], Finding]:
    """The values that mean nothing in the new type, counted, with a few of them."""
    found: dict[tuple[str, str], Finding] = {}
    for one in moved(way):
        types = {**registry(), **{getattr(kind, "one", kind).name: getattr(kind, "one", kind)
                                  for kind in (one.before.type, one.after.type)}}
        if converts(way, one):
            table = system.stored(one.before.table).table.name
            of = [] if not one.along else [way.target.identities[one.along]]
            finding = unconvertible(connection, system, table, part(way, one), types, of)
            if finding:
                samples = tuple(replace(each, table=one.before.table, reads=((one.before.name,),))
                                for each in finding.samples)
                key = (UNCONVERTIBLE, one.path)
                found[key] = replace(finding, samples=samples).and_also(found.get(key))
    return found


def unconvertible(connection: Connection, system: System, table: str, made: Part,
                  types: Mapping[str, FieldType[Any]], of: Sequence[int] = ()) -> Finding:
    """How many values of a table's records (only those `of` some kinds) it does not take, with a few different ones."""
    rule, there = Rule(made, types), ddl.columns_of(connection, table)
    columns = [Column(name, typed(kind)) for name, kind in (*made["reads"], *made["into"]) if name in there]
    source = PhysicalTable(table, MetaData(schema=ddl.SCHEMA), Column("id", BigInteger, primary_key=True),
                           Column("_type", Integer), *columns)
    kinds = [source.c["_type"].in_(of)] if of else []
    missing = {name: None for name, _ in made["into"]}
    end, after, count, samples = time.monotonic() + SECONDS, 0, 0, dict[str, Sample]()
    while True:
        rows = [{**missing, **row} for row in connection.execute(
            select(source).where(source.c.id > after, *kinds).order_by(source.c.id).limit(ROWS)).mappings()]
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
