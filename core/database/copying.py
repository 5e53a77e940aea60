"""Whole tables out of a database and into one, by COPY, with sequences; only names become SQL, quoted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg2 import sql
from sqlalchemy import Connection, text

from core.database.engine import driver

SCHEMAS = ("sys", "bm", "ed", "jobs")
PART = 1 << 16                   # bytes that are read at once
_TABLES = text(
    "select n.nspname || '.' || c.relname, array_agg(a.attname::text order by a.attnum) from pg_class c"
    " join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid"
    " where n.nspname = any(:schemas) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped"
    " and a.attgenerated = '' group by 1 order by 1")
_KEYS = text(
    "select distinct sn.nspname || '.' || s.relname, tn.nspname || '.' || t.relname from pg_constraint k"
    " join pg_class s on s.oid = k.conrelid join pg_namespace sn on sn.oid = s.relnamespace"
    " join pg_class t on t.oid = k.confrelid join pg_namespace tn on tn.oid = t.relnamespace"
    " where k.contype = 'f' and sn.nspname = any(:schemas)")
_SEQUENCES = text(
    "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where c.relkind = 'S' and n.nspname = any(:schemas) order by 1")


def tables(connection: Connection) -> dict[str, tuple[str, ...]]:
    """All tables of ours with their columns."""
    return {str(name): tuple(columns) for name, columns in connection.execute(_TABLES, {"schemas": list(SCHEMAS)})}


def in_order(connection: Connection, names: Iterable[str]) -> list[str]:
    """Those tables, each after the ones that its foreign keys lead to."""
    waiting = sorted(names)
    needs: dict[str, set[str]] = {name: set() for name in waiting}
    for source, target in connection.execute(_KEYS, {"schemas": list(SCHEMAS)}):
        if source in needs and target in needs and source != target:
            needs[source].add(target)
    done: list[str] = []
    while waiting:
        ready = [name for name in waiting if needs[name] <= set(done)] or waiting
        done += ready
        waiting = [name for name in waiting if name not in ready]
    return done


def copy_out(connection: Connection, table: str, columns: Sequence[str], out: Any) -> None:
    """Write the rows of a table, in the text format of COPY, to something with a `write`."""
    statement = sql.SQL("copy {} ({}) to stdout").format(_name(table), _names(columns))
    driver(connection).copy_expert(statement, out)


def copy_in(connection: Connection, table: str, columns: Sequence[str], source: Any) -> None:
    """Read rows into a table; its own triggers rest meanwhile."""
    cursor = driver(connection)
    cursor.execute(sql.SQL("alter table {} disable trigger user").format(_name(table)))
    cursor.copy_expert(sql.SQL("copy {} ({}) from stdin").format(_name(table), _names(columns)), source, PART)
    cursor.execute(sql.SQL("alter table {} enable trigger user").format(_name(table)))


def empty(connection: Connection, names: Iterable[str]) -> None:
    """Remove the rows that the steps put into new tables."""
    cursor = driver(connection)
    for name in reversed(list(names)):
        cursor.execute(sql.SQL("delete from {}").format(_name(name)))


def sequences(connection: Connection) -> dict[str, tuple[int, bool]]:
    """How far each sequence is."""
    found = {}
    for name in connection.scalars(_SEQUENCES, {"schemas": list(SCHEMAS)}).all():
        cursor = driver(connection)
        cursor.execute(sql.SQL("select last_value, is_called from {}").format(_name(name)))
        last, called = cursor.fetchone()
        found[str(name)] = (int(last), bool(called))
    return found


def set_sequences(connection: Connection, values: Mapping[str, tuple[int, bool]]) -> None:
    """Set the sequences that are there to where they were."""
    there = set(connection.scalars(_SEQUENCES, {"schemas": list(SCHEMAS)}))
    for name, (last, called) in values.items():
        if name in there:
            driver(connection).execute("select setval(%s::regclass, %s, %s)", (name, last, called))


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split(".", 1))


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
