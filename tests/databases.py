"""Databases of tests: a template that has all steps applied, fresh copies of it, and how they are dropped."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from psycopg2 import sql
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core import secrets
from core.database import address, steps
from core.database import engine as engines
from core.settings import Settings

TEMPLATE = "tessera_template"
NUMBERS = itertools.count(1)
ROLES: tuple[address.Role, ...] = ("app", "owner")
OWN_SESSIONS = ("select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where datname = {} and usename = current_user and pid <> pg_backend_pid()")


@contextmanager
def fresh_database(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database of its own for as long as the block runs, for tests that change it for good."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(NUMBERS)}"
    home = tmp_path_factory.mktemp("home")
    secrets.write(home / "secrets.yaml", {
        "database_app_password": secrets.secret(server.home, "database_app_password")})
    run(server, sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    url = address.url(server, "owner").set(database=name)
    yield Settings(home=home, database=url.render_as_string(hide_password=False), metadata=home / "metadata")
    drop(server, name)


def make_template(settings: Settings) -> None:
    """Make the template that `fresh_database` copies, unless it is there."""
    owner = engines.connect_to(make_url(address.url(settings, "owner")).set(database="postgres"))
    with owner.connect() as connection:
        found = connection.scalar(text("select 1 from pg_database where datname = :name"), {"name": TEMPLATE})
    owner.dispose()
    if found:
        return
    run(settings, sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    pool = engines.connect_to(address.url(settings, "owner").set(database=TEMPLATE))
    with engines.transaction(pool) as connection:
        steps.upgrade(connection)
    pool.dispose()


def drop(settings: Settings, name: str) -> None:
    """Drop a database, though servers may have connections there yet and try to have more.

    Each role ends its own connections. `with (force)` would not do: autovacuum may be at work there, and its worker
    belongs to no role, so the owner is refused; a plain `drop database` ends autovacuum itself.
    """
    run(settings, sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(name)))
    for role in ROLES:
        run(settings, sql.SQL(OWN_SESSIONS).format(sql.Literal(name)), role)
    run(settings, sql.SQL("drop database {}").format(sql.Identifier(name)))


def run(settings: Settings, statement: sql.Composed, role: address.Role = "owner") -> None:
    """Run a statement that no transaction may hold, from outside the databases it is about."""
    pool = engines.connect_to(make_url(address.url(settings, role)).set(database="postgres"))
    with pool.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.autocommit = True
        with driver.cursor() as cursor:
            cursor.execute(statement)
        driver.autocommit = False
    pool.dispose()
