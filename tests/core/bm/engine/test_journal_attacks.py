"""What the journal keeps and may not keep: nothing of what records hold, and nothing that anybody changes afterwards."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.bm.engine.steps import Step
from core.database import engine as engines
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON

CANARY = "canary-7391"


def everything_of_bm(system: Live) -> str:
    """All that the business model keeps, as text."""
    with system.engine.connect() as connection:
        names = connection.scalars(text("select tablename from pg_tables where schemaname = 'bm'")).all()
        return "\n".join(json.dumps([str(row) for row in connection.execute(text(f'select * from bm."{name}"'))])
                         for name in names)


def test_past_case_21_what_records_hold_is_nowhere_in_the_journal(system: Live) -> None:
    """Batches of a fill and of a conversion, a row that was settled, a removed field, a purge."""
    for one in range(3):
        system.create("company", name=f"{CANARY}-{one}", size=73917391)
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("size: {type: integer}", "size: {type: text}").replace(
        "  kind:", '  code: {type: text, required: true, fill: "=name"}\n          kind:'))
    system.promote()
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("size: {type: integer}", "size: {type: text}"))
    system.promote()
    system.rollback()
    kept = everything_of_bm(system)
    assert "update" in kept.lower() and CANARY not in kept and "73917391" not in kept


@pytest.mark.parametrize("role", ["owner", "app"])
@pytest.mark.parametrize("statement", [
    "update bm.promotion set by_name = 'somebody else'", "update bm.promotion set state = 'running'",
    "update bm.promotion set id = -id", "delete from bm.promotion", "delete from bm.step", "delete from bm.statement",
    "update bm.statement set sql = 'select 1'", "update bm.step set promotion_id = promotion_id + 1",
    "truncate bm.statement", "truncate bm.promotion cascade", "truncate bm.wish",
    "insert into bm.step (promotion_id, number, kind, target, state) values (1, 99, 'seed', 'x', 'done')",
    "insert into bm.statement (promotion_id, number, step, sql, started_on, ended_on)"
    " values (1, 999, 1, 'drop table x', now(), now())",
    "insert into bm.wish (promotion_id, wish, by_name, host, process) values (1, 'cancel', 'anna', '', 1)",
    "insert into bm.fault (promotion_id, said, place, host, process) values (1, 'x', '', '', 1)",
    "insert into bm.promotion (target, plan, plan_hash, state) select target, plan, plan_hash, 'done' from bm.promotion",
    "insert into bm.promotion (target, plan, plan_hash, state) select target, plan, plan_hash, 'flipped'"
    " from bm.promotion"])
def test_what_a_promotion_did_stays_as_it_was_written(system: Live, role: str, statement: str) -> None:
    pool = engines.open(system.settings, role)
    try:
        with pool.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text(statement))
    finally:
        pool.dispose()


def test_nothing_of_an_open_promotion_is_moved_into_one_that_has_ended(system: Live) -> None:
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")

    def move(step: Step) -> None:
        for table in ("step", "statement") if step.kind == "prepare" else ():
            with pytest.raises(DBAPIError, match="promotion 1 has ended"), system.engine.begin() as connection:
                connection.execute(text(f"update bm.{table} set promotion_id = 1, number = number + 500"
                                        " where promotion_id = 2"))
    system.promote(say=move)
    assert system.version == 2
