"""Our own tables: made by numbered steps, each once, and the app role may do no more than it needs."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from core.database import engine as engines
from core.database import health, steps
from core.errors import Refused


def test_a_database_has_every_step_once(connection: Connection) -> None:
    assert steps.applied(connection) == {step.number for step in steps.available()}
    assert steps.missing(connection) == ()
    assert steps.upgrade(connection) == ()


def test_no_two_steps_have_one_number() -> None:
    """Gaps are fine: numbers are given out before steps are written."""
    numbers = [step.number for step in steps.available()]
    assert numbers == sorted(set(numbers)) and numbers[0] == 1


def test_a_database_of_a_newer_release_is_refused(connection: Connection) -> None:
    connection.execute(text("insert into public.tessera_step (number, name) values (9999, 'later')"))
    with pytest.raises(Refused, match="newer release"):
        steps.upgrade(connection)


def test_all_schemas_and_extensions_are_there(connection: Connection) -> None:
    schemas = set(connection.scalars(text("select nspname from pg_namespace")))
    assert schemas >= {"sys", "bm", "ed", "jobs"}
    assert connection.scalar(text("select similarity(unaccent('Ärger'), 'Arger')")) == 1
    assert connection.scalar(text("select to_regclass('jobs.procrastinate_jobs') is not null"))


def test_past_case_7_the_app_role_is_no_superuser_and_owns_nothing(app_engine: Engine) -> None:
    with engines.transaction(app_engine) as app:
        name, superuser, creates = app.execute(text(
            "select current_user, rolsuper, rolcreaterole or rolcreatedb from pg_roles"
            " where rolname = current_user")).one()
        owned = app.scalar(text("select count(*) from pg_class c join pg_roles r on r.oid = c.relowner"
                                " where r.rolname = current_user"))
    assert (name, superuser, creates, owned) == ("tessera_app", False, False, 0)


def test_past_case_7_a_role_that_reaches_files_of_the_server_does_not_serve(
        app_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each role is a member of itself, so it stands for those that it must not be a member of."""
    def told() -> list[str]:
        with engines.transaction(app_engine) as app:
            return [line for line in health.problems(app) if "may do too much" in line]
    assert health.OUTSIDE == ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program") and not told()
    monkeypatch.setattr(health, "OUTSIDE", ("tessera_app",))
    assert told()


@pytest.mark.parametrize("statement", [
    "create table ed.x (a int)",
    "copy sys.setting to program 'id'",
    "copy sys.setting to '/tmp/x'",
    "copy sys.setting from '/etc/hostname'",
    "select lo_import('/etc/hostname')",
    "select pg_ls_dir('/')",
    "create role more",
    "create extension file_fdw",
    "load 'auto_explain'",
    "create table public.x (a int)",
    "drop table sys.setting",
    "delete from sys.history",
    "update sys.history set how = 'page'",
    "insert into bm.blob (hash, data) values ('x', '')",
    "update bm.live set version = null",
    "set role tessera",
    "select pg_read_file('/etc/hostname')",
])
def test_past_case_7_the_app_role_is_refused_what_is_not_its_own(app_engine: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied|must be owner|is not allowed"), engines.transaction(app_engine) as app:
        app.exec_driver_sql(statement)


def test_the_app_role_may_do_its_work(app_engine: Engine) -> None:
    with engines.transaction(app_engine) as app:
        app.execute(text("insert into sys.setting (key, value) values ('a', '1')"))
        app.execute(text("update bm.live set epoch = epoch + 1"))
        assert app.scalar(text("select nextval('ed.record_id')")) == 1


def test_tables_the_owner_makes_later_are_the_apps_to_use(engine: Engine, app_engine: Engine) -> None:
    with engines.transaction(engine) as owner:
        owner.execute(text("create table ed.later (id bigint primary key)"))
    with engines.transaction(app_engine) as app:
        app.execute(text("insert into ed.later values (1)"))
        assert app.scalar(text("select count(*) from ed.later")) == 1
