"""Tables, columns, keys and indexes: what a version needs that is not there, and what it needs no longer, as steps."""

from __future__ import annotations

from collections.abc import Iterator

from core.bm.engine.steps import BOTH, BRIEF, ONLINE, Kind, Probe, Step, risk_of
from core.bm.inputs.facts import Facts
from core.bm.inputs.way import Way
from core.bm.versions.homes import foreign_roots, home, homes, moving
from core.bm.versions.state import State
from core.database import ddl
from core.ed.schema import DesiredCheck, DesiredForeignKey, DesiredIndex, DesiredTable, desired, name_all
from core.ed.system import System
from core.errors import words

INDEXED_PER_SECOND = 200_000
CHECKED_PER_SECOND = 1_000_000


def wanted_tables(state: State, other: State, facts: Facts) -> tuple[DesiredTable, ...]:
    """What a state needs in the database; kinds that only the other state has, or that are parked, keep their rows."""
    if state.model is None:
        return ()
    names = name_all(state.model, state.identities, facts.physical, state.storages)
    known = (*facts.homes, *homes(other.model, other.identities, other.storages).items())
    foreign = foreign_roots(known, state.model, state.identities, state.storages)
    key = frozenset(names.items()), foreign
    if key not in state.wanted:                 # every family of a plan asks, and it is the most of a plan's work
        state.wanted[key] = desired(System(0, state.model, state.identities, names, foreign=foreign,
                                           storages=state.storages))
    return state.wanted[key]


def steps(way: Way) -> Iterator[Step]:
    """All that has to be there in the database, and what need not be there any more."""
    tables = wanted_tables(way.target, way.base, way.facts)
    late = receiving(way)
    yield from expand(tables, way.target, way.facts, late)
    yield from indexes(tables, way.target, way.facts, late)
    yield from validate(tables, way.target, way.facts, late)
    yield from park(way.base, way.target, tables, way.facts)


def receiving(way: Way) -> frozenset[str]:
    """The physical tables that get records of tables which stand elsewhere: their keys and indexes come after them."""
    base, target = way.base, way.target
    if base.model is None or target.model is None:
        return frozenset()
    names = name_all(target.model, target.identities, way.facts.physical, target.storages)
    return frozenset(names[home(target, path), ""][0] for _, path in moving(base, target))


NONE: frozenset[str] = frozenset()


def expand(wanted: tuple[DesiredTable, ...], target: State, facts: Facts,
           late: frozenset[str] = NONE) -> Iterator[Step]:
    for table in wanted:
        if table.name in facts.columns:
            yield from _add_columns(table, target, facts)
        else:
            yield _create_table(table, target, table.name in late)
    for table in wanted:
        for key in table.foreign_keys:
            if key.name not in facts.constraints and table.name not in late:
                yield _foreign_key(table, key, target, facts)
        for check in table.checks:
            if check.name not in facts.constraints:
                yield _check(table, check, target, facts)


def _create_table(table: DesiredTable, target: State, late: bool) -> Step:
    columns = [ddl.Column(column.name, column.type) for column in table.columns]
    required = [one.constraint for one in table.required if not late]
    sql = (ddl.create_table(table.name, columns, required),
           *(index.create for index in table.indexes if not late))
    return Step(0, "expand", target.names[table.identity], sql, "none on others", "additive",
                probe=Probe("columns", table.name, ("id", *(column.name for column in columns))),
                undo=(ddl.drop_table(table.name),), note=words("new table {name}", name=f"ed.{table.name}"),
                identities=(table.storage, *dict.fromkeys(column.storage for column in table.columns)))


def _add_columns(table: DesiredTable, target: State, facts: Facts) -> Iterator[Step]:
    there = facts.columns[table.name]
    new = [column for column in table.columns if column.name not in there]
    back = [column.storage for column in table.columns if (column.storage, column.part) in facts.parked_columns]
    if (table.storage, "") in facts.parked_columns:
        back.insert(0, table.storage)
    if not new and not back:
        return
    names = tuple(column.name for column in new)
    sql = (ddl.add_columns(table.name, [ddl.Column(column.name, column.type) for column in new]),) if new else ()
    storages = tuple(dict.fromkeys((*back, *(column.storage for column in new))))
    fields = ", ".join(target.paths[storage].rpartition(".")[2] for storage in storages)
    yield Step(0, "expand", target.names[table.identity], sql, BRIEF if new else "", "additive" if new else "metadata",
               rows=facts.rows.get(table.name, 0), seconds=0.01 if new else 0.0,
               probe=Probe("columns", table.name, names), identities=storages,
               undo=(ddl.drop_columns(table.name, names),) if new else (),
               note=words("columns for {fields}" if new else "parked columns return: {fields}", fields=fields))


def _foreign_key(table: DesiredTable, key: DesiredForeignKey, target: State, facts: Facts,
                 kind: Kind = "expand") -> Step:
    sql = ddl.add_foreign_key(key.name, table.name, key.column, key.target)
    return Step(0, kind, target.names[table.identity], (sql,), BOTH, "additive",
                rows=facts.rows.get(table.name, 0), seconds=0.01, probe=Probe("constraint", table.name, (key.name,)),
                undo=(ddl.drop_constraint(key.name, table.name),),
                note=words("foreign key of {column}", column=key.column))


def _check(table: DesiredTable, check: DesiredCheck, target: State, facts: Facts) -> Step:
    sql = ddl.add_check(check.name, table.name, check.columns)
    return Step(0, "expand", target.names[table.identity], (sql,), BRIEF, "additive",
                rows=facts.rows.get(table.name, 0), seconds=0.01, probe=Probe("constraint", table.name, (check.name,)),
                undo=(ddl.drop_constraint(check.name, table.name),),
                note=words("at most one of {columns} is filled", columns=", ".join(check.columns)))


def indexes(wanted: tuple[DesiredTable, ...], target: State, facts: Facts,
            late: frozenset[str] = NONE) -> Iterator[Step]:
    for table in wanted:
        if table.name not in facts.columns and table.name not in late:
            continue                                # made with its table
        for index in table.indexes:
            if not facts.indexes.get(index.name, ("", False))[1]:
                yield _index(table, index, target, facts)


def _index(table: DesiredTable, index: DesiredIndex, target: State, facts: Facts) -> Step:
    rows = facts.rows.get(table.name, 0)
    return Step(0, "index", target.names[table.identity], (index.create_concurrently,), ONLINE,
                risk_of(rows), rows, round(0.05 + rows / INDEXED_PER_SECOND, 2),
                Probe("index", table.name, (index.name,)), (ddl.drop_index(index.name, concurrently=True),),
                "fails if two records are equal in it" if index.unique else "")


def validate(wanted: tuple[DesiredTable, ...], target: State, facts: Facts,
             late: frozenset[str] = NONE) -> Iterator[Step]:
    for table in wanted:
        for key in table.foreign_keys:
            elsewhere = facts.references.get(key.name, key.target) != key.target
            if elsewhere or (table.name in late and key.name not in facts.constraints):
                yield _foreign_key(table, key, target, facts, "validate")       # the other one is gone by then
    for table in wanted:
        for name in (*(key.name for key in table.foreign_keys), *(check.name for check in table.checks)):
            if not _holds(table, name, facts):
                rows = facts.rows.get(table.name, 0)
                yield Step(0, "validate", target.names[table.identity], (ddl.validate(name, table.name),), ONLINE,
                           risk_of(rows), rows, round(rows / CHECKED_PER_SECOND, 2))


def _holds(table: DesiredTable, name: str, facts: Facts) -> bool:
    elsewhere = any(key.name == name and facts.references.get(name, key.target) != key.target
                    for key in table.foreign_keys)
    return facts.constraints.get(name, ("", False))[1] and not elsewhere


def park(base: State, target: State, tables: tuple[DesiredTable, ...], facts: Facts) -> Iterator[Step]:
    """What the target lacks keeps its columns, as do values that stand elsewhere; indexes that nothing asks for go."""
    there = set(target.identities.values())
    for storage in sorted(base.paths.keys() - target.paths.keys()):
        path = base.paths[storage]
        if base.identities[path] not in there:
            yield Step(0, "park", path, risk="lossy", rows=facts.values.get(base.identities[path], 0),
                       identities=(storage,), note=words("hidden; its values stay and return with it"))
        elif base.members[path].parts:
            yield Step(0, "park", path, identities=(storage,),
                       note=words("its values as they were stay, for a way back"))
    wanted = {index.name for table in tables for index in table.indexes}
    ours = {index.name: table for table in wanted_tables(base, target, facts) for index in table.indexes
            if not index.unique}                    # what was to be unique is loosened before the flip
    for name in sorted(set(ours) - wanted):
        if name in facts.indexes:
            yield Step(0, "park", base.names[ours[name].identity], (ddl.drop_index(name, concurrently=True),), ONLINE,
                       "metadata", probe=Probe("gone", ours[name].name, (name,)),
                       note=words("index {name} is not asked for", name=name))
