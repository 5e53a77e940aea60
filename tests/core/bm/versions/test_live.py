"""Versions in the database: what goes in comes out, once."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from core.bm.versions import live
from core.definition import load
from core.errors import NotFound, Refused
from core.plugins import Plugins
from tests.core.bm.conftest import Live


def test_a_stored_version_gives_the_model_it_was_made_of(system: Live) -> None:
    loaded = load(system.settings.addon_folders, system.site.metadata, system.plugins).must()
    with system.engine.connect() as connection:
        stored = live.load(connection, 1, system.plugins)
    assert stored.hash == loaded.hash
    assert [list(table.fields) for table in stored.tables.values()] == [
        list(table.fields) for table in loaded.tables.values()]
    assert {key: one.body for key, one in stored.definitions.items()} == {
        key: one.body for key, one in loaded.definitions.items()}


def test_definitions_that_did_not_change_are_stored_once(system: Live) -> None:
    before = system.sql("select count(*) from bm.definition")[0][0]
    system.site.write("deal.yaml", "change: table deal\nfields: {region: {type: text}}\n")
    system.promote()
    # the change, and the two that merge it: the table and nothing else
    assert system.sql("select count(*) from bm.definition")[0][0] == before + 2


def test_all_definitions_of_a_version_come_in_one_statement(system: Live) -> None:
    statements: list[str] = []
    event.listen(system.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    with system.engine.connect() as connection:
        list(live.merged(connection, 1))
    assert len(statements) == 1


def test_a_version_whose_code_is_not_here_is_refused_by_name(system: Live) -> None:
    with system.engine.connect() as connection:
        connection.exec_driver_sql("update bm.version set code = '{\"rating\": \"1f3a\"}'")
        with pytest.raises(Refused, match=r"needs the Python code \(plugin\.py\) of: rating"):
            live.load(connection, 1, Plugins())
        live.load(connection, 1, Plugins({"rating": "another hash: the code of a newer release may run it too"}))


def test_there_is_no_other_version(system: Live) -> None:
    with system.engine.connect() as connection:
        with pytest.raises(NotFound):
            live.load(connection, 7, system.plugins)
        assert live.state(connection, 0, system.plugins).hash == ""


def test_the_role_that_serves_cannot_change_versions_or_the_pointer(system: Live) -> None:
    from core.database import engine as engines
    pool = engines.open(system.settings, "app")
    with pool.begin() as connection:
        live.raise_epoch(connection)
    for statement in ("update bm.live set version = null", "delete from bm.definition",
                      "update bm.version set hash = 'x'",
                      "insert into bm.promotion (target, plan, plan_hash, state) values (1, '{}', '', 'done')"):
        with pytest.raises(Exception, match="permission denied"), pool.begin() as connection:
            connection.exec_driver_sql(statement)
    pool.dispose()
