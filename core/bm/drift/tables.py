"""Drift in the tables of records: what live's version needs there, and what the catalog has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from core.bm.changes.expanding import wanted_tables
from core.bm.inputs.drifted import TABLES, Drifted
from core.bm.inputs.facts import Facts
from core.bm.versions.state import EMPTY, State
from core.database import ddl
from core.ed.schema import SYSTEM_COLUMNS, DesiredTable
from core.errors import Words, words

OURS = re.compile(r"(ix|uq|fk|ck|rq)_\d+(_[0-9a-f]{12}|_\d+)?")     # names that promotions give
_CONSTRAINTS = text("""
    select k.conname as name, c.relname as table_name, pg_get_constraintdef(k.oid) as said from pg_constraint k
      join pg_class c on c.oid = k.conrelid
     where c.relnamespace = 'ed'::regnamespace and k.contype not in ('p', 'n') order by c.relname, k.conname""")
_REQUIRED = text("""
    select c.relname as table_name, a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'ed'::regnamespace and c.relkind = 'r' and a.attnotnull and a.attnum > 0""")
_TRIGGERS = text("""
    select t.tgname as name, c.relname as table_name, pg_get_triggerdef(t.oid) as said from pg_trigger t
      join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
     where c.relnamespace = 'ed'::regnamespace and not t.tgisinternal
       and p.oid <> to_regprocedure('sys.touch()') order by c.relname, t.tgname""")


@dataclass(frozen=True, slots=True)
class Catalog:
    """What facts leave out: constraints as SQL, columns that somebody made required, triggers."""

    constraints: tuple[tuple[str, str, str], ...]
    required: frozenset[tuple[str, str]]
    triggers: tuple[tuple[str, str, str], ...]

    @classmethod
    def read(cls, connection: Connection) -> Catalog:
        """Look it up in three small statements."""
        return cls(
            tuple((row.table_name, row.name, row.said) for row in connection.execute(_CONSTRAINTS)),
            frozenset((row.table_name, row.name) for row in connection.execute(_REQUIRED)),
            tuple((row.table_name, row.name, row.said) for row in connection.execute(_TRIGGERS)))


def compare(state: State, facts: Facts, catalog: Catalog) -> Iterator[Drifted]:
    """Everything in which the tables are not as live's version wants them."""
    wanted = wanted_tables(state, EMPTY, facts)
    for table in wanted:
        if table.name not in facts.columns:
            yield Drifted(TABLES, "missing table", table.name, words("table ed.{name}", name=table.name),
                          words("no such table"), _from_backup(), stops=True)
            continue
        yield from _columns(table, facts, catalog)
        yield from _indexes(table, facts)
        yield from _constraints(table, facts)
    yield from _extra(wanted, facts, catalog)
    yield from _noted(wanted, facts)


def _from_backup() -> Words:
    return words("bring it back from a backup; nothing here knows what stood in it")


def _columns(table: DesiredTable, facts: Facts, catalog: Catalog) -> Iterator[Drifted]:
    there = facts.columns[table.name]
    expected = {**SYSTEM_COLUMNS, **{column.name: column.type for column in table.columns}}
    for name, kind in expected.items():
        at = f"{table.name}.{name}"
        if name not in there:
            yield Drifted(TABLES, "missing column", at, words("column of type {type}", type=kind),
                          words("no such column"), _from_backup(), stops=True)
        elif there[name] != kind:
            yield Drifted(TABLES, "other type", at, words("column of type {type}", type=kind),
                          words("column of type {type}", type=there[name]),
                          words("give the column its type again, by the SQL that changed it"), stops=True)
        elif name not in SYSTEM_COLUMNS and (table.name, name) in catalog.required:
            yield Drifted(TABLES, "required column", at, words("a column that may be empty"), words("not null"),
                          words("repair drops it: what is required is said by definitions"), stops=True,
                          repair=(ddl.drop_not_null(table.name, name),))


def _indexes(table: DesiredTable, facts: Facts) -> Iterator[Drifted]:
    for index in table.indexes:
        there = facts.indexes.get(index.name)
        if there is None or not there[1]:
            yield Drifted(TABLES, "missing index" if there is None else "broken index", f"{table.name}.{index.name}",
                          words("index {name}", name=index.name),
                          words("no such index") if there is None else words("an index that is not valid"),
                          words("repair builds it beside the users; so does the next promotion"),
                          repair=(index.create_concurrently,))


def _constraints(table: DesiredTable, facts: Facts) -> Iterator[Drifted]:
    missing = [(key.name, ddl.add_foreign_key(key.name, table.name, key.column, key.target))
               for key in table.foreign_keys if key.target in facts.columns]
    missing += [(check.name, ddl.add_check(check.name, table.name, check.columns)) for check in table.checks]
    for name, statement in missing:
        there = facts.constraints.get(name)
        if there is None or not there[1]:
            add = (statement,) if there is None else ()
            yield Drifted(TABLES, "missing constraint" if there is None else "unchecked constraint",
                          f"{table.name}.{name}", words("constraint {name}", name=name),
                          words("no such constraint") if there is None else words("rows of before were never checked"),
                          words("repair adds and checks it; rows that break it stop that, and are told"),
                          repair=(*add, ddl.validate(name, table.name)))


def _extra(wanted: Iterable[DesiredTable], facts: Facts, catalog: Catalog) -> Iterator[Drifted]:
    """What is there and nobody of ours made."""
    known: dict[str, set[str]] = {}
    for name, column in facts.physical.values():
        known.setdefault(name, set()).add(column or "")
    asked = {index.name for table in wanted for index in table.indexes}
    keep = words("adopt it, if it is to stay; else remove it by SQL")
    for name, columns in facts.columns.items():
        if name not in known:
            yield Drifted(TABLES, "extra table", name, words("no such table"),
                          words("table ed.{name}", name=name), keep, stops=True, adoptable=True)
            continue
        for column in sorted(set(columns) - known[name] - set(SYSTEM_COLUMNS)):
            yield Drifted(TABLES, "extra column", f"{name}.{column}", words("no such column"),
                          words("column of type {type}", type=columns[column]), keep, stops=True, adoptable=True)
    by_constraint = {name for _, name, _ in catalog.constraints}
    for index, (name, valid) in facts.indexes.items():
        if index not in asked and index not in by_constraint and not (OURS.fullmatch(index) and not valid):
            yield Drifted(TABLES, "extra index", f"{name}.{index}", words("no such index"),
                          words("index {name}", name=index), keep, adoptable=True)
    for name, constraint, said in catalog.constraints:
        ours = OURS.fullmatch(constraint) or constraint.removesuffix(ddl.YEARS) in facts.columns.get(name, {})
        if not ours and name in known:
            yield Drifted(TABLES, "extra constraint", f"{name}.{constraint}", words("no such constraint"),
                          said, keep, stops=True, adoptable=True)
    for name, trigger, said in catalog.triggers:
        yield Drifted(TABLES, "extra trigger", f"{name}.{trigger}", words("no such trigger"), said,
                      keep, stops=True, adoptable=True)


def _noted(wanted: Iterable[DesiredTable], facts: Facts) -> Iterator[Drifted]:
    """What sys.physical says of columns that are not there, and of what is parked."""
    asked = {(column.storage, column.part) for table in wanted for column in table.columns}
    there: Mapping[str, Mapping[str, str]] = facts.columns
    for (storage, part), (name, column) in sorted(facts.physical.items(), key=str):
        at = f"{name}.{column}" if column else name
        if (storage, part) not in asked and column and name in there and column not in there[name]:
            yield Drifted(TABLES, "missing parked column", at, words("the column of a parked field"),
                          words("no such column"), _from_backup(), stops=True)
        if (storage, part) in asked and (storage, part) in facts.parked_columns:
            yield Drifted(TABLES, "parked in use", at, words("a column that live uses"),
                          words("noted as parked in sys.physical"), words("repair notes it as live"),
                          release=(storage,))
