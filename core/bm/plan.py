"""The planner: a pure function from two states and the facts to ordered steps, or to the reasons against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.bm import formulas
from core.bm.diff import Added, Change, Changed, Removed, Renamed, Returned, called, diff, former_name
from core.bm.facts import Facts
from core.bm.seeds import order as seed_order
from core.bm.state import State, foreign_roots
from core.bm.steps import Plan, Probe, Step
from core.bm.stored import broken
from core.database import ddl
from core.ed.schema import DesiredCheck, DesiredForeignKey, DesiredIndex, DesiredTable, desired, name_all
from core.ed.system import System
from core.errors import N_, Words, words

BRIEF = N_("ACCESS EXCLUSIVE, milliseconds")
BOTH = N_("SHARE ROW EXCLUSIVE on both tables, milliseconds")
ONLINE = N_("SHARE UPDATE EXCLUSIVE: readers and writers go on")
INDEXED_PER_SECOND = 200_000
CHECKED_PER_SECOND = 1_000_000
LONG_ROWS = 1_000_000           # from here on a step that reads a whole table is called long


def plan(base: State, target: State, facts: Facts, back: bool = False) -> Plan:
    """Say how live gets from the base to the target; `back` allows what only a way back may do (narrowing).

    Both states have their identities. A plan with problems has no steps: nothing of it is applied.
    """
    if base.hash == target.hash:
        return Plan(base.hash, target.hash, facts.fingerprint)
    changes = diff(base, target)
    problems = tuple(_problems(base, target, changes, facts, back))
    if problems:
        return Plan(base.hash, target.hash, facts.fingerprint, changes, problems=problems, back=back)
    tables = _wanted(target, base, facts)
    again = formulas.to_compute(base, target, facts)
    steps = (*_stage(target), *_expand(tables, target, facts), *_indexes(tables, target, facts),
             *formulas.suspend(again, target), *_switch(target), *_fill(target, changes),
             *formulas.compute(again, target, facts),
             *_validate(tables, target, facts), *_park(base, target, tables, facts))
    numbered = tuple(replace(step, number=number) for number, step in enumerate(steps, 1))
    return Plan(base.hash, target.hash, facts.fingerprint, changes, numbered,
                notes=tuple(_notes(base, changes, facts)), back=back)


# What is refused, and why.

def _problems(base: State, target: State, changes: tuple[Change, ...], facts: Facts, back: bool) -> Iterator[Words]:
    for identity, path in sorted(target.names.items()):
        former = base.names.get(identity)
        if former is not None and not (back and _several(target.meaning(path)) and
                                       _several(target.meaning(path)) <= _several(base.meaning(former))):
            yield from _other_meaning(base, target, former, path)
    if not back:
        for change in changes:
            yield from _narrowing(target, change)
        yield from _broken(base, target, facts)
        yield from formulas.problems(base, target, facts)
    yield from _drift(facts)


def _other_meaning(base: State, target: State, former: str, path: str) -> Iterator[Words]:
    old, new = base.members[former], target.members[path]
    before, after = base.meaning(former), _meaning_before(base, target, path)
    same = before == after or {_one_choice(before), _one_choice(after)} == {"choice", "state"}
    if _several(before) and _several(before) <= _several(after):        # a link may come to lead to more tables
        return
    if same and (old.parts == new.parts or formulas.turns(old, new)):
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


def _several(meaning: str) -> frozenset[str]:
    """The tables of a link to several, by identity; none for anything else."""
    head, *targets = meaning.split()
    return frozenset(targets) if head == "link" and len(targets) > 1 and "many" not in targets else frozenset()


def _one_choice(meaning: str) -> str:
    """What a meaning is of, if it is one value of several: a choice may become the state of a workflow, and back."""
    head, _, rest = meaning.partition(" ")
    return head if "many" not in rest.split() else meaning


def _meaning_before(base: State, target: State, path: str) -> str:
    """The meaning in the words of the base: renamed choices under their former name."""
    head, _, rest = target.meaning(path).partition(" ")
    if head != "choice":
        return target.meaning(path)
    name, _, many = rest.partition(" ")
    return " ".join(filter(None, (head, former_name("choices", name, base, target) or name, many)))


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


# The steps, in the order of their kinds.

def _stage(target: State) -> Iterator[Step]:
    yield Step(0, "stage", f"version {target.hash[:12]}", note="definitions are written, nothing uses them yet")


def _wanted(state: State, other: State, facts: Facts) -> tuple[DesiredTable, ...]:
    """What a state needs in the database; kinds that only the other state has, or that are parked, keep their rows."""
    if state.model is None:
        return ()
    names = name_all(state.model, state.identities, facts.physical)
    kinds = [(one.identity, one.meaning) for one in facts.parked]
    kinds += [(identity, other.meaning(path)) for path, identity in other.identities.items() if "." not in path]
    foreign = foreign_roots(kinds, state.identities)
    return desired(System(0, state.model, state.identities, names, foreign=foreign))


def _expand(wanted: tuple[DesiredTable, ...], target: State, facts: Facts) -> Iterator[Step]:
    for table in wanted:
        if table.name in facts.columns:
            yield from _add_columns(table, target, facts)
        else:
            yield _create_table(table, target)
    for table in wanted:
        for key in table.foreign_keys:
            if key.name not in facts.constraints:
                yield _foreign_key(table, key, target, facts)
        for check in table.checks:
            if check.name not in facts.constraints:
                yield _check(table, check, target, facts)


def _create_table(table: DesiredTable, target: State) -> Step:
    columns = [ddl.Column(column.name, column.type) for column in table.columns]
    sql = (ddl.create_table(table.name, columns), *(index.create for index in table.indexes))
    return Step(0, "expand", target.names[table.identity], sql, "none on others", "additive",
                probe=Probe("columns", table.name, ("id", *(column.name for column in columns))),
                undo=(ddl.drop_table(table.name),), note=f"new table ed.{table.name}",
                identities=(table.identity, *dict.fromkeys(column.identity for column in table.columns)))


def _add_columns(table: DesiredTable, target: State, facts: Facts) -> Iterator[Step]:
    there = facts.columns[table.name]
    new = [column for column in table.columns if column.name not in there]
    back = [column.identity for column in table.columns if (column.identity, column.part) in facts.parked_columns]
    if (table.identity, "") in facts.parked_columns:
        back.insert(0, table.identity)
    if not new and not back:
        return
    names = tuple(column.name for column in new)
    sql = (ddl.add_columns(table.name, [ddl.Column(column.name, column.type) for column in new]),) if new else ()
    identities = tuple(dict.fromkeys((*back, *(column.identity for column in new))))
    fields = ", ".join(target.names[identity].rpartition(".")[2] for identity in identities)
    yield Step(0, "expand", target.names[table.identity], sql, BRIEF if new else "", "additive" if new else "metadata",
               rows=facts.rows.get(table.name, 0), seconds=0.01 if new else 0.0,
               probe=Probe("columns", table.name, names), identities=identities,
               undo=(ddl.drop_columns(table.name, names),) if new else (),
               note=f"columns for {fields}" if new else f"parked columns return: {fields}")


def _foreign_key(table: DesiredTable, key: DesiredForeignKey, target: State, facts: Facts) -> Step:
    sql = ddl.add_foreign_key(key.name, table.name, key.column, key.target)
    return Step(0, "expand", target.names[table.identity], (sql,), BOTH, "additive",
                rows=facts.rows.get(table.name, 0), seconds=0.01, probe=Probe("constraint", table.name, (key.name,)),
                undo=(ddl.drop_constraint(key.name, table.name),), note=f"foreign key of {key.column}")


def _check(table: DesiredTable, check: DesiredCheck, target: State, facts: Facts) -> Step:
    sql = ddl.add_check(check.name, table.name, check.columns)
    return Step(0, "expand", target.names[table.identity], (sql,), BRIEF, "additive",
                rows=facts.rows.get(table.name, 0), seconds=0.01, probe=Probe("constraint", table.name, (check.name,)),
                undo=(ddl.drop_constraint(check.name, table.name),),
                note=f"at most one of {', '.join(check.columns)} is filled")


def _indexes(wanted: tuple[DesiredTable, ...], target: State, facts: Facts) -> Iterator[Step]:
    for table in wanted:
        if table.name not in facts.columns:
            continue                                # made with its table
        for index in table.indexes:
            if not facts.indexes.get(index.name, ("", False))[1]:
                yield _index(table, index, target, facts)


def _index(table: DesiredTable, index: DesiredIndex, target: State, facts: Facts) -> Step:
    rows = facts.rows.get(table.name, 0)
    return Step(0, "index", target.names[table.identity], (index.create_concurrently,), ONLINE,
                "long" if rows > LONG_ROWS else "additive", rows, round(0.05 + rows / INDEXED_PER_SECOND, 2),
                Probe("index", table.name, (index.name,)), (ddl.drop_index(index.name, concurrently=True),),
                "fails if two records are equal in it" if index.unique else "")


def _switch(target: State) -> Iterator[Step]:
    yield Step(0, "prepare", "workers", note="every process builds the new version beside the old one")
    yield Step(0, "flip", f"version {target.hash[:12]}", note="the new version is live, for every request that "
                                                               "begins after it")


def _fill(target: State, changes: tuple[Change, ...]) -> Iterator[Step]:
    changed = {change.name for change in changes if change.kind == "data" and isinstance(change, Added | Changed)}
    for name in seed_order(target.model) if target.model is not None and changed else ():
        if name in changed:
            yield Step(0, "fill", f"data {name}", risk="additive",
                       note="records that are missing come in; what people changed stays")


def _validate(wanted: tuple[DesiredTable, ...], target: State, facts: Facts) -> Iterator[Step]:
    for table in wanted:
        for name in (*(key.name for key in table.foreign_keys), *(check.name for check in table.checks)):
            if not facts.constraints.get(name, ("", False))[1]:
                rows = facts.rows.get(table.name, 0)
                yield Step(0, "validate", target.names[table.identity], (ddl.validate(name, table.name),), ONLINE,
                           "long" if rows > LONG_ROWS else "additive", rows, round(rows / CHECKED_PER_SECOND, 2))


def _park(base: State, target: State, tables: tuple[DesiredTable, ...], facts: Facts) -> Iterator[Step]:
    """Members that the target lacks keep their columns; indexes that nothing asks for any more go."""
    gone = sorted(set(base.identities.values()) - set(target.identities.values()))
    for identity in gone:
        yield Step(0, "park", base.names[identity], risk="lossy", rows=facts.values.get(identity, 0),
                   identities=(identity,), note="hidden; its values stay and return with it")
    wanted = {index.name for table in tables for index in table.indexes}
    ours = {index.name: table for table in _wanted(base, target, facts) for index in table.indexes}
    for name in sorted(set(ours) - wanted):
        if name in facts.indexes:
            yield Step(0, "park", base.names[ours[name].identity], (ddl.drop_index(name, concurrently=True),), ONLINE,
                       "metadata", probe=Probe("gone", ours[name].name, (name,)), note=f"index {name} is not asked for")
    kept = {check.name for table in tables for check in table.checks}
    for table in _wanted(base, target, facts):
        for check in table.checks:
            if check.name not in kept and check.name in facts.constraints:
                yield Step(0, "park", base.names[table.identity], (ddl.drop_constraint(check.name, table.name),), BRIEF,
                           note=f"condition {check.name} is not asked for")


# What a person should know.

def _notes(base: State, changes: tuple[Change, ...], facts: Facts) -> Iterator[Words]:
    for change in changes:
        if isinstance(change, Removed) and change.kind in ("table", "field") and change.name in base.identities:
            yield _parking_note(change, facts.values.get(base.identities[change.name]))
        if isinstance(change, Returned):
            yield words("{what} returns with the values it had when it was removed",
                        what=called(change.kind, change.name))
        if isinstance(change, Removed) and change.kind == "choice":
            yield words("records that hold {name} keep it, as a value that cannot be chosen any more",
                        name=change.name)


def _parking_note(change: Removed, values: int | None) -> Words:
    what = called(change.kind, change.name)
    if values is None:
        return words("{what} is parked: what it holds is kept, and returns when it does", what=what)
    if change.kind == "table":
        return words("{what} is parked: {count} records are kept, and return when it does", what=what, count=values)
    return words("{what} is parked: {count} values are kept, and return when it does", what=what, count=values)

