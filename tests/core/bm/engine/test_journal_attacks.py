"""What the journal keeps and may not keep: nothing of what records hold, and nothing that anybody changes afterwards."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

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
    "truncate bm.statement", "truncate bm.promotion cascade", "truncate bm.wish"])
def test_what_a_promotion_did_stays_as_it_was_written(system: Live, role: str, statement: str) -> None:
    pool = engines.open(system.settings, role)
    try:
        with pool.connect() as connection, pytest.raises(DBAPIError):
            connection.execute(text(statement))
    finally:
        pool.dispose()
