"""What the database itself keeps: `required: true` as a condition on rows, taken away in time and added when it holds.

Before the flip goes what the target does not keep, so that nobody is refused by a rule that no version has any more.
After it comes what it does keep, as far as all records meet it; for the rest the record service answers alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.bm.changes import migrations
from core.bm.changes.expanding import CHECKED_PER_SECOND, NONE, receiving, wanted_tables
from core.bm.changes.fill_expressions import NOTHING_GIVEN
from core.bm.changes.required import EMPTY, newly_required
from core.bm.changes.standing import system_of
from core.bm.changes.value_questions import UNCONVERTIBLE
from core.bm.engine import altering
from core.bm.engine.steps import BRIEF, ONLINE, Probe, Step, risk_of
from core.bm.inputs.facts import Facts, Finding
from core.bm.inputs.questions import EMPTY as EMPTIED
from core.bm.inputs.questions import LEAVE
from core.bm.versions.homes import former_field
from core.database import ddl
from core.ed.schema import REQUIRED, DesiredIndex, DesiredRequired, DesiredTable, parts
from core.errors import Refused, Words, joined, words

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.bm.engine.run import Run
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.ed.system import System

UNFILLED = "unfilled"           # the finding: rows for which the condition of that field does not hold
_THERE = text("select conname from pg_constraint where conrelid = cast(:table as regclass)")
log = logging.getLogger("tessera.tightening")


# In the plan

def steps(way: Way) -> Iterator[Step]:
    """What is loosened before the flip and tightened after it."""
    wanted = wanted_tables(way.target, way.base, way.facts)
    yield from loosen(wanted, way)
    yield from tighten(wanted, way.target, left_empty(wanted, way), receiving(way))


def notes(way: Way) -> Iterator[Words]:
    """What is required and not yet guaranteed by the database."""
    wanted = wanted_tables(way.target, way.base, way.facts)
    for _, one, found in _missing(wanted, left_empty(wanted, way), receiving(way)):
        if found.count:
            yield words("{field} is required, but not yet guaranteed by the database: {count} records are empty in it; "
                        "a promotion after they are filled in makes it so", field=one.field, count=found.count)


def left_empty(wanted: Iterable[DesiredTable], way: Way) -> Facts:
    """The facts with what will be empty, by what is said of what becomes required, and of values without meaning."""
    left: dict[str, int] = {}
    said = migrations.said(way.base, way.target)
    for one in newly_required(way.base, way.target):
        empty = way.facts.finding(EMPTY, one.path).count if one.always else 0
        if empty and one.path not in said and way.answer("fill", one.path) in (None, LEAVE):
            path = f"{one.field.table}.{one.field.name}"
            left[path] = left.get(path, 0) + empty
    for (what, path), found in way.facts.findings.items():
        emptied = what == UNCONVERTIBLE and way.answer("convert", path) in (None, EMPTIED)
        if emptied or what == NOTHING_GIVEN:
            left[path] = left.get(path, 0) + found.count
    findings = {(UNFILLED, one.field): Finding(left.get(one.field, 0)).and_also(way.facts.finding(UNFILLED, one.field))
                for table in wanted for one in table.required}
    return replace(way.facts, findings={**way.facts.findings, **findings})


def loosen(wanted: tuple[DesiredTable, ...], way: Way) -> Iterator[Step]:
    """Conditions, unique indexes, foreign keys and checks that the target does not keep."""
    before = {table.name: table for table in wanted_tables(way.base, way.target, way.facts)}
    for table in wanted:
        if table.name in way.facts.columns:
            path = way.target.names[table.identity]
            yield from _drop_constraints(path, before.get(table.name), table, way.facts)
    kept = {index.name for table in wanted for index in table.indexes}
    for old in before.values():
        for index in old.indexes:
            if index.unique and index.name not in kept and index.name in way.facts.indexes:
                yield _drop_index(way.base.names[old.identity], old, index, way.facts)


def _drop_constraints(path: str, before: DesiredTable | None, table: DesiredTable, facts: Facts) -> Iterator[Step]:
    known = _constraints(before) if before is not None else {}
    after = _constraints(table)
    there = [name for name, (of, _) in facts.constraints.items() if of == table.name]
    gone = [name for name in there if name not in after and (name in known or name.startswith(REQUIRED))]
    gone += [name for name in there if name in after and name not in gone and _points_elsewhere(name, table, facts)]
    if gone:
        back = [name for name in gone if name in known]
        undo = (ddl.drop_constraints(table.name, back), *(known[name] for name in back),
                ddl.validate_all(table.name, back)) if back else ()
        yield Step(0, "loosen", path, (ddl.drop_constraints(table.name, gone),), BRIEF,
                   rows=facts.rows.get(table.name, 0), seconds=0.01, probe=Probe("gone", table.name, tuple(gone)),
                   undo=undo,
                   note=words("no longer kept: {conditions}",
                              conditions=joined(_about(name, before, facts) for name in gone)))


def _constraints(table: DesiredTable) -> dict[str, str]:
    """The statement that adds each constraint of a table, by its name."""
    return {**{key.name: ddl.add_foreign_key(key.name, table.name, key.column, key.target)
               for key in table.foreign_keys},
            **{one.name: ddl.add_check(one.name, table.name, one.columns) for one in table.checks},
            **{one.name: ddl.add_constraints(table.name, [one.constraint]) for one in table.required}}


def _points_elsewhere(name: str, table: DesiredTable, facts: Facts) -> bool:
    """Whether a foreign key of that name is there that leads to another table."""
    return any(key.name == name and facts.references.get(name, key.target) != key.target
               for key in table.foreign_keys)


def _about(name: str, table: DesiredTable | None, facts: Facts) -> Words:
    for one in table.required if table is not None else ():
        if one.name == name:
            return words("{field} is filled in", field=one.field)
    if name in facts.references:
        return words("key {name} to {table}", name=name, table=facts.references[name])
    return words("condition {name}", name=name)


def _drop_index(path: str, table: DesiredTable, index: DesiredIndex, facts: Facts) -> Step:
    return Step(0, "loosen", path, (ddl.drop_index(index.name, concurrently=True),), ONLINE,
                rows=facts.rows.get(table.name, 0), probe=Probe("gone", table.name, (index.name,)),
                undo=(ddl.drop_index(index.name, concurrently=True), index.create_concurrently),
                note=words("unique no longer: index {name}", name=index.name))


def tighten(wanted: tuple[DesiredTable, ...], target: State, facts: Facts,
            late: frozenset[str] = NONE) -> Iterator[Step]:
    """Conditions for what is required, one step a table; those of new tables are made with them."""
    found: dict[str, list[DesiredRequired]] = {}
    for table, one, violated in _missing(wanted, facts, late):
        if not violated.count:
            found.setdefault(table.name, []).append(one)
    for table in wanted:
        some = found.get(table.name)
        if some:
            rows = facts.rows.get(table.name, 0)
            names = [one.name for one in some]
            new = [one.constraint for one in some if one.name not in facts.constraints]
            add = (ddl.add_constraints(table.name, new),) if new else ()
            yield Step(0, "tighten", target.names[table.identity], (*add, ddl.validate_all(table.name, names)),
                       BRIEF, risk_of(rows), rows, round(rows / CHECKED_PER_SECOND, 2),
                       Probe("constraint", table.name, tuple(names)), note=words(
                           "from here on the database keeps: {conditions}",
                           conditions=joined(words("{field} is filled in", field=one.field) for one in some)),
                       data={"table": table.name, "required": [
                           {"name": one.name, "field": one.field, "columns": list(one.columns),
                            "types": list(one.types)} for one in some]})


def _missing(wanted: Iterable[DesiredTable], facts: Facts,
             late: frozenset[str] | None = NONE) -> Iterator[tuple[DesiredTable, DesiredRequired, Finding]]:
    """What is required and not kept by the database, with how many rows stand against it.

    Tables that come are made with it, but for those that are `late`; None: all of them are.
    """
    for table in wanted:
        for one in table.required if late is None or table.name in facts.columns or table.name in late else ():
            if not facts.constraints.get(one.name, ("", False))[1]:
                yield table, one, facts.finding(UNFILLED, one.field)


def look(connection: Connection, base: State, target: State, facts: Facts) -> dict[tuple[str, str], Finding]:
    """How many rows stand against each condition that is not kept yet, where their values stand now.

    What becomes required is not counted here, but where it is asked what records get (required.py).
    """
    by_table: dict[str, list[DesiredRequired]] = {}
    if base.model is not None and target.model is not None:
        before, said = system_of(base, base.model, facts), migrations.said(base, target)
        for table, one, _ in _missing(wanted_tables(target, base, facts), facts, None):
            there = set(one.columns) <= facts.columns.get(table.name, {}).keys()
            for name, condition in _standing(one, table.name if there else "", before, base, target, said):
                by_table.setdefault(name, []).append(condition)
    found: dict[tuple[str, str], Finding] = {}
    for name, some in by_table.items():
        for one, count in zip(some, _count(connection, name, some), strict=True):
            if count:
                found[UNFILLED, one.field] = Finding(count).and_also(found.get((UNFILLED, one.field)))
    return found


def _standing(one: DesiredRequired, here: str, before: System, base: State, target: State,
              said: Set[str]) -> Iterator[tuple[str, DesiredRequired]]:
    """The condition over the tables and columns in which records have the field now, where it is required already.

    `here` is the table in which the target's own columns are there, "" if they come.
    """
    model, name = target.model, one.field.partition(".")[2]
    for type_ in one.types if model is not None else ():
        path, former = target.names[type_], base.names.get(type_)
        field = model.tables[path].fields[name] if model is not None else None
        if former is None or field is None or {f"{path}.{name}", one.field} & said:
            continue
        was, stored = former_field(base, target, former, field), before.stored(former)
        if was is not None and not was.virtual and was.required is True:
            names = {part: stored.name(was.name, part) for part, _ in parts(was)}
            columns = (names[""],) if "" in names else tuple(names.values())
            yield stored.table.name, replace(one, columns=columns, types=(type_,))
        elif was is None and here == stored.table.name:         # it returns with what it had
            yield here, replace(one, types=(type_,))


def _count(connection: Connection, table: str, some: Iterable[DesiredRequired]) -> list[int]:
    return ddl.count_empty(connection, table, [(one.columns, one.types) for one in some])


# When it is applied

def put_back(run: Run, step: Step) -> None:
    """Undo a loosen step; what the records meet no longer stays away, for the record service keeps it all the same."""
    try:
        altering.undo_loosen(run, step)
    except IntegrityError as error:
        log.warning("%s: not put back: %s", step.target, error)
        altering.undo_loosen(run, replace(step, undo=step.undo[:1]))        # what is left half made


def add(run: Run, step: Step) -> None:
    """Add the conditions of a step as far as the rows meet them. Raises Refused, naming fields that some leave empty.

    Then the others hold all the same, and the record service answers for these, as before.
    """
    table, some = str(step.data["table"]), [_from_json(one) for one in step.data["required"]]
    with run.line.connect() as connection:
        counts = dict(zip((one.name for one in some), _count(connection, table, some), strict=True))
        there = set(connection.scalars(_THERE, {"table": ddl.table_name(table)}))
    held = [one for one in some if not counts[one.name]]
    new = [one.constraint for one in held if one.name not in there]
    if new:
        run.short(step, [ddl.add_constraints(table, new)])
    left = [one for one in some if counts[one.name]] + (_validate(run, step, table, held) if held else [])
    if left:
        raise Refused("not yet guaranteed by the database, for records are empty in it: {fields}",
                      fields=", ".join(one.field for one in left))
    with run.begin() as connection:
        run.done(connection, step)


def _validate(run: Run, step: Step, table: str, some: list[DesiredRequired]) -> list[DesiredRequired]:
    """Make conditions hold for old rows; all at once, and if that cannot be one by one, leaving out what fails."""
    try:
        run.short(step, [ddl.validate_all(table, [one.name for one in some])])
    except IntegrityError:
        if len(some) > 1:
            return [left for one in some for left in _validate(run, step, table, [one])]
        run.short(step, [ddl.drop_constraint(some[0].name, table)])
        return some
    return []


def _from_json(body: Mapping[str, Any]) -> DesiredRequired:
    return DesiredRequired(body["name"], body["field"], tuple(body["columns"]), tuple(body["types"]))


def restore(connection: Connection, wanted: Iterable[DesiredTable]) -> None:
    """Add the conditions to tables that were filled from a backup, as far as their rows meet them."""
    for table in wanted:
        counts = _count(connection, table.name, table.required) if table.required else []
        held = [one for one, count in zip(table.required, counts, strict=True) if not count]
        if held:
            ddl.execute(connection, ddl.add_constraints(table.name, [one.constraint for one in held]))
            ddl.execute(connection, ddl.validate_all(table.name, [one.name for one in held]))
