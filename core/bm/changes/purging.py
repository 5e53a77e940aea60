"""What a step of a purge does: the records, what is kept beside them, their columns, and the memory that they went."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Integer, delete, func, insert, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.types import BigInteger

from core.bm.versions import tables
from core.bm.versions.tables import IDS

if TYPE_CHECKING:
    from core.bm.engine.run import Run
    from core.bm.engine.steps import Step

BATCH = 1_000
_FORGET_FIELDS = text("""
    update sys.history set change = change - cast(:keys as text[]) where id in (
        select id from sys.history where change ?| cast(:keys as text[]) limit :batch)""")
_FORGET_RECORDS = text("""
    delete from sys.history where id in (
        select id from sys.history where table_id = any(:ids) limit :batch)""").bindparams(IDS)
_BESIDE = (
    text("delete from sys.file where field_id = any(:ids)").bindparams(IDS),
    text("delete from sys.search where table_id = any(:ids)").bindparams(IDS),
    text("delete from sys.search_queue where table_id = any(:ids)").bindparams(IDS),
    text("delete from sys.remark where table_id = any(:ids)").bindparams(IDS),
    text("delete from sys.seed where table_id = any(:ids)").bindparams(IDS))


def purge(run: Run, step: Step) -> None:
    """The step: what hangs on it first, then the columns or the table, with the memory that they went."""
    data = step.data
    if data:
        for kind in data["kinds"]:
            _remove_rows(run, step, data["place"], kind)
        _forget(run, step, data)
    run.short(step, step.sql, partial(_note, run, step))


def _remove_rows(run: Run, step: Step, place: str, kind: int) -> None:
    """The records of a kind, whose table goes on for others."""
    source = sql_table(place, sql_column("id", BigInteger), sql_column("_type", Integer), schema="ed")
    some = select(source.c.id).where(source.c["_type"] == kind).limit(BATCH)
    statement = delete(source).where(source.c.id.in_(some))
    while True:
        with run.begin() as connection:
            if not run.change(step, connection, statement):
                return
        run.check()


def _forget(run: Run, step: Step, data: Mapping[str, Any]) -> None:
    """What is kept beside records: files, words, remarks; and history, unless it is to be kept."""
    with run.begin() as connection:
        for statement in _BESIDE:
            run.change(step, connection, statement, {"ids": data["members"]})
    waiting = [(_FORGET_FIELDS, {"keys": [str(one) for one in data["fields"]], "batch": BATCH}),
               (_FORGET_RECORDS, {"ids": data["records"], "batch": BATCH})] if data["forget"] else []
    for statement, given in waiting:
        while given.get("keys") or given.get("ids"):
            with run.begin() as connection:
                if not run.change(step, connection, statement, given):
                    break
            run.check()


def _note(run: Run, step: Step, connection: Connection) -> None:
    """Remember what went, in the transaction in which it goes."""
    data = step.data
    if data:
        connection.execute(insert(tables.purged), [
            {"storage": int(storage), "member": member, "path": path, "by_name": run.order.author}
            for storage, (member, path) in data["paths"].items()])
        connection.execute(tables.physical.delete().where(tables.physical.c.id.in_(step.identities)))
        connection.execute(tables.member.update().values(state="purged", changed_on=func.now())
                           .where(tables.member.c.id.in_(data["members"])))
    run.done(connection, step)
