"""What must be true of a database after any promotion, however often it broke off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from core.bm.inputs.facts import gather
from core.bm.versions import live
from core.database import engine as engines
from core.ed.schema import desired
from core.plugins import Plugins
from core.settings import ROOT, Settings


def query(home: Path, statement: str, **parameters: object) -> list[tuple[Any, ...]]:
    """Rows of the embedded database of a home that a server keeps running."""
    pool = engines.open(Settings(home=home), "owner")
    try:
        with pool.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]
    finally:
        pool.dispose()


def change(home: Path, statement: str) -> None:
    """Change what no command changes, in the embedded database of a home that a server keeps running."""
    pool = engines.open(Settings(home=home), "owner")
    try:
        with pool.begin() as connection:
            connection.execute(text(statement))
    finally:
        pool.dispose()


def disagreements(home: Path) -> list[str]:
    """Where live, the journal, the catalog and the physical names of a home do not say the same."""
    pool = engines.open(Settings(home=home), "owner")
    try:
        return disagreements_of(pool, Plugins.load((ROOT / "addons",)))
    finally:
        pool.dispose()


def disagreements_of(pool: Engine, plugins: Plugins) -> list[str]:
    """The same of any database."""
    with pool.connect() as connection:
        return [*_journal(connection), *_members(connection), *_left_over(connection), *_catalog(connection, plugins),
                *_storages(connection), *_parked(connection)]


def _journal(connection: Connection) -> list[str]:
    wrong = [f"promotion {row.id} is still {row.state}" for row in connection.execute(text(
        "select id, state from bm.promotion where state not in ('done', 'abandoned', 'failed', 'cancelled')"))]
    last = connection.execute(text(
        "select target from bm.promotion where state = 'done' order by id desc limit 1")).scalar()
    version, _ = live.current(connection)
    if last != version:
        wrong.append(f"live is {version}, the last promotion that is done made {last}")
    wrong += [f"step {row.number} of promotion {row.promotion_id} is {row.state}" for row in connection.execute(text(
        "select promotion_id, number, s.state from bm.step s join bm.promotion p on p.id = promotion_id"
        " where p.state = 'done' and s.state <> 'done'"))]
    return [*wrong, *_statements(connection)]


def _statements(connection: Connection) -> list[str]:
    """What was run is what the plan says, as far as a step has SQL: nothing else, and in its order."""
    wrong = []
    for row in connection.execute(text(
            "select p.id, p.plan -> 'steps' as steps, array(select s.sql from bm.statement s"
            " where s.promotion_id = p.id and not s.undo and s.step = any (array(select t.number from bm.step t"
            " where t.promotion_id = p.id and t.kind in ('expand', 'index', 'validate'))) order by s.number) as ran"
            " from bm.promotion p where p.state = 'done'")):
        planned = [sql for step in row.steps if step["kind"] in ("expand", "index", "validate") for sql in step["sql"]]
        if list(dict.fromkeys(row.ran)) != planned:
            wrong.append(f"promotion {row.id} ran something else than its plan says")
    return wrong


def _members(connection: Connection) -> list[str]:
    """Every member has exactly the state that the live version gives it."""
    version, _ = live.current(connection)
    identities = live.identities(connection, version)
    wrong = []
    there = {row.id: row for row in connection.execute(text("select id, path, state from bm.member"))}
    for path, identity in identities.items():
        row = there.pop(identity, None)
        if row is None or (row.path, row.state) != (path, "live"):
            wrong.append(f"{path} ({identity}) is {row} in bm.member")
    wrong += [f"{row.path} ({row.id}) is {row.state}, and not in the live version" for row in there.values()
              if row.state != "parked"]
    wrong += [f"sys.physical has {identity}, which is no member" for (identity,) in connection.execute(text(
        "select distinct p.id from sys.physical p left join bm.member m on m.id = p.id where m.id is null"
        " and not exists (select from bm.version v, jsonb_each_text(v.storage) s where s.value::bigint = p.id)"))]
    wrong += [f"{path}: {state} is {there} in sys.physical" for path, state, there in connection.execute(text(
        "select m.path, m.state, p.state from sys.physical p join bm.member m on coalesce(m.storage, m.id) = p.id"
        # of a table that got a base the one where its records were stays beside
        " where m.state <> p.state and not (p.column_name is null and p.state = 'parked' and cardinality(m.homes) > 1)"))]
    return wrong


def _left_over(connection: Connection) -> list[str]:
    """What is there only while a promotion is under way."""
    wrong = [f"record {record} is still to be filled" for (record,) in connection.execute(text(
        "select record from sys.touched limit 5"))]
    wrong += [f"trigger {name} of {table} is left over" for name, table in connection.execute(text(
        "select tgname, tgrelid::regclass from pg_trigger where tgfoid = 'sys.touch'::regproc"
        " or tgfoid in (select oid from pg_proc where proname like 'touch%')"))]
    wrong += [f"{identity} is still to be computed" for (identity,) in connection.execute(text(
        "select id from sys.physical where pending"))]
    wrong += [f"{path} was never live" for (path,) in connection.execute(text(
        "select path from bm.member where state = 'new'"))]
    wrong += [f"session {name} still holds the lock" for (name,) in connection.execute(text(
        "select a.application_name from pg_locks l join pg_stat_activity a using (pid)"
        " where l.locktype = 'advisory' and l.objid = 7236002 and l.granted and l.database ="
        " (select oid from pg_database where datname = current_database())"))]
    return wrong


def _storages(connection: Connection) -> list[str]:
    """Where the live version says that values stand, they stand: each member's storage is that of the version."""
    version, _ = live.current(connection)
    storages = live.storages(connection, version)
    members = dict(connection.execute(text("select path, storage from bm.member where state = 'live'")).all())
    wrong = [f"{path} stands in {members[path]}, and the version says {storages.get(path)}" for path in members
             if members[path] != storages.get(path)]
    there = set(connection.scalars(text("select id from sys.physical where state = 'live'")))
    return wrong + [f"{path} stands in {storage}, which has no live column" for path, storage in storages.items()
                    if "." in path and storage not in there]


def _parked(connection: Connection) -> list[str]:
    """What is parked is still there with its column, and nothing else is marked as parked."""
    version, _ = live.current(connection)
    used = {*live.identities(connection, version).values(), *live.storages(connection, version).values()}
    storages = live.storages(connection, version)
    moved = {identity for path, identity in live.identities(connection, version).items() if path in storages}
    return [f"{identity} is parked, and live uses it" for (identity,) in connection.execute(text(
        "select distinct id from sys.physical where state = 'parked' and column_name is not null"))
        if identity in used - moved]


def _catalog(connection: Connection, plugins: Plugins) -> list[str]:
    """Tables, columns, indexes, keys and conditions are those that the live version wants, and those of what is parked."""
    version, _ = live.current(connection)
    facts = gather(connection)
    mapped = {(table, column) for table, column in facts.physical.values()}
    real = {(table, None) for table in facts.columns} | {
        (table, column) for table, columns in facts.columns.items() for column in columns}
    own = {"id", "_type", "_version", "_deleted_on", "created_on", "created_by", "changed_on", "changed_by"}
    wrong = [f"{place} is in sys.physical and not in the catalog" for place in sorted(mapped - real, key=str)]
    wrong += [f"{place} is in the catalog and not in sys.physical" for place in sorted(real - mapped, key=str)
              if place[1] not in own]
    wrong += [f"index {name} is broken" for name, (_, valid) in facts.indexes.items() if not valid]
    wrong += [f"key {name} is not validated" for name, (_, valid) in facts.constraints.items() if not valid]
    wanted = desired(live.system(connection, version, plugins))
    for table in wanted:
        wrong += [f"index {one.name} is missing" for one in table.indexes if one.name not in facts.indexes]
        wrong += [f"key {one.name} is missing" for one in table.foreign_keys if one.name not in facts.constraints]
        wrong += [f"condition {one.name} is missing" for one in table.checks if one.name not in facts.constraints]
    wrong += [f"{name} was tightened and is not there" for (name,) in connection.execute(text(
        "select required.value ->> 'name' from jsonb_array_elements((select plan -> 'steps' from bm.promotion"
        " where state = 'done' order by id desc limit 1)) step, jsonb_array_elements(step.value -> 'data' -> 'required')"
        " required where step.value ->> 'kind' = 'tighten'")) if name not in facts.constraints]
    return wrong
