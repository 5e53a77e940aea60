"""The offline system's database: made beside live's, named by the settings where its owner may not make one."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest
from psycopg2 import sql
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from core import secrets
from core.database import engine as engines
from core.database import offline, setup
from core.errors import Refused
from core.settings import Settings


@pytest.fixture
def poor(database: Settings, engine: Engine) -> Iterator[Settings]:
    """Live with an owner who may not create databases."""
    name = f"{make_url(database.database or '').database}_poor"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        driver = engines.driver(connection)
        driver.execute(sql.SQL("create role {} login nocreatedb password 'poor'").format(sql.Identifier(name)))
        yield database.model_copy(update={"database": make_url(database.database or "").set(
            username=name, password="poor").render_as_string(hide_password=False)})
        driver.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def test_folder_and_database_are_made_beside_those_of_live(database: Settings, engine: Engine) -> None:
    made = offline.make(database)
    try:
        assert stat.S_IMODE(made.home.stat().st_mode) == 0o700 and made.home == database.home / "offline"
        assert make_url(made.database or "").database == f"{make_url(database.database or '').database}_offline"
        assert made.metadata == made.home / "site" and not made.offline
        setup.upgrade(made)
        key = "database_app_password"
        assert secrets.read(made.home / "secrets.yaml")[key] == secrets.read(database.home / "secrets.yaml")[key]
        pool = engines.open(database, "app")                 # the role belongs to both: live still knows its password
        with pool.connect() as connection:
            assert connection.scalar(text("select 1")) == 1
        pool.dispose()
        assert offline.make(database) == made, "what is there stays"
        offline.empty(made)
        setup.upgrade(made)
    finally:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            engines.driver(connection).execute(sql.SQL("drop database {}").format(
                sql.Identifier(make_url(made.database or "").database or "")))


def test_an_owner_who_may_not_is_told_what_to_do(poor: Settings) -> None:
    with pytest.raises(Refused, match=r'do `create database "test_\w+_offline" owner "test_\w+_poor"`, or name another'
                                      r" database with offline_database"):
        offline.make(poor)


@pytest.mark.parametrize(("given", "problem"), [
    ("nonsense", "is no URL"), ("sqlite:///x", "must be postgresql"), ("postgresql://a:b@host", "must be postgresql")])
def test_a_wrong_name_is_told(database: Settings, given: str, problem: str) -> None:
    with pytest.raises(Refused, match=f"offline_database {problem}"):
        offline.settings_of(database.model_copy(update={"offline_database": given}))


def test_long_names_stay_within_what_postgresql_takes(database: Settings) -> None:
    long = database.model_copy(update={"database": f"postgresql+psycopg2://a:b@host/{'ä' * 30}x"})
    name = make_url(offline.settings_of(long).database or "").database or ""
    assert name.endswith("_offline") and len(name.encode()) <= 63


def test_another_server_has_a_password_of_its_own(database: Settings) -> None:
    away = database.model_copy(update={"offline_database": "postgresql+psycopg2://a:b@elsewhere/x"})
    (database.home / "offline" / "secrets.yaml").unlink(missing_ok=True)
    offline.make(away)
    assert secrets.read(database.home / "offline" / "secrets.yaml") == {}


def test_the_database_of_another_system_is_never_emptied(database: Settings, engine: Engine) -> None:
    here = database.model_copy(update={"offline_database": database.database})
    with pytest.raises(Refused, match="is the database of live"):
        offline.settings_of(here)
    with engine.begin() as connection:
        connection.execute(text("insert into sys.account (login) values ('somebody')"))
    with pytest.raises(Refused, match="holds another system"):
        offline.empty(database)
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from sys.account")) == 1
