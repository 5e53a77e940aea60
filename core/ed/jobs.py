"""What `work` processes do for records: keep the search index up to date, and build it anew when asked."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, exists, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from core.database.engine import transaction
from core.database.jobs import Job, task
from core.ed import tables
from core.ed.search_index import index_queue, queue_all

BATCH = 500
POSITION = "rebuild_search"                          # the setting that says how far a rebuild came
_SETTING = Table("setting", MetaData(schema="sys"), Column("key", Text, primary_key=True), Column("value", JSONB))


@task("index_search", every=0.5)
def index_search(job: Job) -> None:
    """Index what was written since; every `work` process looks twice a second."""
    while _waiting(job) and _index_batch(job):
        job.check()


@task("rebuild_search")
def rebuild_search(job: Job) -> None:
    """Queue every record of every table and index it; a run that was cut off goes on with the table it was at.

    The index stays usable meanwhile: each record's words are replaced, and those of records that are gone removed.
    """
    while _queue_next_table(job):
        job.check()
        index_search(job)
    index_search(job)
    with transaction(job.engine) as connection:
        connection.execute(delete(_SETTING).where(_SETTING.c.key == POSITION))


def _waiting(job: Job) -> bool:
    with job.engine.connect() as connection:
        return bool(connection.scalar(select(exists(select(tables.search_queue.c.record_id)))))


def _index_batch(job: Job) -> int:
    """One batch in its own transaction, with the System that is live now."""
    with transaction(job.engine) as connection:
        system = job.system(connection)
        return index_queue(connection, system, BATCH) if system is not None else 0


def _queue_next_table(job: Job) -> bool:
    """Queue the next table's records and note so, in one transaction; False when all are queued."""
    with transaction(job.engine) as connection:
        system = job.system(connection)
        if system is None:
            return False
        after = _position(connection, job.id)
        names = sorted(name for name, table in system.model.tables.items() if not table.abstract and name > after)
        if not names:
            return False
        _forget_gone(connection, system, names[0])
        queue_all(connection, system, [names[0]])
        _note(connection, job.id, names[0])
        return True


def _position(connection: Connection, job: int) -> str:
    found: Any = connection.scalar(select(_SETTING.c.value).where(_SETTING.c.key == POSITION))
    return str(found["table"]) if found and found["job"] == job else ""


def _note(connection: Connection, job: int, table: str) -> None:
    new = insert(_SETTING).values(key=POSITION, value={"job": job, "table": table})
    connection.execute(new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}))


def _forget_gone(connection: Connection, system: Any, table: str) -> None:
    """Remove from the index what belongs to no record of the table any more."""
    stored = system.stored(table)
    there = exists(select(stored.column("id")).where(stored.column("id") == tables.search.c.record_id))
    connection.execute(delete(tables.search).where(tables.search.c.table_id == stored.type_id, ~there))
